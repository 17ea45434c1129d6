import { expect, test } from 'vitest';
import { GroupHistoryLog, partitionsCounted, spanText } from './group-history.ts';

test('the newest events are kept, oldest first, and what was dropped is counted', () => {
  const history = new GroupHistoryLog(3);
  for (let epoch = 1; epoch <= 5; epoch++) history.note({ kind: 'joined', epoch, cause: 'why' }, epoch * 10);
  const { events, droppedEvents } = history.describe();
  expect(events.map(({ epoch, atMs }) => [epoch, atMs])).toEqual([
    [3, 30],
    [4, 40],
    [5, 50],
  ]);
  expect(droppedEvents).toBe(2);
});

test('a log of no events only counts', () => {
  const history = new GroupHistoryLog(0);
  history.note({ kind: 'left', epoch: 1, cause: '' }, 1);
  expect(history.describe()).toEqual({ events: [], droppedEvents: 1, members: [] });
});

test('a cause that a client made long is cut', () => {
  const history = new GroupHistoryLog(1);
  history.note({ kind: 'left', epoch: 1, cause: 'x'.repeat(100_000) }, 1);
  expect(history.describe().events[0]!.cause.length).toBeLessThan(1000);
});

test('pauses are summed for each member, and forgotten oldest first after members leave', () => {
  const history = new GroupHistoryLog(1);
  history.waited('a', 'client', 100);
  history.waited('a', 'client', 300);
  history.waited('b', 'client', 5);
  expect(history.describe().members).toEqual([
    { memberId: 'a', clientId: 'client', rebalances: 2, waitedMs: 400, longestWaitMs: 300 },
    { memberId: 'b', clientId: 'client', rebalances: 1, waitedMs: 5, longestWaitMs: 5 },
  ]);
  history.memberGone('a');
  history.memberGone('b');
  expect(history.describe().members.map(({ memberId }) => memberId)).toEqual(['b']);
});

test('spans are told in the unit that reads well', () => {
  expect([spanText(400), spanText(45_000), spanText(300_000)]).toEqual(['0.4 s', '45.0 s', '5.0 min']);
});

test('one partition is told as one', () => {
  expect([0, 1, 2].map(partitionsCounted)).toEqual(['0 partitions', '1 partition', '2 partitions']);
});
