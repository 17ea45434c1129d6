import { SeededRandom } from '@millrace/core';
import { expect, test } from 'vitest';
import {
  decodeAssignmentOf,
  encodeAssignmentOf,
  encodeSubscriptionOf,
  type NamedPartitions,
} from './consumer-protocol.ts';
import { GroupCoordinatorState } from './coordinator-state.ts';
import type { ConsumerGroupHeartbeatResponse, JoinGroupResponse, SyncGroupResponse } from './group-api.ts';
import { groupConfig } from './group-config.ts';
import type { GroupRequestName, GroupRequests } from './group-coordinator.ts';
import type { GroupRecord } from './group-record.ts';
import { type Heartbeat, heartbeatOf } from './testing/consumer-member.ts';
import { TestTopics, topicIdOf } from './testing/topics.ts';

const caller = { clientId: 'c', clientHost: '/10.0.0.1', groupId: 'g' };
const orders = (...partitions: number[]): NamedPartitions[] =>
  partitions.length === 0 ? [] : [{ topic: 'orders', partitions }];

/** A coordinator and its log. */
class Bench {
  nowMs = 1000;
  readonly topics = new TestTopics({ orders: 4 });
  readonly log: GroupRecord[] = [];
  readonly answers = new Map<number, unknown>();
  readonly #policy: string;
  coordinator: GroupCoordinatorState;
  #token = 0;

  constructor(policy = 'bidirectional') {
    this.#policy = policy;
    this.coordinator = this.#start();
  }

  #start(): GroupCoordinatorState {
    return new GroupCoordinatorState({
      config: groupConfig.parse({
        'group.initial.rebalance.delay.ms': '0',
        'group.consumer.migration.policy': this.#policy,
      }),
      random: new SeededRandom(1),
      wallMs: () => this.nowMs,
      topics: this.topics.view,
    });
  }

  /** Everything is lost but the log. */
  failOver(): void {
    this.coordinator = this.#start();
    for (const [offset, record] of this.log.entries()) this.coordinator.replay(offset, record);
    this.log.push(...this.coordinator.loaded(this.nowMs).records);
  }

  ask<N extends GroupRequestName>(
    name: N,
    request: GroupRequests[N]['request'],
  ): GroupRequests[N]['response'] {
    const token = ++this.#token;
    this.#keep(this.coordinator.step(name, token, request, this.nowMs));
    return this.answers.get(token) as GroupRequests[N]['response'];
  }

  #keep({ records, answers }: ReturnType<GroupCoordinatorState['tick']>): void {
    this.log.push(...records);
    for (const { token, response } of answers) this.answers.set(token, response);
  }

  pass(ms: number): void {
    this.nowMs += ms;
    while (this.coordinator.nextTickMs() <= this.nowMs) this.#keep(this.coordinator.tick(this.nowMs));
  }

  join(
    memberId: string,
    owned: readonly NamedPartitions[] = [],
    requiresKnownMemberId = false,
  ): JoinGroupResponse {
    return this.ask('joinGroup', {
      ...caller,
      memberId,
      groupInstanceId: undefined,
      sessionTimeoutMs: 30_000,
      rebalanceTimeoutMs: 60_000,
      protocolType: 'consumer',
      protocols: [{ name: 'cooperative-sticky', metadata: encodeSubscriptionOf(['orders'], owned) }],
      requiresKnownMemberId,
      reason: '',
    });
  }

  sync(
    { memberId, generationId }: JoinGroupResponse,
    assignments: readonly { memberId: string; assignment: Buffer }[] = [],
  ): SyncGroupResponse {
    const claim = { ...caller, memberId, generationId, groupInstanceId: undefined };
    return this.ask('syncGroup', { ...claim, protocolType: undefined, protocolName: undefined, assignments });
  }

  beat({ memberId, generationId }: JoinGroupResponse): string | undefined {
    return this.ask('heartbeat', { ...caller, memberId, generationId, groupInstanceId: undefined }).failure
      ?.code;
  }

  /** @returns why not, for the request or for its only offset. */
  commit({ memberId, generationId }: JoinGroupResponse): (string | undefined)[] {
    const { failure, offsets } = this.ask('offsetCommit', {
      ...caller,
      memberId,
      generationIdOrMemberEpoch: generationId,
      groupInstanceId: undefined,
      offsets: [{ topic: 'orders', partition: 3, offset: 7, leaderEpoch: -1, metadata: '' }],
    });
    return failure === undefined ? offsets.map((one) => one.failure?.code) : [failure.code];
  }

  consumer(epoch: number, more: Heartbeat = {}): ConsumerGroupHeartbeatResponse {
    return this.ask('consumerGroupHeartbeat', heartbeatOf('new', epoch, more));
  }

  /** A classic group of one member that holds all four partitions. */
  classicGroup(): JoinGroupResponse {
    const joined = this.join('');
    const assignment = encodeAssignmentOf(orders(0, 1, 2, 3));
    this.sync(joined, [{ memberId: joined.memberId, assignment }]);
    expect(this.state()).toEqual(['classic', 'Stable']);
    return joined;
  }

  state(): readonly string[] {
    const { type, state } = this.coordinator.describeGroup('g');
    return [type, state];
  }
}

