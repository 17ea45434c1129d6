import { describe, expect, test } from 'vitest';
import { ConsumerGroup } from './consumer-group.ts';
import type { ConsumerGroupHeartbeatResponse } from './group-api.ts';
import { groupConfig } from './group-config.ts';
import { type Heartbeat, heartbeatOf, TestMember } from './testing/consumer-member.ts';
import { TestTopics, topicIdOf } from './testing/topics.ts';
import { isSubset } from './topic-partitions.ts';

const config = groupConfig.parse({ 'group.consumer.max.size': '5' });
const SESSION_MS = config['group.consumer.session.timeout.ms'];
const ORDERS = topicIdOf('orders');

class Bench {
  nowMs = 1000;
  readonly topics = new TestTopics({ orders: 4 });
  readonly group = new ConsumerGroup('g', { config, wallMs: () => this.nowMs });

  beat(memberId: string, epoch: number, more: Heartbeat = {}): ConsumerGroupHeartbeatResponse {
    return this.group.heartbeat(heartbeatOf(memberId, epoch, more), this.nowMs, this.topics.view).response;
  }

  code(memberId: string, epoch: number, more: Heartbeat = {}): string | undefined {
    const { records, response } = this.group.heartbeat(
      heartbeatOf(memberId, epoch, more),
      this.nowMs,
      this.topics.view,
    );
    if (response.failure !== undefined) expect(records).toEqual([]);
    return response.failure?.code;
  }

  join(...members: readonly TestMember[]): void {
    for (let round = 0; round < 4; round++) {
      for (const member of members) {
        member.beat(this.group, this.nowMs, this.topics.view);
        member.work();
      }
    }
    expect(this.group.listing().state).toBe('Stable');
  }

  events(kind: string): readonly string[] {
    const { events } = this.group.history.describe();
    return events.filter((event) => event.kind === kind).map(({ memberId, cause }) => `${memberId} ${cause}`);
  }
}

const owned = (...partitions: number[]): Heartbeat => ({
  topicPartitions: partitions.length === 0 ? [] : [{ topicId: ORDERS, partitions }],
});

