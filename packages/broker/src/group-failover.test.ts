/** Groups with their real rules, while coordinators die: members go on, commits stay, epochs fence. */
import type { ConsumerGroupHeartbeatResponse, JoinGroupResponse } from '@millrace/groups';
import { OFFSETS_TOPIC } from '@millrace/metadata';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { GroupApi } from './group-api.ts';
import { TestCluster } from './testing/test-cluster.ts';

const CALLER = { clientId: 'app', clientHost: '127.0.0.1' };
const RETRIABLE = ['NOT_COORDINATOR', 'COORDINATOR_LOAD_IN_PROGRESS', 'COORDINATOR_NOT_AVAILABLE'];

let cluster: TestCluster;

beforeEach(async () => {
  cluster = await TestCluster.start({
    config: { 'replica.lag.time.max.ms': '1000' },
    groupConfig: { 'group.consumer.session.timeout.ms': '2000', 'group.initial.rebalance.delay.ms': '0' },
  });
  await cluster.createTopic('orders', {
    replicas: [
      [1, 2, 3],
      [2, 3, 1],
      [3, 1, 2],
      [1, 3, 2],
    ],
  });
});
afterEach(async () => {
  expect(cluster.fatal).toEqual([]);
  await cluster.close();
});

async function coordinatorId(): Promise<number> {
  const [id] = cluster.brokers.keys();
  const request = { timeoutMs: 1000, clientId: 'app', listener: 'GRPC', groupIds: ['g'] };
  const { coordinators } = await cluster.finish(cluster.broker(id!).groups.findCoordinators(request));
  return coordinators[0]!.node?.id ?? -1;
}

/** As a client does: finds the coordinator, asks it, and asks again while it is told to. */
async function ask<T extends { readonly failure?: { readonly code: string } | undefined }>(
  call: (groups: GroupApi) => Promise<T>,
): Promise<T> {
  for (let tries = 0; tries < 200; tries++) {
    const broker = cluster.brokers.get(await coordinatorId());
    const answer = broker && (await cluster.finish(call(broker.groups)));
    if (answer !== undefined && !RETRIABLE.includes(answer.failure?.code ?? '')) return answer;
    await cluster.run(20);
  }
  throw new Error('no coordinator answered');
}

const failOver = async (): Promise<number> => {
  const victim = await coordinatorId();
  await cluster.kill(victim);
  return victim;
};

const comeBack = async (id: number): Promise<void> => {
  await cluster.restart(id);
  await cluster.until(() => cluster.isrOf(cluster.topicId(OFFSETS_TOPIC)).length === 3);
};

function commit(offset: number, { partition = 0, memberId = '', epoch = -1 } = {}) {
  const offsets = [{ topic: 'orders', partition, offset, leaderEpoch: -1, metadata: `at ${offset}` }];
  const member = { memberId, groupInstanceId: undefined, generationIdOrMemberEpoch: epoch };
  return (groups: GroupApi) => groups.commitOffsets({ ...CALLER, ...member, groupId: 'g', offsets });
}

async function committed(): Promise<(number | undefined)[]> {
  const request = { groupId: 'g', memberId: '', memberEpoch: -1, partitions: undefined };
  const { offsets } = await ask((groups) => groups.fetchOffsets(request));
  return [0, 1, 2, 3].map((index) => offsets.find(({ partition }) => partition === index)?.offset);
}

function beat(memberId: string, memberEpoch: number, held: readonly number[] | undefined = undefined) {
  const first = { rebalanceTimeoutMs: 5000, subscribedTopicNames: ['orders'] };
  const later = { rebalanceTimeoutMs: undefined, subscribedTopicNames: undefined };
  const partitions = held ?? (memberEpoch === 0 ? [] : undefined);
  const topicPartitions =
    partitions && (partitions.length === 0 ? [] : [{ topicId: cluster.topicId('orders'), partitions }]);
  return (groups: GroupApi) =>
    groups.consumerGroupHeartbeat({
      ...CALLER,
      ...(memberEpoch === 0 ? first : later),
      groupId: 'g',
      memberId,
      memberEpoch,
      groupInstanceId: undefined,
      rackId: undefined,
      subscribedTopicRegex: undefined,
      serverAssignor: undefined,
      topicPartitions,
      reason: '',
    });
}

