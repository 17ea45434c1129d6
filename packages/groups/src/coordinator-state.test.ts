import { describe, expect, test } from 'vitest';
import { encodeAssignmentOf, encodeSubscriptionOf } from './consumer-protocol.ts';
import type { OffsetCommitRequest } from './group-api.ts';
import type { GroupConfig } from './group-config.ts';
import type { GroupAnswer, GroupRequestName, GroupRequests } from './group-coordinator.ts';
import { TestCoordinator } from './testing/test-coordinator.ts';
import { TestTopics, topicIdOf } from './testing/topics.ts';

const caller = { clientId: 'c', clientHost: '/h' };

/** A coordinator of which every request is answered at once, or says how often it had to be ticked. */
class Asked {
  readonly topics = new TestTopics({ orders: 4, wide: 50_000 });
  readonly answers = new Map<number, GroupAnswer['response']>();
  readonly coordinator: TestCoordinator;
  largestBatch = 0;
  #token = 0;

  constructor(config: Partial<GroupConfig> = {}) {
    this.coordinator = new TestCoordinator(this.topics.view, config, {
      answer: ({ token, response }) => this.answers.set(token, response),
      records: (records) => {
        this.largestBatch = Math.max(this.largestBatch, records.length);
      },
    });
  }

  ask<N extends GroupRequestName>(
    name: N,
    request: GroupRequests[N]['request'],
  ): GroupRequests[N]['response'] | undefined {
    const token = ++this.#token;
    this.coordinator.step(name, token, request);
    return this.answers.get(token) as GroupRequests[N]['response'] | undefined;
  }

  join(groupId: string, more: Partial<GroupRequests['joinGroup']['request']> = {}) {
    return this.ask('joinGroup', {
      ...caller,
      groupId,
      memberId: '',
      groupInstanceId: undefined,
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 10_000,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: encodeSubscriptionOf(['orders']) }],
      requiresKnownMemberId: false,
      reason: '',
      ...more,
    })!;
  }

  commit(
    groupId: string,
    offsets: readonly {
      topic: string;
      topicId?: string;
      partition: number;
      offset?: number;
      metadata?: string;
    }[],
    { retentionTimeMs, sequence }: Pick<OffsetCommitRequest, 'retentionTimeMs' | 'sequence'> = {},
  ) {
    return this.ask('offsetCommit', {
      ...caller,
      groupId,
      memberId: '',
      groupInstanceId: undefined,
      generationIdOrMemberEpoch: -1,
      retentionTimeMs,
      sequence,
      offsets: offsets.map((one) => ({ offset: 1, leaderEpoch: -1, metadata: '', ...one })),
    })!;
  }

  consumerHeartbeat(groupId: string, memberEpoch: number, memberId = 'm', awaitsMemberId?: boolean) {
    return this.ask('consumerGroupHeartbeat', {
      ...caller,
      groupId,
      memberId,
      awaitsMemberId,
      memberEpoch,
      groupInstanceId: undefined,
      rackId: undefined,
      rebalanceTimeoutMs: memberEpoch === 0 ? 10_000 : undefined,
      subscribedTopicNames: memberEpoch === 0 ? ['orders'] : undefined,
      subscribedTopicRegex: undefined,
      serverAssignor: undefined,
      topicPartitions: memberEpoch === 0 ? [] : undefined,
      reason: '',
    })!;
  }

  fetched(groupId: string): number {
    const request = { groupId, memberId: '', memberEpoch: -1, partitions: undefined };
    return this.coordinator.machine.fetchOffsets(request).offsets.length;
  }
}

const wide = (count: number) =>
  Array.from({ length: count }, (_, partition) => ({ topic: 'wide', partition }));
const now = { 'group.initial.rebalance.delay.ms': 0 };