describe('reconciliation', () => {
  test('the first member gets everything at once', () => {
    const bench = new Bench();
    expect(bench.beat('a', 0)).toEqual({
      memberId: 'a',
      memberEpoch: 1,
      heartbeatIntervalMs: 5000,
      sessionTimeoutMs: 45_000,
      assignment: [{ topicId: ORDERS, partitions: [0, 1, 2, 3] }],
    });
    expect(bench.group.listing().state).toBe('Stable');
  });

  test('a partition is given on only after its owner said that it let go', () => {
    const bench = new Bench();
    bench.beat('a', 0);
    const joined = bench.beat('b', 0);
    expect(joined).toMatchObject({ memberEpoch: 2, assignment: [], heartbeatIntervalMs: 500 });
    expect(bench.beat('a', 1, owned(0, 1, 2, 3))).toMatchObject({
      memberEpoch: 1,
      assignment: [{ topicId: ORDERS, partitions: [0, 1] }],
    });
    expect(bench.beat('b', 2, owned()).assignment).toBeUndefined();
    expect(bench.beat('a', 1, owned(0, 1, 2))).toMatchObject({ memberEpoch: 1 });
    expect(bench.beat('b', 2, owned()).assignment).toBeUndefined();
    expect(bench.beat('a', 1, owned(0, 1))).toMatchObject({ memberEpoch: 2 });
    expect(bench.beat('b', 2, owned()).assignment).toEqual([{ topicId: ORDERS, partitions: [2, 3] }]);
    expect(bench.group.listing().state).toBe('Stable');
  });

  test('partitions that do not move are never taken from their owner, whoever joins or goes', () => {
    const bench = new Bench();
    bench.topics.set({ orders: 12 });
    const members = ['a', 'b', 'c'].map((id) => new TestMember(id));
    bench.join(...members);
    const before = new Map(members.map((member) => [member, member.held]));
    const late = new TestMember('d');
    for (let round = 0; round < 4; round++) {
      for (const member of [late, ...members]) {
        member.beat(bench.group, bench.nowMs, bench.topics.view);
        member.work();
        for (const one of members) expect(one.owned[0]!.partitions.length).toBeGreaterThanOrEqual(3);
      }
    }
    for (const one of members) expect(isSubset(one.held, before.get(one)!)).toBe(true);
    expect([late, ...members].map((one) => one.owned[0]!.partitions.length)).toEqual([3, 3, 3, 3]);
  });

  test('every answer tells the assignment again until the member has it', () => {
    const bench = new Bench();
    bench.beat('a', 0);
    expect(bench.beat('a', 1).assignment).toBeDefined();
    expect(bench.beat('a', 1, owned(0)).assignment).toBeDefined();
    expect(bench.beat('a', 1, owned(0, 1, 2, 3)).assignment).toBeUndefined();
    expect(bench.beat('a', 1).assignment).toBeUndefined();
  });

  test('who gave up by itself what is then given to another is told that it lost it', () => {
    const bench = new Bench();
    bench.beat('a', 0);
    bench.beat('a', 1, owned(0, 1, 2, 3));
    bench.beat('b', 0);
    const { memberEpoch, assignment } = bench.beat('a', 1, owned(0, 1));
    expect(memberEpoch).toBe(2);
    expect(assignment).toEqual([{ topicId: ORDERS, partitions: [0, 1] }]);
  });

  test('who says everything again is told everything again', () => {
    const bench = new Bench();
    bench.beat('a', 0);
    expect(bench.beat('a', 1, owned(0, 1, 2, 3)).assignment).toBeUndefined();
    const whole = { rebalanceTimeoutMs: 60_000, subscribedTopicNames: ['orders'], ...owned(0, 1, 2, 3) };
    expect(bench.beat('a', 1, whole).assignment).toEqual([{ topicId: ORDERS, partitions: [0, 1, 2, 3] }]);
  });

  test('new partitions and new topics are given out without anybody giving up anything', () => {
    const bench = new Bench();
    const member = new TestMember('a');
    bench.join(member);
    bench.topics.set({ orders: 6 });
    expect(bench.group.topicsChanged(bench.topics.view, bench.nowMs).length).toBeGreaterThan(0);
    bench.join(member);
    expect(member.owned).toEqual([{ topicId: ORDERS, partitions: [0, 1, 2, 3, 4, 5] }]);
    expect(bench.events('topics-changed')).toEqual([' orders has 6 partitions, 4 before']);
  });

  test('a change of topics that nobody subscribes to writes nothing', () => {
    const bench = new Bench();
    bench.beat('a', 0);
    bench.topics.set({ orders: 4, others: 7 });
    expect(bench.group.topicsChanged(bench.topics.view, bench.nowMs)).toEqual([]);
  });

  test('a heartbeat that changes nothing writes nothing', () => {
    const bench = new Bench();
    bench.beat('a', 0);
    bench.beat('a', 1, owned(0, 1, 2, 3));
    expect(bench.group.heartbeat(heartbeatOf('a', 1), bench.nowMs, bench.topics.view).records).toEqual([]);
  });
});

