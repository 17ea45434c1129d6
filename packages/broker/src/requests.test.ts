/** What clients ask of a broker, and every answer that is not a success: produce, fetch, offsets, descriptions. */
import { Deferred } from '@millrace/core';
import { buildBatch, crc32c, decodeRecords, splitBatches } from '@millrace/records';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { EARLIEST_TIMESTAMP, LATEST_TIMESTAMP, MAX_TIMESTAMP } from './broker-api.ts';
import { TestCluster } from './testing/test-cluster.ts';

const CONTEXT = { timeoutMs: 1000, clientId: 'test' };

let cluster: TestCluster;
let topicId: string;

beforeEach(async () => {
  cluster = await TestCluster.start({
    nodes: 2,
    config: {
      'replica.lag.time.max.ms': '1000',
      'queued.max.request.bytes': `${1 << 20}`,
      'decompressed.batch.max.bytes': `${1 << 20}`,
    },
  });
  topicId = await cluster.createTopic('orders', { replicas: [[1, 2]] });
});
afterEach(async () => {
  expect(cluster.fatal).toEqual([]);
  await cluster.close();
});

async function produceBytes(records: Buffer, overrides: Record<string, unknown> = {}) {
  const partitions = [{ topicId, partition: 0, leaderEpoch: -1, records, ...overrides }];
  const response = await cluster.finish(cluster.broker(1).produce({ ...CONTEXT, acks: -1, partitions }));
  return response.partitions[0]!;
}

const batchOf = (...values: string[]) =>
  buildBatch(values.map((value) => ({ value: Buffer.from(value), timestamp: cluster.clock.wallMs() })));

