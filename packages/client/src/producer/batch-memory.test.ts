/** A batch's buffer serves another batch only once nothing can read it any more, and idle memory has its limit. */
import { MillraceError } from '@millrace/core';
import { BatchBuilder, BatchView, decodeRecords, HEADER_BYTES, NO_HEADERS } from '@millrace/records';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ReusedBatchMemory } from './batch-memory.ts';
import { FailureLedger } from './failure-ledger.ts';
import { ProducerBatch } from './producer-batch.ts';

const CAPACITY = 4096;
const VALUE = Buffer.alloc(1000, 'v');

function batchFrom(memory: ReusedBatchMemory, codec: 'none' | 'gzip' = 'none'): ProducerBatch {
  const batch = new ProducerBatch({
    topic: 't',
    partition: 0,
    builder: new BatchBuilder({ codec, capacityBytes: CAPACITY, memory }),
    createdAtMs: 0,
    deadlineMs: 1000,
    ledger: new FailureLedger(),
    onDone: () => {},
    onSplit: () => {},
  });
  batch.tryAppend(0, null, VALUE, NO_HEADERS);
  return batch;
}

function sent(batch: ProducerBatch): Buffer {
  batch.attempts += 1;
  return batch.encode();
}

describe('memory of batches', () => {
  test('what was given back is taken again by the next of that size, and no more is kept than the limit', () => {
    const memory = new ReusedBatchMemory(250);
    const [first, second, third] = [memory.take(100), memory.take(100), memory.take(100)];
    for (const buffer of [first, second, third]) memory.giveBack(buffer);
    expect(memory.idleBytes).toBe(200);
    expect(memory.has(50)).toBe(false);
    expect(memory.take(100)).toBe(second);
    expect(memory.take(100)).toBe(first);
    expect(memory.has(100)).toBe(false);
    expect([first, second, third]).not.toContain(memory.take(100));
  });

  test('an answered batch gives its buffer back', () => {
    const memory = new ReusedBatchMemory(1 << 20);
    const batch = batchFrom(memory);
    const bytes = sent(batch);
    expect(memory.idleBytes).toBe(0);
    batch.succeed({ baseOffset: 7, logAppendTimeMs: -1 });
    expect(memory.take(CAPACITY).buffer).toBe(bytes.buffer);
  });

  test.each<[string, (batch: ProducerBatch) => void]>([
    ['nobody answers for', (batch) => batch.succeed({ baseOffset: -1, logAppendTimeMs: -1 })],
    ['failed', (batch) => batch.fail(new MillraceError('REQUEST_TIMED_OUT'))],
    [
      'was sent more than once',
      (batch) => {
        sent(batch);
        batch.succeed({ baseOffset: 7, logAppendTimeMs: -1 });
      },
    ],
    [
      'was answered after it had failed',
      (batch) => {
        batch.fail(new MillraceError('REQUEST_TIMED_OUT'));
        batch.succeed({ baseOffset: 7, logAppendTimeMs: -1 });
      },
    ],
  ])('a batch that %s keeps its buffer: some write may still read it', (_, end) => {
    const memory = new ReusedBatchMemory(1 << 20);
    const batch = batchFrom(memory);
    const before = Buffer.from(sent(batch));
    const bytes = batch.encode();
    end(batch);
    expect(memory.idleBytes).toBe(0);
    for (let i = 0; i < 4; i++) memory.take(CAPACITY).fill(0);
    expect(bytes.equals(before)).toBe(true);
  });

  test('a compressed batch gives the uncompressed bytes back when it is built, and only once', () => {
    const memory = new ReusedBatchMemory(1 << 20);
    const batch = batchFrom(memory, 'gzip');
    const bytes = sent(batch);
    expect(memory.idleBytes).toBe(CAPACITY);
    memory.take(CAPACITY).fill(0);
    expect(decodeRecords(BatchView.at(bytes, 0)!)[0]!.value).toEqual(VALUE);
    batch.succeed({ baseOffset: 7, logAppendTimeMs: -1 });
    expect(memory.idleBytes).toBe(0);
  });

  test('batches that live at the same time never share a byte, whatever was there before', () => {
    const sizes = fc.array(fc.array(fc.integer({ min: 0, max: 3000 }), { minLength: 1, maxLength: 8 }), {
      minLength: 2,
      maxLength: 12,
    });
    fc.assert(
      fc.property(sizes, (batches) => {
        const memory = new ReusedBatchMemory(32 * 1024);
        const alive: { builder: BatchBuilder; bytes: Buffer; copy: Buffer }[] = [];
        batches.forEach((values, nth) => {
          const builder = new BatchBuilder({ codec: 'none', capacityBytes: 16_000, memory });
          for (const size of values) builder.tryAppend(0, null, Buffer.alloc(size, nth + 1), NO_HEADERS);
          const bytes = builder.build();
          expect(bytes.length).toBeGreaterThan(HEADER_BYTES);
          alive.push({ builder, bytes, copy: Buffer.from(bytes) });
          for (const other of alive) expect(other.bytes.equals(other.copy)).toBe(true);
          if (nth % 3 === 2) alive.shift()!.builder.release();
          expect(memory.idleBytes).toBeLessThanOrEqual(32 * 1024);
        });
      }),
      { numRuns: 50 },
    );
  });
});