describe('names', () => {
  test.each([
    ['the empty one', '', 'INVALID_GROUP_ID'],
    ['half of a surrogate pair', 'a\ud800b', 'INVALID_GROUP_ID'],
    ['32,768 bytes', 'ä'.repeat(16_384), 'INVALID_GROUP_ID'],
  ])('%s is no group', (_what, groupId, code) => {
    const asked = new Asked();
    const claim = { ...caller, groupId, memberId: 'm', groupInstanceId: undefined, generationId: 1 };
    const failures = [
      asked.join(groupId),
      asked.ask('heartbeat', claim),
      asked.ask('syncGroup', { ...claim, protocolType: undefined, protocolName: undefined, assignments: [] }),
      asked.ask('leaveGroup', { ...caller, groupId, members: [] }),
      asked.commit(groupId, [{ topic: 'orders', partition: 0 }]),
      asked.consumerHeartbeat(groupId, 0),
      asked.ask('offsetDelete', { groupId, partitions: [] }),
      asked.ask('deleteGroup', { groupId }),
      asked.coordinator.machine.fetchOffsets({ groupId, memberId: '', memberEpoch: -1, partitions: [] }),
    ].map((answer) => answer?.failure?.code);
    expect(failures).toEqual(failures.map(() => code));
    expect(asked.coordinator.machine.size.groups).toBe(0);
  });

  test.each([
    ' ',
    '.',
    '..',
    '../../etc',
    'a/b',
    '\0',
    '\n',
    '💥',
    '__proto__',
    'constructor',
    'ä'.repeat(16_383),
  ])('%j is a group like any other, and survives a failover', (groupId) => {
    const asked = new Asked();
    expect(asked.commit(groupId, [{ topic: 'orders', partition: 0 }]).offsets[0]!.failure).toBeUndefined();
    asked.coordinator.failOver();
    expect(asked.fetched(groupId)).toBe(1);
  });

  test('names of members and protocols that the log cannot hold are refused', () => {
    const asked = new Asked();
    const long = 'x'.repeat(33_000);
    const metadata = encodeSubscriptionOf(['orders']);
    for (const more of [
      { clientId: long },
      { groupInstanceId: long },
      { groupInstanceId: '' },
      { clientHost: '\udfff' },
      { protocols: [{ name: long, metadata }] },
      {
        protocols: [
          { name: 'a', metadata },
          { name: 'a', metadata },
        ],
      },
      { protocols: Array.from({ length: 65 }, (_, index) => ({ name: `p${index}`, metadata })) },
    ])
      expect(asked.join('g', more).failure?.code).toBe('INVALID_REQUEST');
    expect(asked.coordinator.logLength).toBe(0);
  });
});