describe('produce refuses', () => {
  test('acks other than 0, 1 and all', async () => {
    const response = await cluster.broker(1).produce({ ...CONTEXT, acks: 2, partitions: [] });
    expect(response.failure?.code).toBe('INVALID_REQUIRED_ACKS');
  });

  test.each([
    ['an unknown topic', { topicId: 'AAAAAAAAAAAAAAAAAAAAAA' }, 'UNKNOWN_TOPIC_ID'],
    ['an unknown partition', { partition: 7 }, 'UNKNOWN_TOPIC_OR_PARTITION'],
    ['an epoch from the future', { leaderEpoch: 9 }, 'UNKNOWN_LEADER_EPOCH'],
  ])('%s', async (_what, overrides, code) => {
    expect((await produceBytes(batchOf('a'), overrides)).failure?.code).toBe(code);
  });

  test('a stale leader epoch, and says who leads', async () => {
    await cluster.kill(2);
    await cluster.restart(2);
    await cluster.until(() => cluster.isrOf(topicId).length === 2);
    await cluster.kill(1);
    await cluster.until(() => cluster.leaderOf(topicId)?.leader !== undefined);
    const refused = await cluster.produce(2, topicId, ['a'], { leaderEpoch: 0 });
    expect(refused).toMatchObject({ failure: { code: 'FENCED_LEADER_EPOCH' }, currentLeaderId: 2 });
    expect(refused.currentLeaderEpoch).toBeGreaterThan(0);
  });

  test('a partition that another broker leads, and says who', async () => {
    const refused = await cluster.produce(2, topicId, ['a']);
    expect(refused).toMatchObject({ failure: { code: 'NOT_LEADER_OR_FOLLOWER' }, currentLeaderId: 1 });
  });

  test('a wrong checksum', async () => {
    const batch = batchOf('a');
    batch[batch.length - 1]! ^= 1;
    expect((await produceBytes(batch)).failure?.code).toBe('CORRUPT_MESSAGE');
  });

  test('a batch that is cut short, and one that is followed by another', async () => {
    const batch = batchOf('a');
    expect((await produceBytes(batch.subarray(0, batch.length - 1))).failure?.code).toBe('CORRUPT_MESSAGE');
    expect((await produceBytes(Buffer.concat([batch, batch]))).failure?.code).toBe('INVALID_RECORD');
    expect((await produceBytes(Buffer.alloc(0))).failure?.code).toBe('CORRUPT_MESSAGE');
  });

  test('a batch over max.message.bytes', async () => {
    const small = await cluster.createTopic('small', {
      replicas: [[1, 2]],
      configs: { 'max.message.bytes': '200' },
    });
    const refused = await produceBytes(batchOf('x'.repeat(300)), { topicId: small });
    expect(refused.failure?.code).toBe('MESSAGE_TOO_LARGE');
  });

  test('a record without a key, of a topic that is compacted', async () => {
    const configs = { 'cleanup.policy': 'compact' };
    const compacted = await cluster.createTopic('compacted', { replicas: [[1, 2]], configs });
    const refused = await produceBytes(batchOf('a'), { topicId: compacted });
    expect(refused.failure?.code).toBe('INVALID_RECORD');
    const keyed = buildBatch([
      { key: Buffer.from('k'), value: Buffer.from('a'), timestamp: cluster.clock.wallMs() },
    ]);
    expect((await produceBytes(keyed, { topicId: compacted })).failure).toBeUndefined();
  });

  test('for now, batches beyond what is decompressed in one turn, and holds producers back until it is over', async () => {
    const compacted = await cluster.createTopic('compacted', {
      replicas: [
        [1, 2],
        [1, 2],
        [1, 2],
      ],
      configs: { 'cleanup.policy': 'compact' },
    });
    const wide = () =>
      buildBatch([{ key: Buffer.from('k'), value: Buffer.alloc(600_000) }], { codec: 'gzip' });
    const broker = cluster.broker(1);
    expect(broker.produceRoom()).toBeUndefined();
    const answer = broker.produce({
      ...CONTEXT,
      acks: 1,
      partitions: [0, 1, 2].map((partition) => ({
        topicId: compacted,
        partition,
        leaderEpoch: -1,
        records: wide(),
      })),
    });
    const room = broker.produceRoom();
    expect(room).toBeDefined();
    expect((await answer).partitions.map(({ failure }) => failure?.code)).toEqual([
      undefined,
      undefined,
      'NODE_OVERLOADED',
    ]);
    await room;
    expect((await produceBytes(wide(), { topicId: compacted, partition: 2 })).failure).toBeUndefined();
  });

  test('records with times that cannot be, where they must be written again', async () => {
    const configs = { 'compression.type': 'gzip' };
    const packed = await cluster.createTopic('packed', { replicas: [[1, 2]], configs });
    const records = buildBatch([{ timestamp: 0 }, { timestamp: 1_000 }]);
    // The first and the largest time of the header.
    for (const at of [27, 35]) records.writeBigInt64BE(BigInt(Number.MAX_SAFE_INTEGER), at);
    records.writeUInt32BE(crc32c(records.subarray(21)), 17);
    expect((await produceBytes(records, { topicId: packed })).failure?.code).toBe('INVALID_RECORD');
  });

  test('a request that names a partition twice, before anything of it is written', async () => {
    const entry = () => ({ topicId, partition: 0, leaderEpoch: -1, records: batchOf('a') });
    const twice = { ...CONTEXT, acks: -1, partitions: [entry(), entry()] };
    expect(await cluster.broker(1).produce(twice)).toMatchObject({
      partitions: [],
      failure: { code: 'INVALID_REQUEST' },
    });
    expect((await produceBytes(batchOf('a'))).baseOffset).toBe(0);
  });

  test('nothing more than one bad partition of a request', async () => {
    const response = await cluster.finish(
      cluster.broker(1).produce({
        ...CONTEXT,
        acks: -1,
        partitions: [
          { topicId, partition: 9, leaderEpoch: -1, records: batchOf('lost') },
          { topicId, partition: 0, leaderEpoch: -1, records: batchOf('kept') },
        ],
      }),
    );
    expect(response.partitions.map(({ failure }) => failure?.code)).toEqual([
      'UNKNOWN_TOPIC_OR_PARTITION',
      undefined,
    ]);
    expect(await cluster.consume(topicId)).toEqual(['kept']);
  });
});

