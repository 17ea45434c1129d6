import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DueQueue } from './due-queue.ts';

test('gives out keys in the order of their times, whatever was set, moved and taken out before', () => {
  const command = fc.record({
    key: fc.constantFrom(...'abcdefghij'),
    dueMs: fc.oneof(fc.nat({ max: 20 }), fc.constant(Number.POSITIVE_INFINITY)),
    takeUpTo: fc.option(fc.nat({ max: 20 }), { nil: undefined, freq: 4 }),
  });
  fc.assert(
    fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
      const queue = new DueQueue();
      const model = new Map<string, number>();
      for (const { key, dueMs, takeUpTo } of commands) {
        queue.set(key, dueMs);
        if (dueMs === Number.POSITIVE_INFINITY) model.delete(key);
        else model.set(key, dueMs);
        if (takeUpTo === undefined) continue;
        const nextMs = Math.min(Number.POSITIVE_INFINITY, ...model.values());
        expect(queue.nextMs).toBe(nextMs);
        const taken = queue.takeDue(takeUpTo);
        expect(taken === undefined).toBe(nextMs > takeUpTo);
        if (taken === undefined) continue;
        expect(model.get(taken)).toBe(nextMs);
        model.delete(taken);
      }
    }),
    { numRuns: 300 },
  );
});

test('keys that are due at the same time come in the order they were set', () => {
  const queue = new DueQueue();
  for (const key of ['c', 'a', 'b']) queue.set(key, 5);
  queue.set('c', 7);
  queue.set('c', 5);
  expect([queue.takeDue(5), queue.takeDue(5), queue.takeDue(5), queue.takeDue(5)]).toEqual([
    'a',
    'b',
    'c',
    undefined,
  ]);
});