describe('sizes', () => {
  test('a commit of more offsets than fit one batch is refused whole', () => {
    const asked = new Asked();
    expect(asked.commit('g', wide(20_000)).failure?.code).toBe('INVALID_COMMIT_OFFSET_SIZE');
    expect(asked.fetched('g')).toBe(0);
    expect(asked.coordinator.machine.size.groups).toBe(0);
    expect(asked.commit('g', wide(5000)).failure).toBeUndefined();
  });

  test('a subscription that fits no batch is refused, and so are assignments that together do not', () => {
    const asked = new Asked(now);
    const huge = [{ name: 'range', metadata: Buffer.alloc(1_000_000) }];
    expect(asked.join('g', { protocols: huge }).failure?.code).toBe('MESSAGE_TOO_LARGE');
    const { memberId, generationId } = asked.join('g');
    const claim = { ...caller, groupId: 'g', memberId, groupInstanceId: undefined, generationId };
    const sync = { ...claim, protocolType: undefined, protocolName: undefined };
    const assignments = [{ memberId, assignment: Buffer.alloc(1_000_000) }];
    expect(asked.ask('syncGroup', { ...sync, assignments })!.failure?.code).toBe('MESSAGE_TOO_LARGE');
    expect(asked.coordinator.machine.describeGroup('g').state).toBe('PreparingRebalance');
    expect(asked.coordinator.logLength).toBe(0);
  });

  test('a group with more offsets than fit one batch is deleted in parts, and answered after the last', () => {
    const asked = new Asked({ 'offsets.batch.max.bytes': 20_000 });
    for (let part = 0; part < 20; part++) asked.commit('g', wide(2000).slice(part * 100, part * 100 + 100));
    expect(asked.fetched('g')).toBe(2000);
    expect(asked.ask('deleteGroup', { groupId: 'g' })).toBeUndefined();
    asked.coordinator.pass(1);
    expect([...asked.answers.values()].at(-1)).toEqual({ groupId: 'g', failure: undefined });
    expect(asked.largestBatch).toBeLessThan(300);
    expect(asked.coordinator.machine.size).toEqual({ groups: 0, members: 0, offsets: 0 });
    asked.coordinator.failOver();
    expect(asked.coordinator.machine.size).toEqual({ groups: 0, members: 0, offsets: 0 });
  });

  test('offsets of a deleted topic go in parts, but not those that were committed anew meanwhile', () => {
    const asked = new Asked({ 'offsets.batch.max.bytes': 20_000 });
    for (let part = 0; part < 20; part++) asked.commit('g', wide(2000).slice(part * 100, part * 100 + 100));
    asked.topics.set({ orders: 4 });
    asked.coordinator.changeTopics(asked.topics.view);
    expect(asked.fetched('g')).toBeGreaterThan(1000);
    asked.topics.set({ orders: 4, wide: 50_000 });
    asked.coordinator.changeTopics(asked.topics.view);
    asked.commit('g', [{ topic: 'wide', partition: 1999 }]);
    asked.coordinator.pass(1);
    expect(asked.fetched('g')).toBe(1);
    expect(asked.largestBatch).toBeLessThan(300);
  });

  describe('of a topic that was deleted and created again', () => {
    const orders = [{ topic: 'orders', partition: 0 }];

    test('are not read for the new one, and go, if both came in one update of metadata', () => {
      const asked = new Asked();
      asked.commit('g', orders);
      asked.topics.recreate('orders');
      asked.coordinator.changeTopics(asked.topics.view);
      expect(asked.fetched('g')).toBe(0);
      expect(asked.coordinator.machine.size.offsets).toBe(0);
    });

    test('are not read for the new one, and go, if no coordinator was there to see it', () => {
      const asked = new Asked();
      asked.commit('g', orders);
      asked.commit('other', orders);
      asked.topics.recreate('orders');
      asked.coordinator.failOver(asked.topics.view);
      expect([asked.fetched('g'), asked.fetched('other')]).toEqual([0, 0]);
      asked.coordinator.pass(1);
      expect(asked.coordinator.machine.size.offsets).toBe(0);
    });

    test('are not read for the new one while there are more to remove than fit a batch', () => {
      const asked = new Asked({ 'offsets.batch.max.bytes': 20_000 });
      for (let part = 0; part < 20; part++) asked.commit('g', wide(2000).slice(part * 100, part * 100 + 100));
      asked.topics.recreate('wide');
      asked.coordinator.changeTopics(asked.topics.view);
      expect(asked.coordinator.machine.size.offsets).toBeGreaterThan(1000);
      const partitions = wide(2000);
      const request = { groupId: 'g', memberId: '', memberEpoch: -1, partitions };
      const { offsets } = asked.coordinator.machine.fetchOffsets(request);
      expect(offsets.filter(({ offset }) => offset !== -1)).toEqual([]);
    });

    test('are not taken from who read the old one, and are from who read the new one', () => {
      const asked = new Asked();
      const before = topicIdOf('orders');
      asked.topics.recreate('orders');
      asked.coordinator.changeTopics(asked.topics.view);
      const late = asked.commit('g', [{ topic: 'orders', topicId: before, partition: 0 }]);
      expect(late.offsets[0]!.failure?.code).toBe('UNKNOWN_TOPIC_ID');
      expect(asked.fetched('g')).toBe(0);
      const { topicId } = asked.topics.view.byName('orders')!;
      const own = asked.commit('g', [{ topic: 'orders', topicId, partition: 0 }]);
      expect(own.offsets[0]!.failure).toBeUndefined();
      asked.coordinator.failOver();
      expect(asked.fetched('g')).toBe(1);
    });
  });

  test('are kept as long as the commit says, also after a failover', () => {
    const asked = new Asked({ 'offsets.retention.check.interval.ms': 10_000 });
    asked.commit('g', [{ topic: 'orders', partition: 0 }], { retentionTimeMs: 60_000 });
    asked.commit('g', [{ topic: 'orders', partition: 1 }], { retentionTimeMs: Number.MAX_SAFE_INTEGER });
    asked.commit('g', [{ topic: 'orders', partition: 2 }], { retentionTimeMs: -1 });
    asked.coordinator.failOver();
    asked.coordinator.pass(40_000);
    expect(asked.fetched('g')).toBe(3);
    asked.coordinator.pass(40_000);
    expect(asked.fetched('g')).toBe(2);
  });

  test('that a newer one of the same sender has overtaken are refused, partition by partition', () => {
    const asked = new Asked();
    const commit = (number: number, senderId: string, ...partitions: number[]) =>
      asked
        .commit(
          'g',
          partitions.map((partition) => ({ topic: 'orders', partition, offset: number })),
          { sequence: { senderId, number } },
        )
        .offsets.map(({ failure }) => failure?.code);
    expect(commit(3, 'a', 0)).toEqual([undefined]);
    expect(commit(2, 'a', 0, 1)).toEqual(['OUT_OF_ORDER_SEQUENCE_NUMBER', undefined]);
    expect(commit(1, 'b', 0)).toEqual([undefined]);
    expect(commit(4, 'a', 0, 1)).toEqual([undefined, undefined]);
    asked.commit('g', [{ topic: 'orders', partition: 1, offset: 9 }]);
    const request = { groupId: 'g', memberId: '', memberEpoch: -1, partitions: undefined };
    const { offsets } = asked.coordinator.machine.fetchOffsets(request);
    expect(offsets.map(({ offset }) => offset)).toEqual([4, 9]);
  });

  test('are taken as far as they name a place or none at all, and shown as they were committed', () => {
    const asked = new Asked();
    const offsets = [-2, -1, 0, Number.MAX_SAFE_INTEGER];
    const given = offsets.map((offset, partition) => ({ topic: 'orders', partition, offset }));
    const odd = [-3, 0.5, 2 ** 53].map((offset) => ({ topic: 'orders', partition: 0, offset }));
    const taken = asked.commit('g', given).offsets;
    expect(taken.map(({ failure }) => failure)).toEqual(offsets.map(() => undefined));
    const refused = asked.commit('g', odd).offsets;
    expect(refused.map(({ failure }) => failure?.code)).toEqual(odd.map(() => 'INVALID_REQUEST'));
    asked.coordinator.failOver();
    const request = { groupId: 'g', memberId: '', memberEpoch: -1, partitions: undefined };
    const shown = asked.coordinator.machine.fetchOffsets(request).offsets;
    expect(shown.map(({ offset }) => offset)).toEqual(offsets);
  });

  test('are deleted where somebody committed them, and an unknown topic is said to be unknown', () => {
    const asked = new Asked();
    asked.commit('g', [{ topic: 'orders', partition: 0 }]);
    const partitions = ['orders', 'nosuch'].map((topic) => ({ topic, partition: 0 }));
    const { offsets } = asked.ask('offsetDelete', { groupId: 'g', partitions })!;
    expect(offsets.map(({ failure }) => failure?.code)).toEqual([undefined, 'UNKNOWN_TOPIC_OR_PARTITION']);
    expect(asked.fetched('g')).toBe(0);
  });

  test('ids that are given out and never used are forgotten, the oldest first', () => {
    const asked = new Asked(now);
    const first = asked.join('g', { requiresKnownMemberId: true });
    expect(first.failure?.code).toBe('MEMBER_ID_REQUIRED');
    for (let count = 0; count < 1000; count++) asked.join('g', { requiresKnownMemberId: true });
    expect(asked.join('g', { memberId: first.memberId }).failure?.code).toBe('UNKNOWN_MEMBER_ID');
    asked.coordinator.pass(10_000);
    expect(asked.coordinator.machine.size.groups).toBe(0);
    expect(asked.coordinator.machine.nextTickMs()).toBeGreaterThan(asked.coordinator.nowMs);
  });
});

