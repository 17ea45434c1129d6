/** Deadlines fire at most one slice late and share timers. */
import { ManualClock } from '@millrace/core';
import { expect, test } from 'vitest';
import { Deadlines } from './deadlines.ts';

test('a deadline fires not before its time and soon after', () => {
  const clock = new ManualClock();
  const deadlines = new Deadlines(clock);
  const fired: number[] = [];
  for (const delayMs of [500, 30, 100]) deadlines.add({ expired: () => fired.push(delayMs) }, delayMs);
  clock.advance(29);
  expect(fired).toEqual([]);
  clock.advance(40);
  expect(fired).toEqual([30]);
  clock.advance(1000);
  expect(fired).toEqual([30, 100, 500]);
});

test('a removed deadline never fires', () => {
  const clock = new ManualClock();
  const deadlines = new Deadlines(clock);
  let fired = 0;
  const item = { expired: () => fired++ };
  deadlines.remove(item, deadlines.add(item, 50));
  clock.advance(1000);
  expect(fired).toBe(0);
});

test('a clock with fractions does not make a deadline spin', () => {
  const clock = new ManualClock();
  const deadlines = new Deadlines(clock);
  clock.advance(0.1 + 0.2);
  let fired = 0;
  for (let i = 0; i < 200; i++) deadlines.add({ expired: () => fired++ }, 33.3 * i + 0.7);
  for (let i = 0; i < 1000; i++) clock.advance(7.7);
  expect(fired).toBe(200);
});
