/** Fetch sessions on their own: what they ask for, what they leave out, who gets a place. */
import { failure, type PartitionFetched } from '@millrace/broker';
import { SeededRandom } from '@millrace/core';
import { expect, test } from 'vitest';
import {
  type AskedPartition,
  type FetchAsked,
  type FetchPlan,
  type FetchSessionLimits,
  FetchSessions,
} from './fetch-sessions-state.ts';

const LIMITS: FetchSessionLimits = { slots: 2, partitions: 1_000, evictionMs: 100 };
const byName = (name: string): string => `id-of-${name}`;

const asked = (topic: string, partition: number, fetchOffset = 0): AskedPartition => ({
  topic,
  topicId: byName(topic),
  partition,
  fetchOffset,
  leaderEpoch: -1,
  partitionMaxBytes: 100,
  lastFetchedEpoch: -1,
});

const found = (
  { topicId, partition }: AskedPartition,
  more: Partial<PartitionFetched> = {},
): PartitionFetched => ({
  topicId,
  partition,
  failure: undefined,
  highWatermark: 10,
  lastStableOffset: 10,
  logStartOffset: 0,
  divergingEpoch: -1,
  divergingEndOffset: -1,
  currentLeaderId: 1,
  currentLeaderEpoch: 0,
  records: Buffer.alloc(0),
  ...more,
});

const RECORDS = { records: Buffer.from('records') };

class Client {
  readonly #sessions: FetchSessions;
  sessionId = 0;
  epoch = 0;
  nowMs = 0;

  constructor(sessions: FetchSessions) {
    this.#sessions = sessions;
  }

  ask(more: Partial<FetchAsked> = {}) {
    const request = { goesByIds: false, partitions: [], forgotten: [], ...more };
    const sessioned = { sessionId: this.sessionId, sessionEpoch: this.epoch, ...request };
    return this.#sessions.plan(sessioned, byName, this.nowMs);
  }

  /** Asks, and answers every partition that is fetched with what `tell` says of it. */
  fetch(more: Partial<FetchAsked> = {}, tell: (partition: AskedPartition) => PartitionFetched = found) {
    const plan = this.ask(more) as FetchPlan;
    const answered = plan.answer(plan.partitions.map(tell), this.nowMs);
    this.sessionId = answered.sessionId;
    this.epoch = this.sessionId === 0 ? 0 : this.epoch + 1;
    return {
      fetched: plan.partitions,
      told: answered.partitions.map(([{ topic, partition }]) => `${topic}-${partition}`),
    };
  }
}

const begin = (limits: Partial<FetchSessionLimits> = {}) =>
  new FetchSessions({ ...LIMITS, ...limits }, new SeededRandom(7));

const size = (count: number): AskedPartition[] => Array.from({ length: count }, (_, i) => asked('t', i));

test('a session fetches what was asked before, and tells only what is new', () => {
  const client = new Client(begin());
  expect(client.fetch({ partitions: [asked('a', 0), asked('a', 1), asked('b', 0)] }).told).toEqual([
    'a-0',
    'a-1',
    'b-0',
  ]);
  expect(client.sessionId).toBeGreaterThan(0);
  const second = client.fetch({}, (each) => (each.partition === 1 ? found(each, RECORDS) : found(each)));
  expect(second.fetched).toHaveLength(3);
  expect(second.told).toEqual(['a-1']);
  const third = client.fetch({ partitions: [asked('a', 1, 11)] });
  expect(third.fetched.map(({ fetchOffset }) => fetchOffset)).toEqual([0, 0, 11]);
  expect(third.told).toEqual([]);
});

test('a watermark, a log start and a divergence are news', () => {
  const client = new Client(begin());
  client.fetch({ partitions: [asked('a', 0), asked('a', 1), asked('a', 2)] });
  const changes = [{ highWatermark: 11 }, { logStartOffset: 5 }, { divergingEpoch: 3 }];
  expect(client.fetch({}, (each) => found(each, changes[each.partition])).told).toEqual([
    'a-0',
    'a-1',
    'a-2',
  ]);
});

test('a failure is told each time, and so is its end', () => {
  const client = new Client(begin());
  const failing = (each: AskedPartition) => found(each, { failure: failure('NOT_LEADER_OR_FOLLOWER') });
  expect(client.fetch({ partitions: [asked('a', 0)] }, failing).told).toEqual(['a-0']);
  expect(client.fetch({}, failing).told).toEqual(['a-0']);
  expect(client.fetch().told).toEqual(['a-0']);
  expect(client.fetch().told).toEqual([]);
});

