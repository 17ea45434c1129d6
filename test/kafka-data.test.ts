/** Records and offsets over a connection to a cluster, in every version: what producers and consumers do. */

import { readFileSync } from 'node:fs';
import { Millrace } from '@millrace/client';
import { ERRORS, type ErrorCode } from '@millrace/core';
import type { RequestDraftOf } from '@millrace/kafka-api';
import { BatchView, buildBatch, decodeRecords, splitBatches } from '@millrace/records';
import { type Cluster, startCluster } from '@millrace/server';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { KafkaPeer } from './kafka-peer.ts';

const NONE = 0;
const LIMITS = { maxDecompressedBytes: 1 << 20 };
const wire = (code: ErrorCode): number => ERRORS[code].wire;
const versions = (lowest: number, highest: number): number[] =>
  Array.from({ length: highest - lowest + 1 }, (_, i) => lowest + i);

let cluster: Cluster;
let millrace: Millrace;
let count = 0;

beforeAll(async () => {
  cluster = await startCluster({
    nodes: 2,
    firstKafkaPort: 0,
    properties: { 'default.replication.factor': '2' },
  });
  millrace = new Millrace({ bootstrap: cluster.bootstrap });
});

afterAll(async () => {
  await millrace.close();
  await cluster.close();
});

interface Topic {
  readonly name: string;
  readonly topicId: string;
  /** Of partition 0. */
  readonly leader: KafkaPeer;
  readonly other: KafkaPeer;
  readonly leaderId: number;
}

async function peerOf(nodeId: number): Promise<KafkaPeer> {
  const node = cluster.nodes.find(({ config }) => config.properties['node.id'] === nodeId)!;
  const { host, port } = node.addresses.find(({ listener }) => listener === 'PLAINTEXT')!;
  const peer = await KafkaPeer.to(`${host}:${port}`);
  onTestFinished(() => peer.close());
  return peer;
}

async function newTopic(): Promise<Topic> {
  const name = `topic-${++count}`;
  await millrace.admin().createTopic({ name, partitions: 1, replicationFactor: 2 });
  const [described] = await millrace.admin().describeTopics([name]);
  const leaderId = described!.partitions[0]!.leader!;
  const [leader, other] = [await peerOf(leaderId), await peerOf(3 - leaderId)];
  const query = { replicaId: -1, topics: [{ name, partitions: [{ partitionIndex: 0, timestamp: -1 }] }] };
  const errorAt = async (peer: KafkaPeer): Promise<number> =>
    (await peer.ask('listOffsets', 7, query)).topics[0]!.partitions[0]!.errorCode;
  // Both nodes have heard of it.
  await expect.poll(() => errorAt(leader)).toBe(NONE);
  await expect.poll(() => errorAt(other)).toBe(wire('NOT_LEADER_OR_FOLLOWER'));
  return { name, topicId: described!.topicId, leader, other, leaderId };
}

/** Another topic, led by the same node. */
async function topicBeside({ leaderId }: Topic): Promise<Topic> {
  for (;;) {
    const topic = await newTopic();
    if (topic.leaderId === leaderId) return topic;
  }
}

const batch = (...values: string[]): Buffer =>
  buildBatch(values.map((value, i) => ({ timestamp: 1_000 + i, key: null, value: Buffer.from(value) })));

const producing = (
  name: string,
  records: Buffer | null,
  acks = -1,
  index = 0,
): RequestDraftOf<'produce'> => ({
  acks,
  timeoutMs: 10_000,
  topicData: [{ name, partitionData: [{ index, records }] }],
});

async function produce(
  peer: KafkaPeer,
  name: string,
  records: Buffer | null,
  { version = 11, acks = -1, index = 0 } = {},
) {
  const answer = await peer.ask('produce', version, producing(name, records, acks, index));
  return answer.responses[0]!.partitionResponses[0]!;
}

interface Fetching {
  readonly version?: number;
  readonly offset?: number;
  readonly maxWaitMs?: number;
  readonly sessionId?: number;
  readonly sessionEpoch?: number;
}

