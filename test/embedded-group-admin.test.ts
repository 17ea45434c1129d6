/** What operators ask of groups through the SDK, at a whole cluster: offsets, lag, history, deletion. */
import { randomUUID } from 'node:crypto';
import { type Admin, Millrace } from '@millrace/client';
import { MillraceError } from '@millrace/core';
import { groupService, RpcChannel } from '@millrace/protocol';
import { type Cluster, startCluster } from '@millrace/server';
import { afterEach, beforeEach, expect, test } from 'vitest';

const TOPIC = 'orders';

let cluster: Cluster;
let millrace: Millrace;
let admin: Admin;

beforeEach(async () => {
  cluster = await startCluster();
  millrace = new Millrace({ bootstrap: cluster.bootstrap });
  admin = millrace.admin();
  await admin.createTopics([{ name: TOPIC, partitions: 3, replicationFactor: 3 }]);
}, 30_000);
afterEach(async () => {
  await millrace.close();
  await cluster.close();
});

async function produce(partition: number, count: number, timestamp: number): Promise<void> {
  await using producer = millrace.producer();
  for (let i = 0; i < count; i++)
    void producer.send({ topic: TOPIC, partition, value: `v${i}`, timestamp: timestamp + i * 1000 });
  await producer.flush();
}

/** A member that says hello once, through the coordinator. */
async function join(groupId: string): Promise<{ leave: () => Promise<void>; memberId: string }> {
  const memberId = randomUUID();
  const header = { correlationId: 0, timeoutMs: 5000, clientId: 'reader', clusterId: '', quorumId: '' };
  const beat = async (memberEpoch: number): Promise<void> => {
    for (;;) {
      const { host, port } = cluster.nodes[0]!.addresses[0]!;
      const any = RpcChannel.connect(host, port);
      const { coordinators } = await any.unary(groupService.findCoordinators, {
        header,
        groupIds: [groupId],
      });
      any.close();
      const { node } = coordinators[0]!;
      if (node !== undefined) {
        const channel = RpcChannel.connect(node.host, node.port);
        const joining = {
          rebalanceTimeoutMs: 30_000,
          subscribedTopics: { names: [TOPIC] },
          held: { topics: [] },
        };
        const { failure } = await channel.unary(groupService.consumerGroupHeartbeat, {
          header,
          groupId,
          memberId,
          memberEpoch,
          reason: '',
          ...(memberEpoch === 0 && joining),
        });
        channel.close();
        if (failure === undefined) return;
        expect([14, 15, 16]).toContain(failure.code);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  await beat(0);
  return { memberId, leave: () => beat(-1) };
}

const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'no failure',
    (error: unknown) => (error instanceof MillraceError ? error.code : error),
  );

test('offsets are moved, read back and deleted; the lag follows', async () => {
  const startMs = Date.now() - 60_000;
  await produce(0, 10, startMs);
  await produce(1, 5, startMs);
  await admin.alterGroupOffsets('billing', [
    { topic: TOPIC, partition: 0, offset: 4n, metadata: 'by hand' },
    { topic: TOPIC, partition: 1, offset: 5 },
    { topic: TOPIC, partition: 2, offset: 0n },
  ]);
  expect(await admin.groupOffsets('billing')).toMatchObject([
    { topic: TOPIC, partition: 0, offset: 4n, metadata: 'by hand', committedAtMs: expect.any(Number) },
    { partition: 1, offset: 5n },
    { partition: 2, offset: 0n },
  ]);
  const [first, second, third] = await admin.groupLag('billing');
  expect(first).toMatchObject({ committed: 4n, logStart: 0n, logEnd: 10n, lag: 6n });
  const ageMs = Date.now() - (startMs + 4000);
  expect(first!.lagMs).toBeGreaterThan(ageMs - 10_000);
  expect(first!.lagMs).toBeLessThanOrEqual(ageMs);
  expect(second).toMatchObject({ committed: 5n, logEnd: 5n, lag: 0n, lagMs: 0 });
  expect(third).toMatchObject({ committed: 0n, logEnd: 0n, lag: 0n, lagMs: 0 });

  await admin.deleteGroupOffsets('billing', [{ topic: TOPIC, partition: 1 }]);
  const partitions = [0, 1].map((partition) => ({ topic: TOPIC, partition }));
  expect(await admin.groupOffsets('billing', partitions)).toMatchObject([
    { offset: 4n },
    { offset: null, committedAtMs: null },
  ]);
  expect(await admin.groupLag('billing', partitions)).toMatchObject([
    { lag: 6n },
    { lag: null, lagMs: null },
  ]);
}, 30_000);

test('groups of every broker are listed, described, explained and deleted', async () => {
  const names = Array.from({ length: 12 }, (_, i) => `group-${String(i).padStart(2, '0')}`);
  await Promise.all(
    names.map((name) => admin.alterGroupOffsets(name, [{ topic: TOPIC, partition: 0, offset: 0 }])),
  );
  const { memberId, leave } = await join('live');
  const listed = await admin.listGroups();
  expect(listed.map(({ groupId }) => groupId)).toEqual([...names, 'live']);
  expect(await admin.listGroups({ types: ['consumer'] })).toMatchObject([
    { groupId: 'live', type: 'consumer', protocolType: 'consumer' },
  ]);
  const [live, empty] = await admin.describeGroups(['live', 'group-03']);
  expect(empty).toMatchObject({ groupId: 'group-03', state: 'Empty', members: [] });
  expect(live).toMatchObject({
    groupId: 'live',
    assignor: 'uniform',
    members: [
      {
        memberId,
        clientId: 'reader',
        groupInstanceId: null,
        subscribedTopics: [TOPIC],
        targetAssignment: [0, 1, 2].map((partition) => ({ topic: TOPIC, partition })),
      },
    ],
  });
  expect(
    (await admin.groupLag('live')).map(({ partition, committed }) => ({ partition, committed })),
  ).toEqual([0, 1, 2].map((partition) => ({ partition, committed: null })));
  const history = await admin.explainGroup('live');
  expect(history.events.map(({ kind }) => kind)).toContain('joined');

  expect(await codeOf(admin.deleteGroups(['live']))).toBe('NON_EMPTY_GROUP');
  const move = [{ topic: TOPIC, partition: 0, offset: 0 }];
  expect(await codeOf(admin.alterGroupOffsets('live', move))).toBe('NON_EMPTY_GROUP');
  await leave();
  await admin.alterGroupOffsets('live', move);
  expect((await admin.explainGroup('live')).events.at(-1)).toMatchObject({ kind: 'offsets-reset' });
  await admin.deleteGroups([...names, 'live']);
  expect(await admin.listGroups()).toEqual([]);
}, 30_000);

test('what is not there is said so', async () => {
  expect(await admin.groupOffsets('nobody')).toEqual([]);
  expect(await codeOf(admin.groupLag('nobody'))).toBe('GROUP_ID_NOT_FOUND');
  expect(await codeOf(admin.describeGroups(['nobody']))).toBe('GROUP_ID_NOT_FOUND');
  expect(await codeOf(admin.explainGroup('nobody'))).toBe('GROUP_ID_NOT_FOUND');
  expect(await codeOf(admin.deleteGroups(['nobody']))).toBe('GROUP_ID_NOT_FOUND');
  expect(await codeOf(admin.deleteGroupOffsets('nobody', []))).toBe('GROUP_ID_NOT_FOUND');
  expect(await codeOf(admin.describeGroups(['']))).toBe('INVALID_GROUP_ID');
  const gone = [{ topic: 'never-made', partition: 0, offset: 1 }];
  expect(await codeOf(admin.alterGroupOffsets('g', gone))).toBe('UNKNOWN_TOPIC_OR_PARTITION');
}, 30_000);