test('a partition that gave records waits behind those that gave none', () => {
  const client = new Client(begin());
  client.fetch({ partitions: size(3) });
  const order = (fetched: readonly AskedPartition[]) => fetched.map(({ partition }) => partition);
  client.fetch({}, (each) => (each.partition === 0 ? found(each, RECORDS) : found(each)));
  expect(order(client.fetch().fetched)).toEqual([1, 2, 0]);
});

test('forgotten partitions are fetched no more, and a session that has none left is over', () => {
  const sessions = begin();
  const client = new Client(sessions);
  client.fetch({ partitions: size(2) });
  expect(client.fetch({ forgotten: [asked('t', 0)] }).fetched).toHaveLength(1);
  expect(client.fetch({ forgotten: [asked('t', 1)] }).fetched).toHaveLength(0);
  expect(client.sessionId).toBe(0);
  expect([sessions.size, sessions.partitions]).toEqual([0, 0]);
});

test('a name that comes to mean another topic is fetched from that one', () => {
  const sessions = begin();
  const client = new Client(sessions);
  client.fetch({ partitions: [asked('a', 0)] });
  const { sessionId, epoch: sessionEpoch } = client;
  const request = { sessionId, sessionEpoch, goesByIds: false, partitions: [], forgotten: [] };
  const plan = sessions.plan(request, () => 'another', 0) as FetchPlan;
  expect(plan.partitions).toMatchObject([{ topic: 'a', topicId: 'another' }]);
});

test('a request that fits no session is refused by name', () => {
  const client = new Client(begin());
  client.fetch({ partitions: size(1) });
  expect(client.ask({ goesByIds: true })).toBe('FETCH_SESSION_TOPIC_ID_ERROR');
  expect(client.ask({ sessionEpoch: 7 })).toBe('INVALID_FETCH_SESSION_EPOCH');
  expect(client.ask({ sessionId: 12 })).toBe('FETCH_SESSION_ID_NOT_FOUND');
  expect(typeof client.ask()).toBe('object');
  // The same request again, as a client that did not get the answer must not send it.
  expect(client.ask()).toBe('INVALID_FETCH_SESSION_EPOCH');
});

test('a client that wants no session (any more) is answered in full, and its session is gone', () => {
  const sessions = begin();
  const client = new Client(sessions);
  client.fetch({ partitions: size(2) });
  const { told } = client.fetch({ sessionEpoch: -1, partitions: size(1) });
  expect(told).toEqual(['t-0']);
  expect([client.sessionId, sessions.size, sessions.partitions]).toEqual([0, 0, 0]);
});

test('without a free place a client is served without a session', () => {
  const sessions = begin();
  for (let i = 0; i < 3; i++) {
    const client = new Client(sessions);
    expect(client.fetch({ partitions: size(5) }).told).toHaveLength(5);
    expect(client.sessionId === 0).toBe(i === 2);
  }
  expect(sessions.size).toBe(2);
});

test('a session out of use gives its place up to any, one that is used and old only to a larger one', () => {
  const sessions = begin();
  const [old, other, third] = [new Client(sessions), new Client(sessions), new Client(sessions)];
  old.fetch({ partitions: size(3) });
  other.fetch({ partitions: size(4) });
  for (const client of [old, other, third]) client.nowMs = 101;
  old.fetch();
  third.fetch({ partitions: size(1) });
  expect(third.sessionId).toBeGreaterThan(0);
  expect(other.ask()).toBe('FETCH_SESSION_ID_NOT_FOUND');
  const small = new Client(sessions);
  const large = new Client(sessions);
  small.nowMs = large.nowMs = 101;
  small.fetch({ partitions: size(3) });
  large.fetch({ partitions: size(4) });
  expect(small.sessionId).toBe(0);
  expect(large.sessionId).toBeGreaterThan(0);
  expect(old.ask()).toBe('FETCH_SESSION_ID_NOT_FOUND');
});

test('sessions together remember no more partitions than they may', () => {
  const sessions = begin({ slots: 10, partitions: 8 });
  const [first, second] = [new Client(sessions), new Client(sessions)];
  first.fetch({ partitions: size(5) });
  second.fetch({ partitions: size(4) });
  expect([first.sessionId > 0, second.sessionId > 0, sessions.partitions]).toEqual([true, false, 5]);
  expect(first.ask({ partitions: size(4) })).toBe('FETCH_SESSION_ID_NOT_FOUND');
  expect(sessions.partitions).toBe(0);
});