function fetching(
  { name, topicId }: Topic,
  { version = 12, offset = 0, maxWaitMs = 0, ...session }: Fetching,
): RequestDraftOf<'fetch'> {
  return {
    maxWaitMs,
    minBytes: 1,
    maxBytes: 1 << 20,
    ...session,
    topics: [
      {
        ...(version >= 13 ? { topicId } : { topic: name }),
        partitions: [{ partition: 0, fetchOffset: offset, partitionMaxBytes: 1 << 20 }],
      },
    ],
  };
}

async function fetch(topic: Topic, options: Fetching = {}, peer = topic.leader) {
  const answer = await peer.ask('fetch', options.version ?? 12, fetching(topic, options));
  return answer.responses[0]!.partitions[0]!;
}

const valuesIn = (records: Buffer | null): string[] =>
  splitBatches(records!).flatMap((view) =>
    [...decodeRecords(view, LIMITS)].map(({ value }) => String(value)),
  );

describe('a produced batch', () => {
  test.each(versions(3, 11))('is appended and read back as it was, in version %i', async (version) => {
    const topic = await newTopic();
    expect(await produce(topic.leader, topic.name, batch('a', 'b'), { version })).toMatchObject({
      index: 0,
      errorCode: NONE,
      baseOffset: 0,
      logAppendTimeMs: -1,
    });
    expect(await produce(topic.leader, topic.name, batch('c'), { version, acks: 1 })).toMatchObject({
      baseOffset: 2,
    });
    const { records } = await fetch(topic, { maxWaitMs: 5_000 });
    expect(valuesIn(records).slice(0, 2)).toEqual(['a', 'b']);
  });

  test.each([
    [0, 'java-v0-gzip'],
    [1, 'java-v0-gzip'],
    [2, 'java-v1-gzip'],
  ] as const)('of an old format comes back as records of today, in version %i', async (version, fixture) => {
    const topic = await newTopic();
    const folder = new URL('../packages/records/testdata/message-sets/', import.meta.url);
    const set = Buffer.from(
      readFileSync(new URL(`${fixture}.hex`, folder), 'utf8').replace(/\s/g, ''),
      'hex',
    );
    expect(await produce(topic.leader, topic.name, set, { version })).toMatchObject({
      errorCode: NONE,
      baseOffset: 0,
    });
    const { records } = await fetch(topic);
    expect(BatchView.at(records!, 0)!.recordCount).toBe(4);
  });

  test('waits for nobody with acks=0, and is there', async () => {
    const topic = await newTopic();
    topic.leader.tell('produce', 9, producing(topic.name, batch('quiet'), 0));
    const { records } = await fetch(topic, { maxWaitMs: 5_000 });
    expect(valuesIn(records)).toEqual(['quiet']);
  });

  test.each([
    ['without records', null, 'INVALID_RECORD'],
    ['of another format than the version may bring', Buffer.alloc(40), 'INVALID_RECORD'],
    ['cut short', batch('cut').subarray(0, 65), 'CORRUPT_MESSAGE'],
    ['that two batches are', Buffer.concat([batch('a'), batch('b')]), 'INVALID_RECORD'],
  ] as const)('%s is refused, alone', async (_what, records, code) => {
    const topic = await newTopic();
    const beside = await topicBeside(topic);
    const answer = await topic.leader.ask('produce', 9, {
      acks: 1,
      timeoutMs: 1_000,
      topicData: [
        { name: topic.name, partitionData: [{ index: 0, records }] },
        { name: beside.name, partitionData: [{ index: 0, records: batch('sound') }] },
      ],
    });
    const [bad, good] = answer.responses.map(({ partitionResponses }) => partitionResponses[0]);
    expect(bad).toMatchObject({ errorCode: wire(code), baseOffset: -1 });
    expect(bad!.errorMessage).toMatch(/./);
    expect(good).toMatchObject({ errorCode: NONE, baseOffset: 0 });
  });

  test('that is not the only one for its partition is refused with all of its request', async () => {
    const topic = await newTopic();
    const beside = await topicBeside(topic);
    const twice = [
      { index: 0, records: batch('one') },
      { index: 0, records: batch('other') },
    ];
    const answer = await topic.leader.ask('produce', 9, {
      acks: 1,
      timeoutMs: 1_000,
      topicData: [
        { name: beside.name, partitionData: [{ index: 0, records: batch('sound') }] },
        { name: topic.name, partitionData: twice },
      ],
    });
    const all = answer.responses.flatMap(({ partitionResponses }) => partitionResponses);
    expect(all.map(({ errorCode }) => errorCode)).toEqual(all.map(() => wire('INVALID_REQUEST')));
    for (const { leader, name } of [topic, beside]) {
      expect(await produce(leader, name, batch('a'))).toMatchObject({ errorCode: NONE, baseOffset: 0 });
    }
  });

  test('with a broken checksum is refused', async () => {
    const topic = await newTopic();
    const broken = batch('sound');
    broken[broken.length - 1]! ^= 1;
    expect(await produce(topic.leader, topic.name, broken)).toMatchObject({
      errorCode: wire('CORRUPT_MESSAGE'),
    });
  });

  test('at the wrong node is refused; from version 10 on the answer tells who leads, and where', async () => {
    const { name, other, leaderId } = await newTopic();
    const refusal = { errorCode: wire('NOT_LEADER_OR_FOLLOWER'), baseOffset: -1 };
    expect(await produce(other, name, batch('a'), { version: 9 })).toMatchObject(refusal);
    const answer = await other.ask('produce', 10, producing(name, batch('a')));
    const currentLeader = { leaderId, leaderEpoch: 0 };
    expect(answer.responses[0]!.partitionResponses[0]).toMatchObject({ ...refusal, currentLeader });
    expect(answer.nodeEndpoints).toMatchObject([{ nodeId: leaderId }]);
  });

  test('for a topic or partition that nobody knows is refused', async () => {
    const { name, leader } = await newTopic();
    const unknown = { errorCode: wire('UNKNOWN_TOPIC_OR_PARTITION') };
    expect(await produce(leader, 'nowhere', batch('a'))).toMatchObject(unknown);
    expect(await produce(leader, name, batch('a'), { index: 9 })).toMatchObject(unknown);
  });

  test('with other acks than 0, 1 and all is refused', async () => {
    const { name, leader } = await newTopic();
    const refusal = { errorCode: wire('INVALID_REQUIRED_ACKS') };
    expect(await produce(leader, name, batch('a'), { acks: 2 })).toMatchObject(refusal);
  });

  test('in a transaction is refused', async () => {
    const { name, leader } = await newTopic();
    const answer = await leader.ask('produce', 9, {
      ...producing(name, batch('a')),
      transactionalId: 'mine',
    });
    const [{ errorCode } = { errorCode: NONE }] = answer.responses[0]!.partitionResponses;
    expect(errorCode).toBe(wire('INVALID_REQUEST'));
  });

  test.each([
    ['for an unknown topic', 'nowhere', batch('a')],
    ['that is damaged', undefined, Buffer.alloc(70)],
  ])('%s with acks=0 ends the connection: nothing else would tell', async (_what, name, records) => {
    const topic = await newTopic();
    topic.leader.tell('produce', 9, producing(name ?? topic.name, records, 0));
    await topic.leader.closed;
  });

  test('that is sent again by an idempotent producer is answered with its first offset', async () => {
    const topic = await newTopic();
    const identity = await topic.leader.ask('initProducerId', 4, {
      transactionalId: null,
      transactionTimeoutMs: 0,
    });
    expect(identity).toMatchObject({ errorCode: NONE, producerEpoch: 0 });
    const { producerId, producerEpoch } = identity;
    const records = (baseSequence: number) =>
      buildBatch([{ value: Buffer.from('once') }], { producer: { producerId, producerEpoch, baseSequence } });
    for (const _ of [1, 2])
      expect(await produce(topic.leader, topic.name, records(0))).toMatchObject({
        errorCode: NONE,
        baseOffset: 0,
      });
    expect(await produce(topic.leader, topic.name, records(7))).toMatchObject({
      errorCode: wire('OUT_OF_ORDER_SEQUENCE_NUMBER'),
    });
  });
});