describe('epochs', () => {
  test('a member nobody knows, and one with an epoch of another time, are told so', () => {
    const bench = new Bench();
    expect(bench.code('a', 3)).toBe('UNKNOWN_MEMBER_ID');
    expect(bench.code('a', -1)).toBe('UNKNOWN_MEMBER_ID');
    bench.beat('a', 0);
    expect(bench.code('a', 2)).toBe('FENCED_MEMBER_EPOCH');
    bench.beat('b', 0);
    bench.beat('a', 1, owned(0, 1));
    bench.beat('c', 0);
    expect(bench.code('a', 2, owned(0, 1))).toBeUndefined();
  });

  test('the epoch before is taken while it explains a lost answer', () => {
    const bench = new Bench();
    bench.beat('a', 0);
    bench.beat('b', 0);
    expect(bench.beat('a', 1, owned(0, 1)).memberEpoch).toBe(2);
    expect(bench.code('a', 1)).toBe('FENCED_MEMBER_EPOCH');
    expect(bench.code('a', 1, owned(0, 1, 2))).toBe('FENCED_MEMBER_EPOCH');
    expect(bench.beat('a', 1, owned(0, 1))).toMatchObject({ memberEpoch: 2 });
  });

  test('a lost answer to a join is made up for by joining again', () => {
    const bench = new Bench();
    bench.beat('a', 0);
    expect(bench.beat('a', 0)).toMatchObject({ memberEpoch: 1, assignment: [{ topicId: ORDERS }] });
    expect(bench.events('rejoined').length).toBe(1);
  });

  test('commits and fetches are fenced by member and epoch', () => {
    const { group, ...bench } = new Bench();
    expect(group.checkCommit('', undefined, -1)).toBeUndefined();
    group.heartbeat(heartbeatOf('a', 0, { groupInstanceId: 'i' }), bench.nowMs, bench.topics.view);
    expect(group.checkCommit('a', undefined, 1)).toBeUndefined();
    expect(group.checkCommit('a', 'i', 1)).toBeUndefined();
    expect(group.checkCommit('a', undefined, 0)?.code).toBe('STALE_MEMBER_EPOCH');
    expect(group.checkCommit('', undefined, -1)?.code).toBe('UNKNOWN_MEMBER_ID');
    expect(group.checkCommit('b', 'i', 1)?.code).toBe('FENCED_INSTANCE_ID');
    expect(group.checkFetch('', -1)).toBeUndefined();
    expect(group.checkFetch('a', 1)).toBeUndefined();
    expect(group.checkFetch('a', 2)?.code).toBe('STALE_MEMBER_EPOCH');
    expect(group.checkFetch('b', 2)?.code).toBe('UNKNOWN_MEMBER_ID');
  });
});

describe('leaving and expiry', () => {
  test('what a leaver had goes to the others at their next heartbeat', () => {
    const bench = new Bench();
    const [a, b] = [new TestMember('a'), new TestMember('b')];
    bench.join(a, b);
    expect(bench.beat('b', -1, { reason: 'deploy' })).toMatchObject({
      memberEpoch: -1,
      assignment: undefined,
    });
    bench.join(a);
    expect(a.owned).toEqual([{ topicId: ORDERS, partitions: [0, 1, 2, 3] }]);
    expect(bench.events('left')).toEqual(['b left: deploy']);
  });

  test('a leaver may say that it has no time, no topics and no partitions', () => {
    const bench = new Bench();
    bench.beat('a', 0);
    const nothing = { rebalanceTimeoutMs: 0, subscribedTopicNames: [], topicPartitions: [] };
    expect(bench.code('a', 1, nothing)).toBe('INVALID_REQUEST');
    expect(bench.code('a', -1, nothing)).toBeUndefined();
    expect(bench.group.isEmpty).toBe(true);
  });

  test('a reason that says no more than that the member left is left out', () => {
    const bench = new Bench();
    const [a, b] = [new TestMember('a'), new TestMember('b')];
    bench.join(a, b);
    bench.beat('b', -1, { reason: 'left' });
    expect(bench.events('left')).toEqual(['b left']);
  });

  test('a silent member is expired, and the history tells how long it was silent', () => {
    const bench = new Bench();
    bench.beat('a', 0);
    bench.nowMs += SESSION_MS - 1;
    expect(bench.group.tick(bench.nowMs, bench.topics.view)).toEqual([]);
    expect(bench.group.nextTickMs()).toBe(bench.nowMs + 1);
    bench.nowMs += 1;
    bench.group.tick(bench.nowMs, bench.topics.view);
    expect(bench.group.isEmpty).toBe(true);
    expect(bench.group.nextTickMs()).toBe(Number.POSITIVE_INFINITY);
    expect(bench.events('expired')).toEqual(['a missed 9 heartbeats in 45.0 s of silence (session timeout)']);
    expect(bench.code('a', 1)).toBe('UNKNOWN_MEMBER_ID');
  });

  test('a member that does not give up its partitions in time is fenced, with what it said of itself', () => {
    const bench = new Bench();
    bench.beat('a', 0, { rebalanceTimeoutMs: 10_000 });
    bench.beat('b', 0);
    bench.beat('a', 1, owned(0, 1, 2, 3));
    bench.nowMs += 9999;
    bench.beat('a', 1, { ...owned(0, 1, 2, 3), reason: 'handler busy with orders-3@1042' });
    bench.group.tick(bench.nowMs, bench.topics.view);
    expect(bench.group.memberCount).toBe(2);
    bench.nowMs += 1;
    bench.group.tick(bench.nowMs, bench.topics.view);
    expect(bench.events('fenced')).toEqual([
      'a did not give up 2 partitions within 10.0 s (rebalance timeout); it last said: handler busy with orders-3@1042',
    ]);
    expect(bench.beat('b', 2, owned()).assignment).toEqual([{ topicId: ORDERS, partitions: [0, 1, 2, 3] }]);
  });

  test('a new coordinator, and one whose log stood still, give everybody a full session', () => {
    const bench = new Bench();
    bench.beat('a', 0);
    bench.nowMs += SESSION_MS;
    bench.group.resumed(bench.nowMs);
    expect(bench.group.tick(bench.nowMs, bench.topics.view)).toEqual([]);
    const next = new ConsumerGroup('g', { config, wallMs: () => 0 });
    next.apply({
      kind: 'member-subscription',
      groupId: 'g',
      memberId: 'a',
      value: {
        groupInstanceId: undefined,
        rackId: undefined,
        clientId: '',
        clientHost: '',
        subscribedTopicNames: ['orders'],
        subscribedTopicRegex: undefined,
        rebalanceTimeoutMs: 1,
        serverAssignor: undefined,
        classic: undefined,
      },
    });
    next.loaded(500);
    expect(next.nextTickMs()).toBe(500 + SESSION_MS);
  });
});