describe('produce', () => {
  test('appends in the order of the calls', async () => {
    const answers = Array.from({ length: 50 }, (_, i) => cluster.produce(1, topicId, [`${i}`]));
    const produced = await Promise.all(answers);
    expect(produced.map(({ baseOffset }) => baseOffset)).toEqual(produced.map((_, i) => i));
  });

  test('holds producers back while too much waits for replicas, then refuses', async () => {
    cluster.network.cut(1, 2);
    const broker = cluster.broker(1);
    expect(broker.produceRoom()).toBeUndefined();
    const send = () =>
      broker.produce({
        ...CONTEXT,
        timeoutMs: 60_000,
        acks: -1,
        partitions: [{ topicId, partition: 0, leaderEpoch: -1, records: batchOf('x'.repeat(500_000)) }],
      });
    const pending = [send(), send(), send()];
    const room = broker.produceRoom();
    expect(room).toBeDefined();
    pending.push(send(), send());
    expect((await send()).failure?.code).toBe('NODE_OVERLOADED');
    cluster.network.heal(1, 2);
    await cluster.finish(Promise.all([room, ...pending]));
    expect(broker.produceRoom()).toBeUndefined();
  });

  test('stores the codec that the topic asks for', async () => {
    const configs = { 'compression.type': 'gzip' };
    const zipped = await cluster.createTopic('zipped', { replicas: [[1, 2]], configs });
    const produced = await cluster.produce(1, zipped, ['a', 'b']);
    expect(produced.failure).toBeUndefined();
    const fetched = await cluster.fetch(1, zipped, 0);
    const [batch] = splitBatches(fetched!.records);
    expect(batch!.codec).toBe('gzip');
    expect(decodeRecords(batch!).map(({ value }) => String(value))).toEqual(['a', 'b']);
  });
});