const partitionsOf = ({ assignment }: ConsumerGroupHeartbeatResponse) =>
  assignment?.flatMap(({ partitions }) => partitions).sort();

test('every commit that was acknowledged is read back, whoever coordinated', async () => {
  const acknowledged: number[] = [-1, -1, -1, -1];
  for (let round = 0; round < 3; round++) {
    const groups = cluster.broker(await coordinatorId()).groups;
    await ask(commit(round * 100));
    acknowledged[0] = Math.max(round * 100, acknowledged[0]!);
    const asked = Array.from({ length: 60 }, async (_, i) => {
      const [partition, offset] = [i % 4, round * 100 + i];
      const { failure, offsets } = await commit(offset, { partition })(groups);
      if (failure ?? offsets[0]?.failure) return;
      acknowledged[partition] = Math.max(offset, acknowledged[partition]!);
    });
    await cluster.run(round * 5);
    const victim = await failOver();
    await cluster.finish(Promise.all(asked));
    const found = await committed();
    acknowledged.forEach((offset, partition) => {
      expect(found[partition] ?? -1).toBeGreaterThanOrEqual(offset);
    });
    await comeBack(victim);
  }
});

test('a member goes on under the next coordinator with its epoch and what it holds', async () => {
  const joined = await ask(beat('member-a', 0));
  expect(joined.failure).toBeUndefined();
  expect(partitionsOf(joined)).toEqual([0, 1, 2, 3]);
  const { memberEpoch } = joined;
  expect((await ask(beat('member-a', memberEpoch, [0, 1, 2, 3]))).failure).toBeUndefined();
  expect((await ask(commit(7, { memberId: 'member-a', epoch: memberEpoch }))).failure).toBeUndefined();
  await failOver();
  const beaten = await ask(beat('member-a', memberEpoch, [0, 1, 2, 3]));
  expect(beaten.failure).toBeUndefined();
  expect(beaten.memberEpoch).toBe(memberEpoch);
  const stale = await ask(commit(8, { memberId: 'member-a', epoch: memberEpoch - 1 }));
  expect(stale.failure?.code).toBe('STALE_MEMBER_EPOCH');
  const stranger = await ask(commit(8, { memberId: 'member-b', epoch: memberEpoch }));
  expect(stranger.failure?.code).toBe('UNKNOWN_MEMBER_ID');
  expect((await ask(commit(9, { memberId: 'member-a', epoch: memberEpoch }))).failure).toBeUndefined();
  expect(await committed()).toEqual([9, undefined, undefined, undefined]);
  const described = await ask(async (groups) => (await groups.describeGroups(['g']))[0]!);
  expect(described).toMatchObject({ state: 'Stable', type: 'consumer', members: [{ memberId: 'member-a' }] });
});

test('a member that falls silent is expired, and its partitions go to the others', async () => {
  const joined = await ask(beat('member-a', 0));
  let other = await ask(beat('member-b', 0));
  await ask(beat('member-a', joined.memberEpoch, [0, 1, 2, 3]));
  const endMs = cluster.clock.nowMs() + 6000;
  let held: readonly number[] = [];
  while (cluster.clock.nowMs() < endMs && held.length < 4) {
    await cluster.run(100);
    other = await ask(beat('member-b', other.memberEpoch, held));
    expect(other.failure).toBeUndefined();
    held = partitionsOf(other) ?? held;
  }
  expect(held).toEqual([0, 1, 2, 3]);
  const fenced = await ask(beat('member-a', joined.memberEpoch, [0, 1, 2, 3]));
  expect(['UNKNOWN_MEMBER_ID', 'FENCED_MEMBER_EPOCH']).toContain(fenced.failure?.code);
  const explained = await ask((groups) => groups.explainGroup('g'));
  expect(explained.events.map(({ kind }) => kind)).toContain('expired');
});