describe('static members', () => {
  const instance = { groupInstanceId: 'i' };

  test('one that left for a while returns under another id to the same partitions', () => {
    const bench = new Bench();
    const other = new TestMember('b');
    const first = new TestMember('a', { ...heartbeatOf('a', 0), ...instance });
    bench.join(first, other);
    const had = first.owned;
    expect(bench.beat('a', -2, instance)).toMatchObject({ memberEpoch: -2 });
    expect(bench.code('a', 2, instance)).toBe('FENCED_MEMBER_EPOCH');
    bench.nowMs += 1500;
    expect(bench.beat('a2', 0, instance)).toMatchObject({ memberEpoch: 2, assignment: had });
    expect(bench.group.memberCount).toBe(2);
    expect(bench.code('a', 2, instance)).toBe('FENCED_INSTANCE_ID');
    expect(bench.code('a', 2)).toBe('UNKNOWN_MEMBER_ID');
    expect(bench.events('replaced')).toEqual(['a2 takes the place of a, away for 1.5 s']);
    expect(bench.beat('b', 2, { topicPartitions: other.owned }).memberEpoch).toBe(2);
  });

  test('whoever asks for an instance id in use is told of in the history, once until the holder changes', () => {
    const bench = new Bench();
    bench.beat('a', 0, instance);
    bench.nowMs += 3000;
    for (const other of ['b', 'b', 'c', 'b']) bench.code(other, 0, instance);
    expect(bench.events('refused')).toEqual([
      'b instance i is member a, last heard 3.0 s ago; it has to leave or expire first',
    ]);
    bench.beat('a', -1, instance);
    bench.beat('b', 0, instance);
    for (let again = 0; again < 2; again++) bench.code('c', 0, instance);
    expect(bench.events('refused')).toHaveLength(2);
  });

  test('an instance id in use is not given away, and nobody leaves for a while without one', () => {
    const bench = new Bench();
    bench.beat('a', 0, instance);
    expect(bench.code('a2', 0, instance)).toBe('UNRELEASED_INSTANCE_ID');
    expect(bench.code('a2', 1, instance)).toBe('FENCED_INSTANCE_ID');
    expect(bench.code('a', 1, { groupInstanceId: 'other' })).toBe('UNKNOWN_MEMBER_ID');
    expect(bench.code('a', -2)).toBe('INVALID_REQUEST');
    bench.beat('b', 0);
    bench.beat('a', -2, instance);
    expect(bench.code('b', 0, instance)).toBe('INVALID_REQUEST');
  });

  test('one that does not return is expired after a session', () => {
    const bench = new Bench();
    bench.beat('a', 0, instance);
    bench.beat('a', -2, instance);
    bench.nowMs += SESSION_MS;
    bench.group.tick(bench.nowMs, bench.topics.view);
    expect(bench.events('expired')).toEqual(['a did not return within 45.0 s']);
  });
});

