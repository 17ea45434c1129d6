/** What limits the work of coordinators: requests that wait, logs that are read. */
import { Deferred } from '@millrace/core';
import { expect, test } from 'vitest';
import { RequestBudget } from './request-budget.ts';
import { Slots } from './slots.ts';

test('a budget refuses when it is used up, and tells when half of it is free again', async () => {
  const budget = new RequestBudget(10);
  expect(budget.room()).toBeUndefined();
  expect(budget.take(4)).toBe(true);
  expect(budget.room()).toBeUndefined();
  expect(budget.take(7)).toBe(true);
  expect(budget.take(1)).toBe(false);
  expect(budget.held).toBe(11);
  const room = budget.room()!;
  expect(budget.room()).toBe(room);
  let isFree = false;
  void room.then(() => {
    isFree = true;
  });
  budget.release(4);
  await Promise.resolve();
  expect(isFree).toBe(false);
  budget.release(7);
  await room;
  expect([budget.held, budget.room()]).toEqual([0, undefined]);
});

test('so many operations run at a time, in the order they came, also after a failure', async () => {
  const slots = new Slots(2);
  const gates = [new Deferred<void>(), new Deferred<void>(), new Deferred<void>(), new Deferred<void>()];
  const begun: number[] = [];
  const all = gates.map((gate, i) =>
    slots.run(async () => {
      begun.push(i);
      await gate.promise;
      return i;
    }),
  );
  expect(begun).toEqual([0, 1]);
  gates[1]!.reject(new Error('failed'));
  await expect(all[1]).rejects.toThrow('failed');
  expect(begun).toEqual([0, 1, 2]);
  for (const gate of [gates[0]!, gates[2]!, gates[3]!]) gate.resolve();
  expect(await Promise.all([all[0], all[2], all[3]])).toEqual([0, 2, 3]);
});
