import { expect, test } from 'vitest';
import { TurnBudget } from './turn-budget.ts';

test('a budget of a turn is spent once its limit is reached, and new in the next turn', () => {
  const due: (() => void)[] = [];
  let renewals = 0;
  const budget = new TurnBudget(
    10,
    (callback) => void due.push(callback),
    () => {
      renewals += 1;
    },
  );
  budget.spend(9);
  expect(budget.isSpent).toBe(false);
  budget.spend(100);
  expect([budget.isSpent, due.length, renewals]).toEqual([true, 1, 0]);
  due.pop()!();
  expect([budget.isSpent, due.length, renewals]).toEqual([false, 0, 1]);
  budget.spend(10);
  expect([budget.isSpent, due.length]).toEqual([true, 1]);
});