describe('fetch', () => {
  const request = (overrides: Record<string, unknown> = {}, partition: Record<string, unknown> = {}) => ({
    clientId: 'test',
    maxWaitMs: 1000,
    minBytes: 1,
    maxBytes: 1 << 20,
    ...overrides,
    partitions: [
      {
        topicId,
        partition: 0,
        leaderEpoch: -1,
        fetchOffset: 0,
        partitionMaxBytes: 1 << 20,
        lastFetchedEpoch: -1,
        ...partition,
      },
    ],
  });

  test('waits for a record and is answered when it is committed', async () => {
    const startedAt = cluster.clock.nowMs();
    const fetching = cluster.broker(1).fetch(request());
    await cluster.run(50);
    await cluster.produce(1, topicId, ['a']);
    const { partitions } = await cluster.finish(fetching);
    expect(partitions[0]).toMatchObject({ highWatermark: 1, logStartOffset: 0 });
    expect(cluster.clock.nowMs() - startedAt).toBeLessThan(200);
  });

  test('comes back empty when the wait is over', async () => {
    const startedAt = cluster.clock.nowMs();
    const { partitions } = await cluster.finish(cluster.broker(1).fetch(request({ maxWaitMs: 300 })));
    expect(partitions).toEqual([]);
    expect(cluster.clock.nowMs() - startedAt).toBeGreaterThanOrEqual(300);
  });

  test('that is full answers every partition in order, also those without news or room', async () => {
    await cluster.produce(1, topicId, ['x'.repeat(500)]);
    await cluster.run(20);
    const [read] = request().partitions;
    const partitions = [{ ...read!, fetchOffset: 1 }, read!, { ...read!, partition: 99 }, read!];
    const full = { ...request({ maxWaitMs: 0, maxBytes: 100, isFull: true }), partitions };
    const answer = await cluster.finish(cluster.broker(1).fetch(full));
    expect(answer.partitions.map(({ records }) => records.length > 0)).toEqual([false, true, false, false]);
    expect(answer.partitions).toMatchObject([
      { failure: undefined, highWatermark: 1, logStartOffset: 0 },
      { failure: undefined, highWatermark: 1 },
      { failure: { code: 'UNKNOWN_TOPIC_OR_PARTITION' } },
      { failure: undefined, highWatermark: 1 },
    ]);
  });

  test('waits for minBytes over several commits', async () => {
    const fetching = cluster.broker(1).fetch(request({ maxWaitMs: 10_000, minBytes: 400 }));
    for (let i = 0; i < 3; i++) {
      await cluster.produce(1, topicId, ['x'.repeat(100)]);
      await cluster.run(20);
    }
    const { partitions } = await cluster.finish(fetching);
    expect(splitBatches(partitions[0]!.records)).toHaveLength(3);
    expect(cluster.clock.nowMs()).toBeLessThan(5000);
  });

  test('holds nothing after it was aborted', async () => {
    const controller = new AbortController();
    const fetching = cluster.broker(1).fetch(request({ maxWaitMs: 60_000 }), controller.signal);
    await cluster.run(20);
    controller.abort();
    await expect(cluster.finish(fetching)).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(cluster.replica(1, topicId).readers.size).toBe(0);
  });

  test('is answered when the leadership moves while it waits', async () => {
    const fetching = cluster.broker(1).fetch(request({ maxWaitMs: 60_000 }));
    await cluster.run(20);
    cluster.controller.disconnect(1);
    const { partitions } = await cluster.finish(fetching);
    expect(partitions[0]?.failure?.code).toBe('NOT_LEADER_OR_FOLLOWER');
  });

  test('returns the first batch even if it alone is larger than the limit', async () => {
    await cluster.produce(1, topicId, ['x'.repeat(5000)]);
    await cluster.produce(1, topicId, ['y']);
    const { partitions } = await cluster.finish(cluster.broker(1).fetch(request({ maxBytes: 100 })));
    expect(splitBatches(partitions[0]!.records)).toHaveLength(1);
  });

  test('refuses offsets outside the log and epochs that are not current', async () => {
    await cluster.produce(1, topicId, ['a']);
    const code = async (partition: Record<string, unknown>) =>
      (await cluster.finish(cluster.broker(1).fetch(request({}, partition)))).partitions[0]?.failure?.code;
    expect(await code({ fetchOffset: 5 })).toBe('OFFSET_OUT_OF_RANGE');
    expect(await code({ leaderEpoch: 3 })).toBe('UNKNOWN_LEADER_EPOCH');
    expect(await code({ partition: 3 })).toBe('UNKNOWN_TOPIC_OR_PARTITION');
  });

  test('tells a reader whose log was cut where it parts from ours', async () => {
    await cluster.produce(1, topicId, ['a']);
    const answer = await cluster.fetch(1, topicId, 3, { lastFetchedEpoch: 0 });
    expect(answer).toMatchObject({ divergingEpoch: 0, divergingEndOffset: 1 });
  });

  test('has no opinion of a log that a later leader wrote', async () => {
    await cluster.produce(1, topicId, ['a']);
    const answer = await cluster.fetch(1, topicId, 3, { lastFetchedEpoch: 1 });
    expect(answer).toMatchObject({ failure: { code: 'UNKNOWN_LEADER_EPOCH' }, divergingEpoch: -1 });
  });
});

