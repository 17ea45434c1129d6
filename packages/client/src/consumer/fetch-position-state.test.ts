import { expect, test } from 'vitest';
import { FetchPositionState, type ResetPolicy } from './fetch-position-state.ts';

const SOURCE = { topic: 't', partition: 0 } as never;

/** A reader at 166 that is told that its offset is not in the log, and then where to go on. */
function refused(policy: ResetPolicy, logStartOffset: number): FetchPositionState<unknown, unknown> {
  const state = new FetchPositionState<unknown, unknown>(SOURCE, policy);
  state.seek(166, 3);
  state.outOfRange(state.generation, logStartOffset);
  return state;
}

test('a reader whose offset was deleted never goes back, though the next leader has older records', () => {
  const state = refused('earliest', 168);
  expect(state.start).toBe('earliest');
  state.found(state.generation, 163, 2);
  expect([state.position, state.fetchFrom]).toEqual([166, { offset: 166, epoch: 3 }]);
});

test('a reader whose offset was deleted goes on at the earliest record if that is later', () => {
  const state = refused('earliest', 168);
  state.found(state.generation, 168, 4);
  expect(state.fetchFrom).toEqual({ offset: 168, epoch: 4 });
});

test('a reader above the end of the log, or of a log that tells no start, is reset', () => {
  for (const logStartOffset of [100, -1]) {
    const state = refused('earliest', logStartOffset);
    state.found(state.generation, 100, 2);
    expect(state.fetchFrom).toEqual({ offset: 100, epoch: 2 });
  }
});

test('what was refused binds neither a later seek nor another policy', () => {
  const sought = refused('earliest', 168);
  sought.seekTo('earliest');
  sought.found(sought.generation, 163, 2);
  expect(sought.position).toBe(163);
  const latest = refused('latest', 168);
  latest.found(latest.generation, 163, 2);
  expect(latest.position).toBe(163);
});
