import { expect, test } from 'vitest';
import { PipelinedBatches } from './pipelined-batches-state.ts';

const batch = (baseSequence: number, change = {}) => ({
  producerId: 7,
  producerEpoch: 0,
  baseSequence,
  ...change,
});

/** Sends a batch in a request of its own. */
function send(pipeline: PipelinedBatches, baseSequence: number, partition = 'p'): boolean {
  return pipeline.isBehind(pipeline.nextRequest(), partition, batch(baseSequence));
}

test('a batch is behind one that was sent before it and is not known to be appended', () => {
  const pipeline = new PipelinedBatches();
  expect(send(pipeline, 5)).toBe(false);
  expect(send(pipeline, 6)).toBe(true);
  expect(send(pipeline, 6, 'another partition')).toBe(false);
  const request = pipeline.nextRequest();
  expect(pipeline.isBehind(request, 'p', batch(6, { producerId: 8 }))).toBe(false);
  expect(pipeline.isBehind(request, 'p', batch(6, { producerEpoch: 1 }))).toBe(false);
});

test('nothing is behind a batch that was appended', () => {
  const pipeline = new PipelinedBatches();
  expect(send(pipeline, 0)).toBe(false);
  pipeline.appended('p', batch(0));
  expect(pipeline.size).toBe(0);
  expect(send(pipeline, 1)).toBe(false);
});

test('a refused batch goes before all that was in flight behind it, and is not behind them when it comes again', () => {
  const pipeline = new PipelinedBatches();
  expect(send(pipeline, 3)).toBe(false);
  pipeline.refused(1, 'p', batch(3));
  for (const sequence of [4, 5, 6, 7]) expect(send(pipeline, sequence)).toBe(true);
  expect(send(pipeline, 3)).toBe(false);
  expect(send(pipeline, 4)).toBe(true);
});

test('a batch that was refused after the one before it was appended is the one to wait for', () => {
  const pipeline = new PipelinedBatches();
  expect(send(pipeline, 0)).toBe(false);
  expect(send(pipeline, 1)).toBe(true);
  pipeline.appended('p', batch(0));
  pipeline.refused(2, 'p', batch(1));
  expect(send(pipeline, 2)).toBe(true);
  expect(send(pipeline, 1)).toBe(false);
});

test('what a client cannot have in flight any more is waited for no longer', () => {
  const pipeline = new PipelinedBatches();
  expect(send(pipeline, 3)).toBe(false);
  pipeline.refused(1, 'p', batch(3));
  for (let i = 0; i < 4; i++) pipeline.nextRequest();
  expect(send(pipeline, 4)).toBe(false);
});

test('sequences are followed around their end', () => {
  const pipeline = new PipelinedBatches();
  expect(send(pipeline, 2 ** 31 - 2)).toBe(false);
  expect(send(pipeline, 0)).toBe(true);
  expect(send(pipeline, 2 ** 31 - 3)).toBe(false);
});

test('the memory of a connection is bounded', () => {
  const pipeline = new PipelinedBatches();
  const request = pipeline.nextRequest();
  for (let i = 0; i < 5_000; i++) pipeline.isBehind(request, `p-${i}`, batch(0));
  expect(pipeline.size).toBe(1_000);
  for (let i = 0; i < 5; i++) pipeline.nextRequest();
  expect(pipeline.size).toBe(0);
});