describe('subscriptions', () => {
  test('a pattern finds topics that exist and topics that come', () => {
    const bench = new Bench();
    const pattern = { subscribedTopicNames: undefined, subscribedTopicRegex: 'ord.*|new-[0-9]+' };
    expect(bench.beat('a', 0, pattern).assignment).toEqual([{ topicId: ORDERS, partitions: [0, 1, 2, 3] }]);
    bench.topics.set({ orders: 4, 'new-7': 1, 'a-new-7': 1 });
    expect(bench.beat('a', 1).assignment?.map(({ topicId }) => topicId)).toEqual([
      topicIdOf('new-7'),
      ORDERS,
    ]);
    expect(bench.group.isSubscribedTo('new-7')).toBe(true);
    expect(bench.group.isSubscribedTo('a-new-7')).toBe(false);
    bench.beat('a', 2, { subscribedTopicRegex: '', subscribedTopicNames: ['a-new-7'] });
    expect(bench.group.isSubscribedTo('new-7')).toBe(false);
    expect(bench.events('subscription-changed')).toEqual(['a subscribes to a-new-7']);
  });

  test.each(['[', '(?=look)', '((a{100}){100}){100}', 'x'.repeat(5000)])(
    'pattern %# is refused',
    (subscribedTopicRegex) => {
      expect(new Bench().code('a', 0, { subscribedTopicRegex })).toBe('INVALID_REGULAR_EXPRESSION');
    },
  );

  test('a hostile pattern is answered in linear time', () => {
    const bench = new Bench();
    bench.topics.set({ [`${'x'.repeat(240)}!`]: 1 });
    expect(bench.code('a', 0, { subscribedTopicRegex: '(x+x+)+y' })).toBeUndefined();
  });

  test('the assignor that most members ask for is used; one that nobody has is refused', () => {
    const bench = new Bench();
    expect(bench.code('a', 0, { serverAssignor: 'clever' })).toBe('UNSUPPORTED_ASSIGNOR');
    bench.beat('a', 0, { serverAssignor: 'range' });
    expect(bench.group.describe(bench.topics.view).assignor).toBe('range');
    bench.beat('b', 0, { serverAssignor: 'uniform' });
    bench.beat('c', 0, { serverAssignor: 'uniform' });
    expect(bench.group.describe(bench.topics.view).assignor).toBe('uniform');
  });

  test('a full group takes nobody new, and keeps those it has', () => {
    const bench = new Bench();
    for (const id of ['a', 'b', 'c', 'd', 'e']) expect(bench.code(id, 0)).toBeUndefined();
    expect(bench.code('f', 0)).toBe('GROUP_MAX_SIZE_REACHED');
    expect(bench.code('a', 0)).toBeUndefined();
  });
});