test('a classic group goes on inside a consumer group, gives up its part, and comes back when it is alone', () => {
  const bench = new Bench();
  let old = bench.classicGroup();
  expect(bench.consumer(0)).toMatchObject({ assignment: [] });
  expect(bench.state()).toEqual(['consumer', 'Reconciling']);
  bench.failOver();
  expect(bench.state()).toEqual(['consumer', 'Reconciling']);

  expect(bench.beat(old)).toBe('REBALANCE_IN_PROGRESS');
  old = bench.join(old.memberId, orders(0, 1, 2, 3));
  expect(decodeAssignmentOf(bench.sync(old).assignment)).toEqual(orders(0, 1));
  expect(bench.consumer(2, { topicPartitions: [] }).assignment).toBeUndefined();
  old = bench.join(old.memberId, orders(0, 1));
  expect(decodeAssignmentOf(bench.sync(old).assignment)).toEqual(orders(0, 1));
  expect(bench.beat(old)).toBeUndefined();
  const partitions = [{ topicId: topicIdOf('orders'), partitions: [2, 3] }];
  expect(bench.consumer(2, { topicPartitions: [] }).assignment).toEqual(partitions);
  expect(bench.state()).toEqual(['consumer', 'Stable']);
  expect(bench.coordinator.describeGroup('g').members.map(({ type }) => type)).toEqual([
    'classic',
    'consumer',
  ]);

  bench.consumer(-1);
  expect(bench.state()).toEqual(['classic', 'PreparingRebalance']);
  const kinds = bench.coordinator.explainGroup('g').events.map(({ kind }) => kind);
  expect(kinds.slice(-4)).toEqual(['left', 'rebalance-started', 'converted', 'rebalance-started']);
  bench.failOver();
  expect(bench.state()[0]).toBe('classic');
  const again = bench.join(old.memberId, orders(0, 1));
  expect(again.generationId ?? 0).toBeGreaterThan(old.generationId);
  bench.sync(again, [{ memberId: old.memberId, assignment: encodeAssignmentOf(orders(0, 1, 2, 3)) }]);
  expect(bench.state()).toEqual(['classic', 'Stable']);
});

test('who is left in the classic protocol keeps and commits what it holds until it has joined', () => {
  const bench = new Bench();
  bench.consumer(0);
  const old = bench.join('');
  const held = (...partitions: number[]) => [{ topicId: topicIdOf('orders'), partitions }];
  bench.consumer(1, { topicPartitions: held(0, 1, 2, 3) });
  bench.consumer(1, { topicPartitions: held(0, 1) });
  const { generationId } = bench.join(old.memberId);
  const member = { ...old, generationId };
  expect(decodeAssignmentOf(bench.sync(member).assignment)).toEqual(orders(2, 3));
  bench.consumer(-1);
  expect(bench.state()).toEqual(['classic', 'PreparingRebalance']);
  expect(bench.beat(member)).toBe('REBALANCE_IN_PROGRESS');
  expect(bench.commit(member)).toEqual([undefined]);
  expect(bench.beat({ ...member, generationId: generationId - 1 })).toBe('ILLEGAL_GENERATION');
  const again = bench.join(old.memberId, orders(2, 3));
  expect(again.generationId).toBeGreaterThan(generationId);
  expect(bench.beat(member)).toBe('ILLEGAL_GENERATION');
  expect(bench.commit(member)).toEqual(['ILLEGAL_GENERATION']);
});

