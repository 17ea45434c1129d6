/** Commits on their way: replacement, order under retries, lives in the group, deadlines. */
import { MillraceError } from '@millrace/core';
import { expect, test } from 'vitest';
import { CommitState } from './commit-state.ts';

const offset = (value: number, partition = 0) => ({
  topic: 't',
  partition,
  offset: value,
  leaderEpoch: -1,
  metadata: '',
});

function world() {
  const state = new CommitState();
  state.begin(1, new MillraceError('FENCED_MEMBER_EPOCH'));
  const settled: string[] = [];
  const submit = (name: string, offsets: ReturnType<typeof offset>[], deadlineMs = 1000): void => {
    state.submit(offsets, {
      incarnation: 1,
      deadlineMs,
      onSettled: (errors) => settled.push([name, ...errors.map(({ code }) => code)].join(' ')),
    });
  };
  return { state, settled, submit };
}

const LOST = new MillraceError('NETWORK_EXCEPTION');

test('a newer offset that was not sent yet replaces the older, and settles both', () => {
  const { state, settled, submit } = world();
  submit('a', [offset(1)]);
  submit('b', [offset(2)]);
  const round = state.take()!;
  expect(round.offsets.map((sent) => sent.offset)).toEqual([2]);
  state.answered(round, () => undefined);
  expect(settled).toEqual(['a', 'b']);
  expect(state.isIdle).toBe(true);
});

test('an older offset that failed is not sent after a newer one: it succeeds or waits with it', () => {
  const { state, settled, submit } = world();
  submit('a', [offset(1)]);
  const first = state.take()!;
  submit('b', [offset(2)]);
  const second = state.take()!;
  expect(state.answered(first, () => LOST)).toBe(false);
  expect(state.hasPending).toBe(false);
  expect(settled).toEqual([]);
  state.answered(second, () => undefined);
  expect(settled).toEqual(['b', 'a']);

  submit('c', [offset(3)]);
  const third = state.take()!;
  submit('d', [offset(4)]);
  const fourth = state.take()!;
  state.answered(fourth, () => undefined);
  state.answered(third, () => LOST);
  expect(state.take()).toBeUndefined();
  expect(settled.slice(2)).toEqual(['d', 'c']);
});

test('what failed for a while is sent again; what is refused is told, partition by partition', () => {
  const { state, settled, submit } = world();
  submit('a', [offset(1, 0), offset(1, 1), offset(1, 2)]);
  const round = state.take()!;
  const isRepeated = state.answered(round, (at) =>
    at === 0 ? undefined : at === 1 ? LOST : new MillraceError('OFFSET_METADATA_TOO_LARGE'),
  );
  expect(isRepeated).toBe(true);
  expect(settled).toEqual([]);
  const again = state.take()!;
  expect(again.offsets.map(({ partition }) => partition)).toEqual([1]);
  state.answered(again, () => undefined);
  expect(settled).toEqual(['a OFFSET_METADATA_TOO_LARGE']);
});

test('offsets of an earlier life are never sent in a later one', () => {
  const { state, settled, submit } = world();
  submit('flying', [offset(1, 0)]);
  const round = state.take()!;
  submit('pending', [offset(1, 1)]);
  state.begin(2, new MillraceError('FENCED_MEMBER_EPOCH'));
  expect(settled).toEqual(['pending FENCED_MEMBER_EPOCH']);
  state.answered(round, () => LOST);
  expect(settled[1]).toBe('flying NETWORK_EXCEPTION');
  expect(state.take()).toBeUndefined();
});

test('of partitions that were given up nothing is sent again, for it would replace what the next owner commits', () => {
  const { state, settled, submit } = world();
  submit('a', [offset(1)]);
  submit('other', [offset(1, 1)]);
  const round = state.take()!;
  submit('b', [offset(2)]);
  state.giveUp([{ topic: 't', partition: 0 }], new MillraceError('FENCED_MEMBER_EPOCH'));
  expect(settled).toEqual(['b FENCED_MEMBER_EPOCH']);
  expect(state.answered(round, () => new MillraceError('STALE_MEMBER_EPOCH'))).toBe(true);
  expect(settled).toEqual(['b FENCED_MEMBER_EPOCH', 'a FENCED_MEMBER_EPOCH']);
  expect(state.take()!.offsets).toEqual([offset(1, 1)]);
  submit('again', [offset(3)]);
  expect(state.take()!.offsets).toEqual([offset(3)]);
});

test('who waited long enough is told the last failure, and is not sent for again', () => {
  const { state, settled, submit } = world();
  submit('a', [offset(1)], 100);
  expect(state.nextDeadlineMs).toBe(100);
  state.answered(state.take()!, () => LOST);
  state.expire(99);
  expect(settled).toEqual([]);
  state.expire(100);
  expect(settled).toEqual(['a NETWORK_EXCEPTION']);
  expect(state.isIdle).toBe(true);
});

test('who commits without being a member is not mixed with who is', () => {
  const { state, submit } = world();
  submit('a', [offset(1, 0)]);
  state.submit([offset(1, 1)], { incarnation: undefined, deadlineMs: 1, onSettled: () => {} });
  expect([state.take()!.isMember, state.take()!.isMember]).toEqual([true, false]);
});
