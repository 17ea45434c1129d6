/** The real clock and the real randomness, by what everything that is given them relies on. */
import { expect, test } from 'vitest';
import { systemClock, systemRandom } from './system-clock.ts';

const fired = (delayMs: number): Promise<number> => {
  const startMs = systemClock.nowMs();
  return new Promise((resolve) => {
    systemClock.schedule(delayMs, () => resolve(systemClock.nowMs() - startMs));
  });
};

test('a delay ends no earlier than the millisecond in which it is due, even one with a fraction', async () => {
  for (const delayMs of [0, 0.4, 1.7, 5.9]) expect(await fired(delayMs)).toBeGreaterThan(delayMs - 1);
});

test('a cancelled timer and one without end never fire', async () => {
  const calls: string[] = [];
  systemClock.schedule(1, () => calls.push('cancelled')).cancel();
  systemClock.schedule(Number.POSITIVE_INFINITY, () => calls.push('endless')).cancel();
  systemClock.schedule(Number.POSITIVE_INFINITY, () => calls.push('endless'));
  await fired(5);
  expect(calls).toEqual([]);
});

test('random numbers use all 32 bits and do not repeat when the pool is drawn again', () => {
  const random = systemRandom();
  const drawn = Array.from({ length: 1_000 }, () => random.uint32());
  expect(new Set(drawn).size).toBeGreaterThan(990);
  expect(drawn.reduce((bits, each) => bits | each, 0) >>> 0).toBe(2 ** 32 - 1);
});