test('a member of the consumer protocol that was thrown out before the group moved is told to join again, and may', () => {
  const bench = new Bench();
  bench.consumer(0);
  const old = bench.join('');
  for (let i = 0; i < 2; i++) {
    bench.pass(25_000);
    bench.beat(bench.join(old.memberId));
  }
  expect(bench.state()[0]).toBe('classic');
  expect(bench.consumer(2).failure?.code).toBe('UNKNOWN_MEMBER_ID');
  expect(bench.consumer(-1).failure?.code).toBe('UNKNOWN_MEMBER_ID');
  expect(bench.state()[0]).toBe('classic');
  expect(bench.consumer(0).failure).toBeUndefined();
  expect(bench.state()[0]).toBe('consumer');
});

test('a classic member that only has its id yet keeps nobody out, and joins again with a new one', () => {
  const bench = new Bench();
  const promised = bench.join('', [], true);
  expect(promised.failure?.code).toBe('MEMBER_ID_REQUIRED');
  expect(bench.consumer(0).failure).toBeUndefined();
  expect(bench.state()[0]).toBe('consumer');
  expect(bench.join(promised.memberId, [], true).failure?.code).toBe('UNKNOWN_MEMBER_ID');
  const again = bench.join('', [], true);
  expect(again.failure?.code).toBe('MEMBER_ID_REQUIRED');
  expect(bench.join(again.memberId, [], true).failure).toBeUndefined();
});

test('who is left in the classic protocol joins again also after a failover', () => {
  const bench = new Bench();
  bench.consumer(0);
  const old = bench.join('');
  bench.consumer(-1);
  bench.failOver();
  expect(bench.beat(old)).toBe('ILLEGAL_GENERATION');
  expect(bench.join(old.memberId).generationId).toBeGreaterThan(old.generationId);
});

test('what was free for a waiting classic member is taken at its next join', () => {
  const bench = new Bench();
  bench.consumer(0);
  bench.consumer(1, { topicPartitions: [{ topicId: topicIdOf('orders'), partitions: [0, 1, 2, 3] }] });
  const old = bench.join('');
  expect(old).toMatchObject({ generationId: 2, leader: '', members: [] });
  expect(decodeAssignmentOf(bench.sync(old).assignment)).toEqual([]);
  expect(bench.beat(old)).toBeUndefined();
  bench.consumer(1, { topicPartitions: [{ topicId: topicIdOf('orders'), partitions: [0, 1] }] });
  bench.consumer(1, { topicPartitions: [{ topicId: topicIdOf('orders'), partitions: [0, 1] }] });
  expect(bench.beat(old)).toBe('REBALANCE_IN_PROGRESS');
  const again = bench.join(old.memberId);
  expect(decodeAssignmentOf(bench.sync(again).assignment)).toEqual(orders(2, 3));
  expect(bench.beat(again)).toBeUndefined();
});

test('joins that wait in the classic group are answered when it moves', () => {
  const bench = new Bench();
  const old = bench.classicGroup();
  const token = 3;
  bench.join('', []);
  expect(bench.answers.has(token)).toBe(false);
  bench.consumer(0);
  expect(bench.answers.get(token)).toMatchObject({ failure: { code: 'REBALANCE_IN_PROGRESS' } });
  expect(bench.coordinator.describeGroup('g').members.map(({ memberId }) => memberId)).toEqual([
    old.memberId,
    'new',
  ]);
});