describe('kinds of groups', () => {
  test('an empty classic group becomes a consumer group and back, and keeps its offsets through failovers', () => {
    const asked = new Asked(now);
    const { memberId } = asked.join('g');
    const leave = {
      ...caller,
      groupId: 'g',
      members: [{ memberId, groupInstanceId: undefined, reason: '' }],
    };
    asked.commit('g', []);
    asked.ask('leaveGroup', leave);
    asked.commit('g', [{ topic: 'orders', partition: 2 }]);
    expect(asked.consumerHeartbeat('g', 0)).toMatchObject({ memberEpoch: 1 });
    asked.coordinator.failOver();
    expect(asked.coordinator.machine.describeGroup('g')).toMatchObject({ type: 'consumer', state: 'Stable' });
    expect(asked.fetched('g')).toBe(1);
    expect(asked.consumerHeartbeat('g', -1).failure).toBeUndefined();
    expect(asked.join('g')).toMatchObject({ generationId: 1 });
    asked.coordinator.failOver();
    expect(asked.coordinator.machine.describeGroup('g').type).toBe('classic');
    expect(asked.fetched('g')).toBe(1);
  });

  test('a member of the consumer protocol is given an id only where it joins and awaits one', () => {
    const asked = new Asked();
    expect(asked.consumerHeartbeat('g', 0, '').failure?.code).toBe('INVALID_REQUEST');
    expect(asked.consumerHeartbeat('g', 1, '', true).failure?.code).toBe('INVALID_REQUEST');
    const [first, second] = [
      asked.consumerHeartbeat('g', 0, '', true),
      asked.consumerHeartbeat('g', 0, '', true),
    ];
    expect(first).toMatchObject({ memberId: expect.stringMatching(/^[\w-]{22}$/), memberEpoch: 1 });
    expect(second.memberId).not.toBe(first.memberId);
    expect(asked.consumerHeartbeat('g', 1, first.memberId, true).memberId).toBe(first.memberId);
    expect(asked.coordinator.machine.size.members).toBe(2);
  });

  test('a refused heartbeat leaves no group behind, and a classic one as it was', () => {
    const asked = new Asked(now);
    expect(asked.consumerHeartbeat('g', 5).failure?.code).toBe('UNKNOWN_MEMBER_ID');
    expect(asked.coordinator.machine.size.groups).toBe(0);
    asked.commit('g', [{ topic: 'orders', partition: 0 }]);
    expect(asked.consumerHeartbeat('g', 5).failure?.code).toBe('UNKNOWN_MEMBER_ID');
    expect(asked.coordinator.machine.describeGroup('g').type).toBe('classic');
  });

  test('a consumer group is fenced by member epoch, expires by silence, and is deleted whole', () => {
    const asked = new Asked();
    const { memberEpoch } = asked.consumerHeartbeat('g', 0);
    const assigned = asked.consumerHeartbeat('h', 0, 'n').assignment;
    expect(assigned).toEqual([{ topicId: topicIdOf('orders'), partitions: [0, 1, 2, 3] }]);
    expect(asked.commit('g', [{ topic: 'orders', partition: 0 }]).failure?.code).toBe('UNKNOWN_MEMBER_ID');
    const commit = {
      ...caller,
      groupId: 'g',
      memberId: 'm',
      groupInstanceId: undefined,
      offsets: [{ topic: 'orders', partition: 0, offset: 9, leaderEpoch: 1, metadata: 'x' }],
    };
    const stale = asked.ask('offsetCommit', { ...commit, generationIdOrMemberEpoch: memberEpoch + 1 });
    expect(stale!.failure?.code).toBe('STALE_MEMBER_EPOCH');
    asked.ask('offsetCommit', { ...commit, generationIdOrMemberEpoch: memberEpoch });
    expect(asked.ask('deleteGroup', { groupId: 'g' })!.failure?.code).toBe('NON_EMPTY_GROUP');
    asked.coordinator.pass(50_000);
    expect(asked.coordinator.machine.describeGroup('g').state).toBe('Empty');
    expect(asked.ask('deleteGroup', { groupId: 'g' })!.failure).toBeUndefined();
    asked.coordinator.failOver();
    expect(asked.coordinator.machine.listGroups({ states: [], types: ['CONSUMER'] })).toHaveLength(1);
    expect(asked.coordinator.machine.describeGroup('g').failure?.code).toBe('GROUP_ID_NOT_FOUND');
  });
});

