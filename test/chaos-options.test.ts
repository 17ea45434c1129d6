/** The chaos suite refuses what it cannot do before it starts anything. */
import { expect, test } from 'vitest';
import { chaosOptions } from './chaos/chaos-options.ts';

const NOW_MS = 20_000 * 86_400_000;

test('without any variable three runs of a minute each begin at the seed of the day', () => {
  expect(chaosOptions({}, NOW_MS)).toEqual({
    seconds: 60,
    runs: 3,
    seed: 20_000,
    faults: undefined,
    isFull: true,
  });
});

test('shorter runs, or chosen faults, are not held to what full ones reach', () => {
  expect(chaosOptions({ CHAOS_SECONDS: '5' }, NOW_MS)).toMatchObject({ seconds: 5, isFull: false });
  expect(chaosOptions({ CHAOS_FAULTS: 'kill, pause' }, NOW_MS)).toMatchObject({
    faults: ['kill', 'pause'],
    isFull: false,
  });
});

test.each([
  ['CHAOS_SECONDS', 'abc', 'CHAOS_SECONDS=abc: must be a whole number from 1 to 86400'],
  ['CHAOS_SECONDS', '0', 'from 1'],
  ['CHAOS_RUNS', '0', 'CHAOS_RUNS=0: must be a whole number from 1 to 1000'],
  ['CHAOS_RUNS', '1.5', 'whole number'],
  ['CHAOS_SEED', '-1', 'from 0'],
  ['CHAOS_FAULTS', 'nope', 'no such fault: nope; there are kill, kill-all'],
  ['CHAOS_FAULTS', '', 'no such fault: '],
])('%s=%s is refused with what is right', (name, value, message) => {
  expect(() => chaosOptions({ [name]: value }, NOW_MS)).toThrow(message);
});