test('a classic member keeps what it holds when the group moves after a round that nobody assigned', () => {
  const bench = new Bench();
  const old = bench.classicGroup();
  bench.join('');
  bench.join(old.memberId, orders(0, 1, 2, 3));
  expect(bench.state()).toEqual(['classic', 'CompletingRebalance']);
  bench.join('');
  expect(bench.state()).toEqual(['classic', 'PreparingRebalance']);
  expect(bench.consumer(0)).toMatchObject({ assignment: [] });
  const again = bench.join(old.memberId, orders(0, 1, 2, 3));
  expect(decodeAssignmentOf(bench.sync(again).assignment)).not.toEqual([]);
});

test('what a classic member has yet to give up is its own while the group goes to its protocol and back', () => {
  const bench = new Bench();
  const old = bench.classicGroup();
  bench.consumer(0);
  const again = bench.join(old.memberId, orders(0, 1, 2, 3));
  const kept = decodeAssignmentOf(bench.sync(again).assignment);
  expect(kept?.flatMap(({ partitions }) => partitions)).toHaveLength(2);
  bench.consumer(-1);
  expect(bench.state()).toEqual(['classic', 'PreparingRebalance']);
  expect(bench.consumer(0).assignment).toEqual([]);
});

test('a refused heartbeat leaves the classic group as it was', () => {
  const bench = new Bench();
  const old = bench.classicGroup();
  const before = bench.log.length;
  expect(bench.consumer(0, { subscribedTopicRegex: '[' }).failure?.code).toBe('INVALID_REGULAR_EXPRESSION');
  expect(bench.consumer(3).failure?.code).toBeDefined();
  expect(bench.log.length).toBe(before);
  expect(bench.beat(old)).toBeUndefined();
  expect(bench.state()).toEqual(['classic', 'Stable']);
});

test.each(['disabled', 'downgrade'])(
  'policy %s keeps the consumer protocol out of a classic group in use',
  (policy) => {
    const bench = new Bench(policy);
    bench.classicGroup();
    expect(bench.consumer(0).failure?.code).toBe('GROUP_ID_NOT_FOUND');
    expect(bench.state()).toEqual(['classic', 'Stable']);
  },
);

test('policy upgrade does not lead back', () => {
  const bench = new Bench('upgrade');
  const old = bench.classicGroup();
  bench.consumer(0);
  bench.consumer(-1);
  expect(bench.state()).toEqual(['consumer', 'Reconciling']);
  expect(bench.beat(old)).toBe('REBALANCE_IN_PROGRESS');
});

test('a classic member that is silent, or does not join or sync in time, is out', () => {
  const bench = new Bench('upgrade');
  const old = bench.classicGroup();
  bench.consumer(0);
  bench.pass(25_000);
  expect(bench.beat(old)).toBe('REBALANCE_IN_PROGRESS');
  bench.pass(25_000);
  expect(bench.beat(old)).toBe('REBALANCE_IN_PROGRESS');
  bench.pass(25_000);
  bench.beat(old);
  bench.pass(25_000);
  expect(bench.beat(old)).toBe('UNKNOWN_MEMBER_ID');
  const causes = bench.coordinator.explainGroup('g').events.map(({ cause }) => cause);
  expect(causes).toContain('did not join again within 60.0 s (rebalance timeout)');
});

test('odd requests of classic members are refused without a trace', () => {
  const bench = new Bench();
  const old = { ...bench.classicGroup(), generationId: 99 };
  bench.consumer(0);
  const before = bench.log.length;
  expect(bench.beat(old)).toBe('ILLEGAL_GENERATION');
  expect(bench.sync(old).failure?.code).toBe('ILLEGAL_GENERATION');
  expect(bench.beat({ ...old, memberId: 'nobody' })).toBe('UNKNOWN_MEMBER_ID');
  expect(bench.beat({ ...old, memberId: 'new', generationId: 2 })).toBe('UNKNOWN_MEMBER_ID');
  expect(bench.join('nobody').failure?.code).toBe('UNKNOWN_MEMBER_ID');
  const leave = bench.ask('leaveGroup', {
    ...caller,
    members: [{ memberId: 'new', groupInstanceId: undefined, reason: '' }],
  });
  expect(leave.members[0]!.failure?.code).toBe('UNKNOWN_MEMBER_ID');
  expect(bench.log.length).toBe(before);
});