describe('offsets', () => {
  const list = async (timestamp: number) => {
    const partitions = [{ topicId, partition: 0, leaderEpoch: -1, timestamp }];
    const response = await cluster.finish(cluster.broker(1).listOffsets({ ...CONTEXT, partitions }));
    return response.partitions[0]!;
  };

  test('are found by end, beginning, time and largest time', async () => {
    const times: number[] = [];
    for (const value of ['a', 'b', 'c']) {
      times.push(cluster.clock.wallMs());
      await cluster.produce(1, topicId, [value]);
      await cluster.run(100);
    }
    expect((await list(LATEST_TIMESTAMP)).offset).toBe(3);
    expect((await list(EARLIEST_TIMESTAMP)).offset).toBe(0);
    expect((await list(times[1]!)).offset).toBe(1);
    expect((await list(MAX_TIMESTAMP)).offset).toBe(2);
    expect((await list(cluster.clock.wallMs() + 5000)).offset).toBe(-1);
  });

  test('the end is not known until the leader has caught up with its own epoch', async () => {
    const configs = { 'min.insync.replicas': '2' };
    const careful = await cluster.createTopic('careful', { replicas: [[1, 2]], configs });
    await cluster.produce(1, careful, ['a']);
    // The follower holds the record, has not heard that it is committed, and now leads alone.
    await cluster.kill(1);
    await cluster.until(() => cluster.leaderOf(careful)?.leader !== undefined);
    const partitions = [{ topicId: careful, partition: 0, leaderEpoch: -1, timestamp: LATEST_TIMESTAMP }];
    const ask = async () =>
      (await cluster.finish(cluster.broker(2).listOffsets({ ...CONTEXT, partitions }))).partitions[0];
    expect((await ask())?.failure?.code).toBe('OFFSET_NOT_AVAILABLE');
    await cluster.restart(1);
    await cluster.until(() => cluster.leaderOf(careful)!.leader!.isHighWatermarkMonotonic);
    expect((await ask())?.offset).toBe(1);
  });

  test('records before an offset can be deleted, here and at the followers', async () => {
    for (const value of ['a', 'b', 'c']) await cluster.produce(1, topicId, [value]);
    const remove = async (beforeOffset: number) => {
      const partitions = [{ topicId, partition: 0, beforeOffset }];
      const response = await cluster.finish(cluster.broker(1).deleteRecords({ ...CONTEXT, partitions }));
      return response.partitions[0]!;
    };
    expect((await remove(2)).lowWatermark).toBe(2);
    expect((await list(EARLIEST_TIMESTAMP)).offset).toBe(2);
    expect((await remove(9)).failure?.code).toBe('OFFSET_OUT_OF_RANGE');
    expect(await cluster.consume(topicId)).toEqual(['c']);
    await cluster.until(() => cluster.replica(2, topicId).log.logStartOffset === 2);
    expect((await remove(-1)).lowWatermark).toBe(3);
    expect((await cluster.fetch(1, topicId, 0))?.failure?.code).toBe('OFFSET_OUT_OF_RANGE');
  });

  test('a disk that stalls delays neither a deletion nor a lookup beyond their time', async () => {
    await cluster.produce(1, topicId, ['a', 'b']);
    const { log } = cluster.replica(1, topicId);
    const [deletion, lookup] = [new Deferred<void>(), new Deferred<undefined>()];
    vi.spyOn(log, 'deleteRecordsBefore').mockReturnValue(deletion.promise);
    vi.spyOn(log, 'offsetForTimestamp').mockReturnValue(lookup.promise);
    const remove = { ...CONTEXT, partitions: [{ topicId, partition: 0, beforeOffset: 1 }] };
    const removed = await cluster.finish(cluster.broker(1).deleteRecords(remove));
    expect(removed.partitions[0]?.failure?.code).toBe('REQUEST_TIMED_OUT');
    const ask = { topicId, partition: 0, leaderEpoch: -1, timestamp: cluster.clock.wallMs() };
    const found = await cluster.finish(cluster.broker(1).listOffsets({ ...CONTEXT, partitions: [ask] }));
    expect(found.partitions[0]?.failure?.code).toBe('REQUEST_TIMED_OUT');
    deletion.resolve();
    lookup.resolve(undefined);
  });

  test('the end of an epoch is told by the leader', async () => {
    await cluster.produce(1, topicId, ['a', 'b']);
    const partitions = [{ topicId, partition: 0, currentLeaderEpoch: 0, leaderEpoch: 0 }];
    const response = await cluster.broker(1).offsetForLeaderEpoch({ ...CONTEXT, partitions });
    expect(response.partitions[0]).toMatchObject({ leaderEpoch: 0, endOffset: 2 });
  });
});