test('producers that a partition remembers are told, by any replica', async () => {
  const topic = await newTopic();
  const identity = { transactionalId: null, transactionTimeoutMs: 0 };
  const { producerId, producerEpoch } = await topic.leader.ask('initProducerId', 4, identity);
  const producer = { producerId, producerEpoch, baseSequence: 0 };
  const records = [{ timestamp: 5 }, { timestamp: 6, value: Buffer.from('two') }];
  await produce(topic.leader, topic.name, buildBatch(records, { producer }));
  const asked = { topics: [{ name: topic.name, partitionIndexes: [0, 7] }] };
  for (const peer of [topic.leader, topic.other]) {
    const [known, unknown] = (await peer.ask('describeProducers', 0, asked)).topics[0]!.partitions;
    const remembered = { producerId, producerEpoch, lastSequence: 1, lastTimestamp: 6 };
    expect(known).toMatchObject({ partitionIndex: 0, errorCode: NONE, activeProducers: [remembered] });
    expect(unknown).toMatchObject({ errorCode: wire('UNKNOWN_TOPIC_OR_PARTITION'), activeProducers: [] });
  }
});

test('what one door writes, the other reads, in one log', async () => {
  const topic = await newTopic();
  await using producer = millrace.producer();
  const headers = { from: 'grpc' };
  const key = Buffer.from('k');
  await producer.send({ topic: topic.name, key, value: Buffer.from('first'), headers });
  const second = [{ timestamp: 7, key, value: Buffer.from('second') }];
  expect(await produce(topic.leader, topic.name, buildBatch(second))).toMatchObject({ baseOffset: 1 });
  const { records } = await fetch(topic);
  const [first] = [...decodeRecords(splitBatches(records!)[0]!, LIMITS)];
  expect(first).toMatchObject({ key, headers: [{ key: 'from', value: Buffer.from('grpc') }] });
  expect(valuesIn(records)).toEqual(['first', 'second']);
  await using consumer = millrace.consumer({ autoOffsetReset: 'earliest' });
  await consumer.assignTopics([topic.name]);
  const read: string[] = [];
  for await (const found of consumer) {
    for (const { value } of found) read.push(String(value));
    if (read.length >= 2) break;
  }
  expect(read).toEqual(['first', 'second']);
});

