/** When a damaged replica may be emptied, and when it counts again. */
import { expect, test } from 'vitest';
import { RepairState } from './repair-state.ts';

test('a replica is emptied only by metadata that knows of the failure', () => {
  const repair = new RepairState();
  expect(repair.mayEmpty(false)).toBe(false);
  expect(repair.mayEmpty(true)).toBe(true);
});

test('an emptied replica is incomplete until it holds what it acknowledged in the leader epoch', () => {
  const repair = new RepairState();
  repair.emptied(3, 57);
  expect(repair.isIncomplete).toBe(true);
  expect(repair.moved(3, 56, true)).toBe(false);
  expect(repair.moved(3, 57, true)).toBe(true);
  expect(repair.isIncomplete).toBe(false);
  expect(repair.moved(3, 58, true)).toBe(false);
});

test('it is complete, too, with all that the leader has committed, once the leader knows where it stands', () => {
  const repair = new RepairState();
  repair.emptied(3, 57);
  expect(repair.moved(3, 2, true)).toBe(false);
  repair.answered(40);
  expect(repair.moved(3, 39, true)).toBe(false);
  expect(repair.moved(3, 40, true)).toBe(true);
});

test('what the leader told before the log was emptied does not count', () => {
  const repair = new RepairState();
  repair.answered(0);
  repair.emptied(3, 57);
  expect(repair.moved(3, 0, true)).toBe(false);
});

test('the next leader epoch makes old acknowledgements void', () => {
  const repair = new RepairState();
  repair.emptied(3, 57);
  expect(repair.moved(4, 0, true)).toBe(true);
});

test('a replica that is emptied again before it was complete still owes the whole', () => {
  const repair = new RepairState();
  repair.emptied(3, 57);
  repair.emptied(3, 12);
  expect(repair.moved(3, 12, true)).toBe(false);
  expect(repair.moved(3, 57, true)).toBe(true);
});

test('metadata that still shows the failure of before empties nothing', () => {
  const repair = new RepairState();
  repair.emptied(3, 57);
  expect(repair.mayEmpty(true)).toBe(true);
  repair.moved(3, 57, true);
  repair.metadataChanged(true);
  expect(repair.mayEmpty(true)).toBe(false);
  repair.metadataChanged(false);
  repair.metadataChanged(true);
  expect(repair.mayEmpty(true)).toBe(true);
});