test('nobody is expired because the log took no writes for longer than a session', async () => {
  const joined = await ask(beat('member-a', 0));
  const coordinator = await coordinatorId();
  const others = [1, 2, 3].filter((id) => id !== coordinator);
  for (const id of others) await cluster.kill(id);
  await cluster.until(() => cluster.isrOf(cluster.topicId(OFFSETS_TOPIC)).length === 1);
  for (let i = 0; i < 10; i++) {
    const refused = await cluster.finish(
      beat('member-a', joined.memberEpoch)(cluster.broker(coordinator).groups),
    );
    expect(refused.failure?.code).toBe('COORDINATOR_NOT_AVAILABLE');
    await cluster.run(500);
  }
  for (const id of others) await cluster.restart(id);
  await cluster.until(() => cluster.isrOf(cluster.topicId(OFFSETS_TOPIC)).length === 3);
  const beaten = await ask(beat('member-a', joined.memberEpoch, [0, 1, 2, 3]));
  expect(beaten.failure).toBeUndefined();
  expect(beaten.memberEpoch).toBe(joined.memberEpoch);
});

test('a new topic reaches the members that subscribe to it', async () => {
  const request = beat('member-a', 0);
  const joined = await ask(request);
  await cluster.finish(
    cluster.broker(1).createPartitions({
      timeoutMs: 1000,
      clientId: 'test',
      validateOnly: false,
      topics: [{ name: 'orders', totalCount: 6, assignments: [] }],
    }),
  );
  let answer = joined;
  let held: readonly number[] = [0, 1, 2, 3];
  for (let i = 0; i < 50 && held.length < 6; i++) {
    await cluster.run(100);
    answer = await ask(beat('member-a', answer.memberEpoch, held));
    held = partitionsOf(answer) ?? held;
  }
  expect(held).toEqual([0, 1, 2, 3, 4, 5]);
});

test('a classic group joins, syncs, beats, and goes on under the next coordinator', async () => {
  const join = (memberId: string) => (groups: GroupApi) =>
    groups.joinGroup({
      ...CALLER,
      groupId: 'g',
      memberId,
      groupInstanceId: undefined,
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 10_000,
      protocolType: 'test',
      protocols: [{ name: 'p', metadata: Buffer.from('what I want') }],
      requiresKnownMemberId: true,
      reason: '',
    });
  const named: JoinGroupResponse = await ask(join(''));
  expect(named.failure?.code).toBe('MEMBER_ID_REQUIRED');
  const { memberId } = named;
  const joined = await ask(join(memberId));
  expect(joined.failure).toBeUndefined();
  expect(joined).toMatchObject({ leader: memberId, protocolName: 'p' });
  const { generationId } = joined;
  const common = { ...CALLER, groupId: 'g', generationId, memberId, groupInstanceId: undefined };
  const synced = await ask((groups) =>
    groups.syncGroup({
      ...common,
      protocolType: 'test',
      protocolName: 'p',
      assignments: [{ memberId, assignment: Buffer.from('all') }],
    }),
  );
  expect(String(synced.assignment)).toBe('all');
  await failOver();
  expect((await ask((groups) => groups.heartbeat(common))).failure).toBeUndefined();
  expect((await ask(commit(3, { memberId, epoch: generationId }))).failure).toBeUndefined();
  expect((await ask(commit(3, { memberId, epoch: generationId + 1 }))).failure?.code).toBe(
    'ILLEGAL_GENERATION',
  );
  const left = await ask((groups) =>
    groups.leaveGroup({
      ...CALLER,
      groupId: 'g',
      members: [{ memberId, groupInstanceId: undefined, reason: '' }],
    }),
  );
  expect(left.members[0]?.failure).toBeUndefined();
  const deleted = await ask(async (groups) => (await groups.deleteGroups(['g']))[0]!);
  expect(deleted.failure).toBeUndefined();
  expect(await committed()).toEqual([undefined, undefined, undefined, undefined]);
  expect((await ask((groups) => groups.listGroups({ states: [], types: [] }))).groups).toEqual([]);
});