describe('a fetch', () => {
  test.each(versions(4, 17))('finds records, watermark and log start, in version %i', async (version) => {
    const topic = await newTopic();
    await produce(topic.leader, topic.name, batch('a', 'b'));
    const found = await fetch(topic, { version });
    expect(found).toMatchObject({
      partitionIndex: 0,
      errorCode: NONE,
      highWatermark: 2,
      lastStableOffset: 2,
    });
    expect(found.logStartOffset).toBe(version >= 5 ? 0 : -1);
    expect(valuesIn(found.records)).toEqual(['a', 'b']);
  });

  test('without news is answered in full all the same, when its time is up', async () => {
    const topic = await newTopic();
    await produce(topic.leader, topic.name, batch('a'));
    const found = await fetch(topic, { offset: 1, maxWaitMs: 50 });
    expect(found).toMatchObject({ errorCode: NONE, highWatermark: 1, logStartOffset: 0 });
    expect(found.records).toHaveLength(0);
  });

  test('waits for records, and ends with them', async () => {
    const topic = await newTopic();
    const producer = await peerOf(topic.leaderId);
    const waiting = fetch(topic, { maxWaitMs: 60_000 });
    await produce(producer, topic.name, batch('late'));
    expect(valuesIn((await waiting).records)).toEqual(['late']);
  });

  test('outside the log, at the wrong node, or of nothing known is told so at once', async () => {
    const topic = await newTopic();
    const late = { maxWaitMs: 60_000 };
    expect(await fetch(topic, { ...late, offset: 99 })).toMatchObject({
      errorCode: wire('OFFSET_OUT_OF_RANGE'),
    });
    expect(await fetch(topic, late, topic.other)).toMatchObject({
      errorCode: wire('NOT_LEADER_OR_FOLLOWER'),
      currentLeader: { leaderId: topic.leaderId },
    });
    const unnamed = { ...topic, name: 'nowhere', topicId: 'AAAAAAAAAAAAAAAAAAAAAQ' };
    expect(await fetch(unnamed, late)).toMatchObject({ errorCode: wire('UNKNOWN_TOPIC_OR_PARTITION') });
    expect(await fetch(unnamed, { ...late, version: 13 })).toMatchObject({
      errorCode: wire('UNKNOWN_TOPIC_ID'),
    });
    const pointed = await topic.other.ask('fetch', 16, fetching(topic, { version: 16 }));
    expect(pointed.nodeEndpoints).toMatchObject([{ nodeId: topic.leaderId }]);
  });

  test.each([7, 11, 12, 17])('in a session tells only what is new, in version %i', async (version) => {
    const topic = await newTopic();
    await produce(topic.leader, topic.name, batch('a'));
    const opened = await topic.leader.ask('fetch', version, fetching(topic, { version, sessionEpoch: 0 }));
    const { sessionId } = opened;
    expect(sessionId).toBeGreaterThan(0);
    expect(opened.responses).toHaveLength(1);
    const next = fetching(topic, { version, offset: 1, sessionId, sessionEpoch: 1 });
    expect((await topic.leader.ask('fetch', version, next)).responses).toEqual([]);
    await produce(topic.leader, topic.name, batch('b'));
    const third = await topic.leader.ask('fetch', version, { ...next, sessionEpoch: 2, topics: [] });
    expect(valuesIn(third.responses[0]!.partitions[0]!.records)).toEqual(['b']);
    const stale = await topic.leader.ask('fetch', version, { ...next, sessionEpoch: 2 });
    expect(stale).toMatchObject({ errorCode: wire('INVALID_FETCH_SESSION_EPOCH'), responses: [] });
    const unknown = await topic.leader.ask('fetch', version, { ...next, sessionId: 1, sessionEpoch: 1 });
    expect(unknown.errorCode).toBe(wire('FETCH_SESSION_ID_NOT_FOUND'));
  });

  test('in a session goes on where another partition gave much: none is kept waiting', async () => {
    const name = `topic-${++count}`;
    await millrace.admin().createTopic({ name, partitions: 3, replicationFactor: 2 });
    const [described] = await millrace.admin().describeTopics([name]);
    const leaderId = described!.partitions[0]!.leader!;
    const peer = await peerOf(leaderId);
    const mine = described!.partitions
      .filter(({ leader }) => leader === leaderId)
      .map((each) => each.partition);
    for (const index of mine) {
      const sent = async () => (await produce(peer, name, batch('x'.repeat(1_000)), { index })).errorCode;
      await expect.poll(sent).toBe(NONE);
    }
    const partitions = mine.map((partition) => ({ partition, fetchOffset: 0, partitionMaxBytes: 1_000 }));
    const limits = { maxWaitMs: 0, minBytes: 1, maxBytes: 1_000 };
    const opening = { ...limits, sessionEpoch: 0, topics: [{ topic: name, partitions }] };
    const { sessionId, responses } = await peer.ask('fetch', 11, opening);
    const served = new Set<number>();
    const note = (answers: typeof responses) => {
      for (const { partitionIndex, records } of answers.flatMap((topic) => topic.partitions))
        if (records!.length > 0) served.add(partitionIndex);
    };
    note(responses);
    // A client that never moves on: each answer has room for one partition, and they take turns.
    for (let sessionEpoch = 1; sessionEpoch <= mine.length; sessionEpoch++) {
      note((await peer.ask('fetch', 11, { ...limits, sessionId, sessionEpoch, topics: [] })).responses);
    }
    expect([...served].sort()).toEqual(mine);
  });

  test('of a replica is refused: replicas speak another protocol here', async () => {
    const topic = await newTopic();
    const answer = await topic.leader.ask('fetch', 12, { ...fetching(topic, {}), replicaId: 2 });
    expect(answer.errorCode).toBe(wire('INVALID_REQUEST'));
  });
});