describe('descriptions', () => {
  test('name topics, brokers and whoever leads', async () => {
    const response = await cluster.finish(
      cluster.broker(2).describeTopics({
        ...CONTEXT,
        listener: 'GRPC',
        names: ['orders', 'absent'],
        topicIds: [],
        allowAutoCreate: false,
      }),
    );
    expect(response.topics[0]).toMatchObject({
      name: 'orders',
      topicId,
      partitions: [{ partition: 0, leaderId: 1, replicas: [1, 2], isr: [1, 2] }],
    });
    expect(response.topics[1]?.failure?.code).toBe('UNKNOWN_TOPIC_OR_PARTITION');
    expect(response.brokers.map(({ id, host }) => [id, host])).toEqual([
      [1, 'broker-1'],
      [2, 'broker-2'],
    ]);
  });

  test('create what is missing if they may', async () => {
    const response = await cluster.finish(
      cluster.broker(2).describeTopics({
        ...CONTEXT,
        listener: 'GRPC',
        names: ['fresh'],
        topicIds: [],
        allowAutoCreate: true,
      }),
    );
    expect(response.topics[0]?.failure).toBeUndefined();
    expect(response.topics[0]!.partitions).toHaveLength(1);
  });

  test('count what is amiss in the cluster', async () => {
    await cluster.kill(2);
    await cluster.until(() => cluster.isrOf(topicId).length === 1);
    await cluster.run(50);
    const response = await cluster.broker(1).describeCluster({ ...CONTEXT, listener: 'GRPC' });
    expect(response).toMatchObject({
      topicCount: 1,
      partitionCount: 1,
      underReplicatedPartitionCount: 1,
      leaderlessPartitionCount: 0,
    });
  });

  test('show settings and where they come from', async () => {
    await cluster.finish(
      cluster.broker(2).alterConfigs({
        ...CONTEXT,
        validateOnly: false,
        changes: [{ resource: { kind: 'topic', name: 'orders' }, name: 'retention.ms', value: '5000' }],
      }),
    );
    await cluster.until(() => cluster.replica(2, topicId).log.config.retentionMs === 5000);
    const resources = [
      { kind: 'topic', name: 'orders' },
      { kind: 'broker', name: '2' },
      { kind: 'planet', name: 'earth' },
    ];
    const response = await cluster.broker(2).describeConfigs({ ...CONTEXT, resources });
    const entry = response.resources[0]!.entries.find(({ name }) => name === 'retention.ms');
    expect(entry).toMatchObject({ value: '5000', source: 'topic' });
    expect(response.resources[1]!.entries.some(({ name }) => name === 'replica.lag.time.max.ms')).toBe(true);
    expect(response.resources[2]?.failure?.code).toBe('INVALID_REQUEST');
  });
});

test('only where the door says so may a producer that a whole log does not know begin with another sequence than 0', async () => {
  const from = (baseSequence: number) =>
    buildBatch([{ value: Buffer.from('v'), timestamp: cluster.clock.wallMs() }], {
      producer: { producerId: 7, producerEpoch: 2, baseSequence },
    });
  expect((await produceBytes(from(5))).failure?.code).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER');
  const anywhere = { mayBeginAnywhere: true };
  expect(await produceBytes(from(5), anywhere)).toMatchObject({ failure: undefined, baseOffset: 0 });
  expect(await produceBytes(from(6))).toMatchObject({ failure: undefined, baseOffset: 1 });
  expect((await produceBytes(from(8), anywhere)).failure?.code).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER');
});

test('producer ids are given out once in the cluster', async () => {
  const ids = new Set<number>();
  for (const id of [1, 2, 1, 2]) {
    ids.add((await cluster.finish(cluster.broker(id).initProducerId(CONTEXT))).producerId);
  }
  expect(ids.size).toBe(4);
});