test('the due of one group do not wait for thousands of others, and ticks stay small', () => {
  const asked = new Asked({ ...now, 'group.max.session.timeout.ms': 600_000 });
  for (let group = 0; group < 2000; group++) asked.join(`g${group}`, { sessionTimeoutMs: 600_000 });
  asked.join('early', { sessionTimeoutMs: 6000 });
  expect(asked.coordinator.machine.nextTickMs()).toBe(6000);
  asked.coordinator.pass(6000);
  expect(asked.coordinator.machine.describeGroup('early').state).toBe('Empty');
  expect(asked.coordinator.machine.size.members).toBe(2000);
  asked.coordinator.pass(600_000);
  expect(asked.coordinator.machine.size.members).toBe(0);
  expect(asked.largestBatch).toBeLessThanOrEqual(100);
});

test('nobody is expired for heartbeats that could not be answered', () => {
  const asked = new Asked(now);
  const { memberId, generationId } = asked.join('g');
  const sync = { ...caller, groupId: 'g', memberId, groupInstanceId: undefined, generationId };
  asked.ask('syncGroup', {
    ...sync,
    protocolType: undefined,
    protocolName: undefined,
    assignments: [{ memberId, assignment: encodeAssignmentOf([]) }],
  });
  asked.coordinator.nowMs = 60_000;
  asked.coordinator.machine.resumed(60_000);
  asked.coordinator.pass(9999);
  expect(asked.ask('heartbeat', sync)!.failure).toBeUndefined();
});