describe('offsets', () => {
  const query = (name: string, timestamp: number) => ({
    replicaId: -1,
    topics: [{ name, partitions: [{ partitionIndex: 0, timestamp }] }],
  });
  const found = async ({ leader, name }: Topic, version: number, timestamp: number) =>
    (await leader.ask('listOffsets', version, query(name, timestamp))).topics[0]!.partitions[0]!;

  test.each(versions(1, 9))('are the first, the last and by time, in version %i', async (version) => {
    const topic = await newTopic();
    await produce(topic.leader, topic.name, batch('a', 'b', 'c'));
    expect(await found(topic, version, -2)).toMatchObject({ errorCode: NONE, offset: 0, timestamp: -1 });
    expect(await found(topic, version, -1)).toMatchObject({ errorCode: NONE, offset: 3, timestamp: -1 });
    expect(await found(topic, version, 1_001)).toMatchObject({
      errorCode: NONE,
      offset: 1,
      timestamp: 1_001,
    });
    expect(await found(topic, version, 9_999)).toMatchObject({ errorCode: NONE, offset: -1, timestamp: -1 });
    const newest = version >= 7 ? { errorCode: NONE, offset: 2 } : { errorCode: wire('UNSUPPORTED_VERSION') };
    expect(await found(topic, version, -3)).toMatchObject(newest);
    const local = version >= 8 ? { errorCode: NONE, offset: 0 } : { errorCode: wire('UNSUPPORTED_VERSION') };
    expect(await found(topic, version, -4)).toMatchObject(local);
    const tiered =
      version >= 9 ? { errorCode: NONE, offset: -1 } : { errorCode: wire('UNSUPPORTED_VERSION') };
    expect(await found(topic, version, -5)).toMatchObject(tiered);
  });

  test('of what nobody knows or another node leads are refused', async () => {
    const topic = await newTopic();
    expect(await found({ ...topic, name: 'nowhere' }, 7, -1)).toMatchObject({
      errorCode: wire('UNKNOWN_TOPIC_OR_PARTITION'),
    });
    expect(await found({ ...topic, leader: topic.other }, 7, -1)).toMatchObject({
      errorCode: wire('NOT_LEADER_OR_FOLLOWER'),
    });
  });

  test.each([2, 3, 4])('where an epoch ended are told, in version %i', async (version) => {
    const topic = await newTopic();
    await produce(topic.leader, topic.name, batch('a', 'b'));
    const answer = await topic.leader.ask('offsetForLeaderEpoch', version, {
      topics: [{ topic: topic.name, partitions: [{ partition: 0, leaderEpoch: 0 }] }],
    });
    expect(answer.topics).toMatchObject([
      { topic: topic.name, partitions: [{ partition: 0, errorCode: NONE, leaderEpoch: 0, endOffset: 2 }] },
    ]);
  });

  test.each([0, 1, 2])(
    'before which records are deleted become the first, in version %i',
    async (version) => {
      const topic = await newTopic();
      await produce(topic.leader, topic.name, batch('a', 'b'));
      await produce(topic.leader, topic.name, batch('c'));
      const deletion = (offset: number) =>
        topic.leader.ask('deleteRecords', version, {
          topics: [{ name: topic.name, partitions: [{ partitionIndex: 0, offset }] }],
          timeoutMs: 5_000,
        });
      const [deleted] = (await deletion(2)).topics;
      expect(deleted).toMatchObject({ name: topic.name, partitions: [{ errorCode: NONE, lowWatermark: 2 }] });
      expect(await found(topic, 7, -2)).toMatchObject({ offset: 2 });
      const [refused] = (await deletion(50)).topics;
      expect(refused!.partitions).toMatchObject([{ errorCode: wire('OFFSET_OUT_OF_RANGE') }]);
    },
  );
});
