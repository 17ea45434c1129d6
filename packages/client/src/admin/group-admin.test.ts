/** Group calls against a cluster in memory, where coordinators and leaders go away in the midst of them. */
import type { MillraceError } from '@millrace/core';
import { expect, onTestFinished, test } from 'vitest';
import { type Fixture, fixture } from '../testing/fixture.ts';

const ORDERS = { topic: 'orders', partition: 0 };

async function world(): Promise<Fixture> {
  const made = fixture();
  onTestFinished(() => made.run(made.millrace.close()));
  made.cluster.createTopic('orders', 3);
  const producer = made.millrace.producer();
  const startMs = made.clock.wallMs() - 60_000;
  const sent = Array.from({ length: 30 }, (_, i) => {
    const timestamp = startMs + Math.floor(i / 3) * 1_000;
    return producer.send({ topic: 'orders', partition: i % 3, value: 'v', timestamp });
  });
  await made.run(Promise.all(sent));
  return made;
}

const refusal = (promise: Promise<unknown>): Promise<MillraceError> =>
  promise.then(
    () => expect.fail('it was not refused'),
    (error: MillraceError) => error,
  );

test('offsets are committed although the answer was lost and the coordinator moves', async () => {
  const { cluster, millrace, run } = await world();
  const group = cluster.group('g');
  group.onCommit = () => {
    if (group.commits.length > 1) return undefined;
    group.brokerId = 2;
    return 'lose';
  };
  await run(millrace.admin().alterGroupOffsets('g', [{ ...ORDERS, offset: 4n, metadata: 'm' }]));
  expect(group.committed('orders')).toBe(4);
  expect(group.commits.at(-1)).toMatchObject({ memberId: '', memberEpoch: -1 });
});

test('a coordinator that says nothing is given up at the limit', async () => {
  const { clock, cluster, millrace, run } = await world();
  cluster.group('g').onCommit = () => 'hang';
  const startMs = clock.nowMs();
  const move = millrace.admin().alterGroupOffsets('g', [{ ...ORDERS, offset: 4n }], { timeoutMs: 2_000 });
  expect((await run(refusal(move))).code).toBe('REQUEST_TIMED_OUT');
  expect(clock.nowMs() - startMs).toBeLessThanOrEqual(2_100);
});

test('a live group keeps its offsets: the refusal says why', async () => {
  const { cluster, millrace, run } = await world();
  cluster.group('g').onCommit = () => 'UNKNOWN_MEMBER_ID';
  const error = await run(refusal(millrace.admin().alterGroupOffsets('g', [{ ...ORDERS, offset: 4n }])));
  expect(error.code).toBe('NON_EMPTY_GROUP');
  expect(error.message).toContain('group g has members');
});

test('what is no offset is refused before anything is sent', async () => {
  const { cluster, millrace, run } = await world();
  const admin = millrace.admin();
  const wrong = [{ ...ORDERS, offset: -1n }];
  expect((await run(refusal(admin.alterGroupOffsets('g', wrong)))).code).toBe('INVALID_REQUEST');
  expect((await run(refusal(admin.describeGroups('g' as never)))).code).toBe('INVALID_REQUEST');
  expect(cluster.group('g').commits).toEqual([]);
});

test('lag is told in records and as the age of the first one that is left', async () => {
  const { clock, cluster, millrace, run } = await world();
  const admin = millrace.admin();
  const offsets = [4n, 10n, 2n].map((offset, partition) => ({ topic: 'orders', partition, offset }));
  await run(admin.alterGroupOffsets('g', offsets));
  // Retention has taken the first batches of the last partition: what is left begins later than what was committed.
  cluster.partition('orders', 2).startOffset = 6;
  const partitions = [0, 1, 2].map((partition) => ({ topic: 'orders', partition }));
  const lags = await run(admin.groupLag('g', partitions));
  expect(lags).toMatchObject([
    { committed: 4n, logStart: 0n, logEnd: 10n, lag: 6n },
    { committed: 10n, lag: 0n, lagMs: 0 },
    { committed: 2n, logStart: 6n, lag: 8n },
  ]);
  const since = (i: number): number => clock.wallMs() - 1_700_000_000_000 + 60_000 - i * 1_000;
  expect(Math.abs(lags[0]!.lagMs! - since(4))).toBeLessThan(1_000);
  expect(Math.abs(lags[2]!.lagMs! - since(6))).toBeLessThan(1_000);
});

test('what is committed beyond the end of the log is a negative lag, of no age', async () => {
  const { millrace, run } = await world();
  const admin = millrace.admin();
  await run(admin.alterGroupOffsets('g', [{ ...ORDERS, offset: 1_000n }]));
  expect(await run(admin.groupLag('g', [ORDERS]))).toMatchObject([
    { committed: 1_000n, logEnd: 10n, lag: -990n, lagMs: null },
  ]);
});

test('a partition that nobody leads and a topic that is gone are unknown, soon, and hinder no other', async () => {
  const { clock, cluster, millrace, run } = await world();
  const admin = millrace.admin();
  cluster.createTopic('gone');
  const offsets = [
    { ...ORDERS, offset: 4n },
    { topic: 'orders', partition: 1, offset: 4n },
    { topic: 'gone', partition: 0, offset: 1n },
  ];
  await run(admin.alterGroupOffsets('g', offsets));
  cluster.topics.delete('gone');
  cluster.stop(2);
  const startMs = clock.nowMs();
  const lags = await run(admin.groupLag('g', offsets));
  expect(lags[0]).toMatchObject({ lag: 6n, lagMs: expect.any(Number) });
  const unknown = { logEnd: null, lag: null, lagMs: null };
  expect(lags.slice(1)).toMatchObject([
    { committed: 4n, ...unknown },
    { committed: 1n, ...unknown },
  ]);
  expect(clock.nowMs() - startMs).toBeLessThan(10_000);
});