describe('odd input', () => {
  const twice = { topicId: ORDERS, partitions: [0] };
  test.each<[string, number, Heartbeat]>([
    ['an epoch below -2', -3, {}],
    ['an epoch that is no integer', 0.5, {}],
    ['an epoch beyond 32 bits', 2 ** 31, {}],
    ['an empty member id', 0, { memberId: '' }],
    ['an endless member id', 0, { memberId: 'x'.repeat(100_000) }],
    ['an empty instance id', 0, { groupInstanceId: '' }],
    ['an empty rack', 0, { rackId: '' }],
    ['a join that holds partitions', 0, owned(1)],
    ['a join that does not say what it holds', 0, { topicPartitions: undefined }],
    ['a join without rebalance timeout', 0, { rebalanceTimeoutMs: undefined }],
    ['a join with a negative rebalance timeout', 0, { rebalanceTimeoutMs: -1 }],
    ['a join without subscription', 0, { subscribedTopicNames: undefined }],
    ['an empty topic name', 0, { subscribedTopicNames: [''] }],
    ['a topic name that is too long', 0, { subscribedTopicNames: ['x'.repeat(250)] }],
    ['too many topics', 0, { subscribedTopicNames: new Array<string>(100_001).fill('x') }],
    ['a topic held twice', 1, { topicPartitions: [twice, twice] }],
    ['a partition held twice', 1, owned(1, 1)],
    ['a negative partition', 1, owned(-1)],
    ['a partition that does not exist', 1, owned(4)],
    ['a topic that does not exist', 1, { topicPartitions: [{ topicId: 'nowhere', partitions: [0] }] }],
    [
      'an absurd number of partitions',
      1,
      { topicPartitions: [{ topicId: ORDERS, partitions: new Array<number>(100_001).fill(0) }] },
    ],
  ])('%s is refused', (_what, epoch, more) => {
    const bench = new Bench();
    bench.beat('a', 0);
    expect(bench.code('a', epoch, more)).toBe('INVALID_REQUEST');
  });

  test('partitions of a topic that was deleted may still be held, and are taken back', () => {
    const bench = new Bench();
    bench.beat('a', 0);
    bench.topics.set({});
    expect(bench.beat('a', 1, owned(0, 1, 2, 3))).toMatchObject({ assignment: [] });
    expect(bench.beat('a', 1, owned())).toMatchObject({ memberEpoch: 2 });
  });
});

describe('history and deletion', () => {
  test('what moved is told with from whom, and how long its new owner waited', () => {
    const bench = new Bench();
    bench.beat('a', 0);
    bench.beat('b', 0);
    bench.nowMs += 300;
    bench.beat('a', 1, owned(0, 1, 2, 3));
    bench.nowMs += 200;
    bench.beat('a', 1, owned(0, 1));
    bench.nowMs += 100;
    bench.beat('b', 2, owned());
    const { events, members } = bench.group.history.describe();
    expect(events.find(({ kind, memberId }) => kind === 'assigned' && memberId === 'b')).toMatchObject({
      clientId: 'client-b',
      cause: '2 partitions from a, 0.1 s after they were let go',
      gained: [{ topic: 'orders', topicId: ORDERS, partitions: [2, 3] }],
      withoutMs: 600,
    });
    expect(events.find(({ kind }) => kind === 'revoking')).toMatchObject({
      memberId: 'a',
      lost: [{ topic: 'orders', partitions: [2, 3] }],
    });
    expect(bench.events('rebalance-started')).toEqual([
      ' client-a (a) joined: 4 partitions find another member (uniform)',
      ' client-b (b) joined: 2 partitions find another member (uniform)',
    ]);
    expect(bench.events('stable').at(-1)).toBe(' all members hold what is meant for them, after 0.6 s');
    expect(members.find(({ memberId }) => memberId === 'b')).toMatchObject({ waitedMs: 600, rebalances: 1 });
  });

  test('the tombstones of a group leave nothing of it', () => {
    const bench = new Bench();
    const records = bench.group.heartbeat(
      heartbeatOf('a', 0, { subscribedTopicRegex: 'o.*' }),
      bench.nowMs,
      bench.topics.view,
    ).records;
    const keyOf = (record: (typeof records)[number]): string =>
      JSON.stringify({ ...record, value: undefined });
    const removed = new Set(bench.group.tombstones().map(keyOf));
    for (const record of records) expect(removed).toContain(keyOf(record));
    bench.beat('a', -1);
    for (const record of bench.group.tombstones()) bench.group.apply(record);
    expect(bench.group.describe(bench.topics.view)).toMatchObject({
      epoch: 0,
      assignmentEpoch: 0,
      members: [],
    });
  });
});
