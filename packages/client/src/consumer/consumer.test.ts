/** The consumer against a cluster in memory: positions, resets, truncation, prefetch, waking up, ending. */
import { buildBatch } from '@millrace/records';
import { describe, expect, test } from 'vitest';
import { int32, json } from '../serializers.ts';
import { type FakeCluster, failureOf } from '../testing/fake-cluster.ts';
import { fixture, settle } from '../testing/fixture.ts';
import type { Consumer } from './consumer.ts';
import type { ConsumerRecord } from './consumer-record.ts';

const tp = (partition = 0) => ({ topic: 't', partition });

/** Appends batches of `size` records: values v0, v1, … and timestamps 1000, 1001, … */
function fill(cluster: FakeCluster, count: number, size = 10, partition = 0): void {
  const log = cluster.partition('t', partition);
  for (let at = 0; at < count; at += size) {
    const from = log.endOffset;
    const records = Array.from({ length: Math.min(size, count - at) }, (_, i) => ({
      timestamp: 1000 + from + i,
      value: Buffer.from(`v${from + i}`),
    }));
    log.append(buildBatch(records));
  }
  cluster.wakeFetches();
}

const valuesOf = (records: Iterable<ConsumerRecord<unknown, unknown>>): string[] =>
  Array.from(records, ({ value }) => String(value));
const range = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, i) => `v${from + i}`);

async function readAll<K, V>(consumer: Consumer<K, V>, count: number): Promise<ConsumerRecord<K, V>[]> {
  const records: ConsumerRecord<K, V>[] = [];
  for await (const batch of consumer) {
    records.push(...batch);
    if (records.length >= count) break;
  }
  return records;
}

const codeOf = async (promise: PromiseLike<unknown>): Promise<string> => {
  try {
    await promise;
    return 'none';
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe('reading', () => {
  test('batches arrive in order with bigint offsets, and end where they say', async () => {
    const { cluster, millrace, run } = fixture();
    cluster.createTopic('t', 1);
    fill(cluster, 95);
    const consumer = millrace.consumer({ autoOffsetReset: 'earliest', maxPollRecords: 7 });
    consumer.assign([tp()]);
    const seen: string[] = [];
    const loop = async (): Promise<void> => {
      for await (const batch of consumer) {
        expect(batch.records.length).toBeLessThanOrEqual(7);
        expect(batch.firstOffset).toBe(BigInt(seen.length));
        seen.push(...valuesOf(batch));
        expect(batch.nextOffset).toBe(BigInt(seen.length));
        expect(batch.highWatermark).toBe(95n);
        if (seen.length === 95) break;
      }
    };
    await run(loop());
    expect(seen).toEqual(range(0, 95));
    expect(await run(consumer.position(tp()))).toBe(95n);
    await run(millrace.close());
  });

  test('assignTopics reads every partition, each in order', async () => {
    const { cluster, millrace, run } = fixture();
    cluster.createTopic('t', 5);
    for (let partition = 0; partition < 5; partition++) fill(cluster, 40, 4, partition);
    const consumer = millrace.consumer({ autoOffsetReset: 'earliest', maxPollRecords: 3 });
    expect(await run(consumer.assignTopics(['t']))).toHaveLength(5);
    const records = await run(readAll(consumer, 200));
    for (let partition = 0; partition < 5; partition++) {
      expect(valuesOf(records.filter((record) => record.partition === partition))).toEqual(range(0, 40));
    }
    await run(millrace.close());
  });

  test('a waiting reader wakes as soon as a record is there', async () => {
    const { cluster, millrace, run, pass, clock } = fixture();
    cluster.createTopic('t', 2);
    const consumer = millrace.consumer({ autoOffsetReset: 'earliest', fetchMaxWaitMs: 500 });
    consumer.assign([tp(0), tp(1)]);
    const polled = consumer.poll();
    await pass(1234);
    const startMs = clock.nowMs();
    fill(cluster, 1);
    expect(valuesOf(await run(polled))).toEqual(['v0']);
    expect(clock.nowMs() - startMs).toBeLessThanOrEqual(3);
    await run(millrace.close());
  });

  test('a partition that is resumed does not wait for the long poll of another', async () => {
    const { cluster, millrace, run, pass, clock } = fixture({ fake: { brokers: 1 } });
    cluster.createTopic('t', 2);
    const consumer = millrace.consumer({ autoOffsetReset: 'earliest', fetchMaxWaitMs: 10_000 });
    consumer.assign([tp(0), tp(1)]);
    consumer.pause([tp(1)]);
    fill(cluster, 1, 1, 1);
    const polled = consumer.poll();
    await pass(100);
    const startMs = clock.nowMs();
    consumer.resume([tp(1)]);
    expect(await run(polled)).toHaveLength(1);
    expect(clock.nowMs() - startMs).toBeLessThanOrEqual(5);
    await run(millrace.close());
  });

  test('what waits for a paused partition does not keep the others from being fetched', async () => {
    const { cluster, millrace, run, pass } = fixture();
    cluster.createTopic('t', 2);
    fill(cluster, 40, 1, 0);
    fill(cluster, 4, 1, 1);
    const consumer = millrace.consumer({ autoOffsetReset: 'earliest', prefetchMaxBytes: 500 });
    consumer.assign([tp(0)]);
    await pass(50);
    consumer.pause();
    consumer.assign([tp(0), tp(1)]);
    const records = await run(consumer.poll({ timeoutMs: 1_000 }));
    expect(records.map(({ partition }) => partition)).toEqual([1, 1, 1, 1]);
    await run(millrace.close());
  });

  test('poll gathers from several partitions up to maxRecords, and is empty after its time limit', async () => {
    const { cluster, millrace, run, pass, clock } = fixture();
    cluster.createTopic('t', 2);
    const consumer = millrace.consumer({ autoOffsetReset: 'earliest' });
    consumer.assign([tp(0), tp(1)]);
    const startMs = clock.nowMs();
    expect(await run(consumer.poll({ timeoutMs: 50 }))).toEqual([]);
    expect(clock.nowMs() - startMs).toBeLessThan(55);
    fill(cluster, 4, 4, 0);
    fill(cluster, 4, 4, 1);
    await pass(20);
    expect(await run(consumer.poll({ maxRecords: 6 }))).toHaveLength(6);
    expect(await run(consumer.poll({ maxRecords: 6 }))).toHaveLength(2);
    await run(millrace.close());
  });

  test('deserializers carry types; one that throws spoils only its record', async () => {
    const { cluster, millrace, run } = fixture();
    cluster.createTopic('t', 1);
    const key = int32.serialize(5) as Buffer;
    cluster.partition('t').append(
      buildBatch([
        { key, value: Buffer.from('{"a":1}'), headers: [{ key: 'h', value: Buffer.from('x') }] },
        { key: null, value: Buffer.from('{') },
        { key, value: null },
      ]),
    );
    const consumer = millrace.consumer({
      autoOffsetReset: 'earliest',
      keyDeserializer: int32,
      valueDeserializer: json<{ a: number }>(),
    });
    consumer.assign([tp()]);
    const [one, two, three] = await run(consumer.poll());
    expect([one?.key, one?.value?.a, String(one?.header('h')), one?.header('no')]).toEqual([
      5,
      1,
      'x',
      undefined,
    ]);
    expect(() => two?.value).toThrow(/t-0 offset 1/);
    expect([two?.key, three?.value]).toEqual([null, null]);
    await run(millrace.close());
  });
});

describe('positions', () => {
  test('seek starts at the offset, in mid-batch; what was fetched before is dropped', async () => {
    const { cluster, millrace, run } = fixture();
    cluster.createTopic('t', 1);
    fill(cluster, 100, 50);
    const consumer = millrace.consumer({ autoOffsetReset: 'earliest', maxPollRecords: 5 });
    consumer.assign([tp()]);
    expect(valuesOf(await run(consumer.poll()))).toEqual(range(0, 5));
    consumer.seek(tp(), 73n);
    expect(valuesOf(await run(consumer.poll()))).toEqual(range(73, 78));
    consumer.seek(tp(), 2);
    expect(valuesOf(await run(consumer.poll()))).toEqual(range(2, 7));
    expect(await run(consumer.position(tp()))).toBe(7n);
    await run(millrace.close());
  });

  test('beginning, end and timestamp', async () => {
    const { cluster, millrace, run, pass } = fixture();
    cluster.createTopic('t', 1);
    fill(cluster, 30);
    const consumer = millrace.consumer({ autoOffsetReset: 'none' });
    consumer.assign([tp()]);
    consumer.seekToTimestamp(1017);
    expect(await run(consumer.position(tp()))).toBe(17n);
    consumer.seekToTimestamp(99_999);
    expect(await run(consumer.position(tp()))).toBe(30n);
    consumer.seekToEnd();
    const polled = consumer.poll();
    await pass(20);
    fill(cluster, 1);
    expect(valuesOf(await run(polled))).toEqual(['v30']);
    consumer.seekToBeginning([tp()]);
    expect(await run(consumer.position(tp()))).toBe(0n);
    expect(await run(consumer.beginningOffsets([tp()]))).toEqual([{ ...tp(), offset: 0n }]);
    expect(await run(consumer.endOffsets([tp()]))).toEqual([{ ...tp(), offset: 31n }]);
    const times = await run(
      consumer.offsetsForTimes([
        { ...tp(), timestampMs: 1009 },
        { ...tp(), timestampMs: 5000 },
      ]),
    );
    expect(times.map(({ found }) => found)).toEqual([{ offset: 9n, timestamp: 1009 }, null]);
    await run(millrace.close());
  });

  test('a new assignment keeps the positions of partitions that stay', async () => {
    const { cluster, millrace, run } = fixture();
    cluster.createTopic('t', 2);
    fill(cluster, 20);
    const consumer = millrace.consumer({ autoOffsetReset: 'earliest', maxPollRecords: 5 });
    consumer.assign([tp(0)]);
    await run(consumer.poll());
    consumer.assign([tp(0), tp(1)]);
    expect(valuesOf(await run(consumer.poll()))).toEqual(range(5, 10));
    consumer.assign([tp(1)]);
    expect(consumer.assignment()).toEqual([tp(1)]);
    expect(() => consumer.seek(tp(0), 0)).toThrow(/not assigned/);
    await run(millrace.close());
  });

  test('who fell behind the log start is not sent back by a new leader that has not heard of it', async () => {
    const { cluster, millrace, run } = fixture();
    cluster.createTopic('t', 1);
    fill(cluster, 30);
    const consumer = millrace.consumer({ autoOffsetReset: 'earliest', maxPollRecords: 10 });
    consumer.assign([tp()]);
    expect(valuesOf(await run(readAll(consumer, 10)))).toEqual(range(0, 10));
    consumer.seek(tp(), 10);
    const failure = failureOf('OFFSET_OUT_OF_RANGE');
    let refused = 0;
    cluster.onFetch = ({ fetchOffset }) => {
      if (fetchOffset !== 10 || refused++ > 0) return undefined;
      cluster.partition('t').moveTo(2);
      return { failure, logStartOffset: 25 };
    };
    expect(valuesOf(await run(readAll(consumer, 20)))).toEqual(range(10, 30));
    expect(refused).toBeGreaterThan(1);
    await run(millrace.close());
  });

  test('without a reset policy: no position, and an offset that is gone, are errors; the consumer stays usable', async () => {
    const { cluster, millrace, run } = fixture();
    cluster.createTopic('t', 1);
    fill(cluster, 30);
    const consumer = millrace.consumer({ autoOffsetReset: 'none' });
    consumer.assign([tp()]);
    expect(await codeOf(run(consumer.poll()))).toBe('NO_OFFSET_FOR_PARTITION');
    consumer.seek(tp(), 99);
    expect(await codeOf(run(consumer.poll()))).toBe('OFFSET_OUT_OF_RANGE');
    consumer.seek(tp(), 29);
    expect(valuesOf(await run(consumer.poll()))).toEqual(['v29']);
    await run(millrace.close());
  });

  test('with a policy an offset that retention removed is reset', async () => {
    const { cluster, millrace, run } = fixture();
    cluster.createTopic('t', 1);
    fill(cluster, 30);
    const log = cluster.partition('t');
    log.startOffset = 20;
    log.batches = log.batches.slice(2);
    const consumer = millrace.consumer({ autoOffsetReset: 'earliest' });
    consumer.assign([tp()]);
    consumer.seek(tp(), 3);
    expect(valuesOf(await run(consumer.poll({ maxRecords: 2 })))).toEqual(['v20', 'v21']);
    await run(millrace.close());
  });
});

describe('leaders and truncation', () => {
  test('reading goes on when the leader moves, and when it dies', async () => {
    const { cluster, millrace, run, pass } = fixture();
    cluster.createTopic('t', 1);
    fill(cluster, 20);
    const consumer = millrace.consumer({ autoOffsetReset: 'earliest' });
    consumer.assign([tp()]);
    expect(valuesOf(await run(consumer.poll({ maxRecords: 10 })))).toEqual(range(0, 10));
    cluster.move('t', 0, 2);
    fill(cluster, 10);
    expect(valuesOf(await run(readAll(consumer, 20)))).toEqual(range(10, 30));
    const polled = consumer.poll();
    await pass(10);
    cluster.stop(2);
    await pass(200);
    cluster.move('t', 0, 3);
    fill(cluster, 5);
    expect(valuesOf(await run(polled))).toEqual(range(30, 35));
    await run(millrace.close());
  });

  test('a silent leader is left when a newer one is known', async () => {
    const { cluster, millrace, run, pass, clock } = fixture();
    cluster.createTopic('t', 1);
    fill(cluster, 10);
    const consumer = millrace.consumer({ autoOffsetReset: 'earliest' });
    consumer.assign([tp()]);
    await run(consumer.poll());
    cluster.silent.add(1);
    await pass(5);
    const startMs = clock.nowMs();
    cluster.partition('t').moveTo(2);
    fill(cluster, 10);
    expect(valuesOf(await run(consumer.poll()))).toEqual(range(10, 20));
    expect(clock.nowMs() - startMs).toBeLessThan(6_000);
    await run(millrace.close());
  });

  test('a log cut beneath the reader is noticed even after it grew again (KIP-320)', async () => {
    for (const autoOffsetReset of ['latest', 'none'] as const) {
      const { cluster, millrace, run } = fixture();
      cluster.createTopic('t', 1);
      fill(cluster, 30);
      const consumer = millrace.consumer({ autoOffsetReset });
      consumer.assign([tp()]);
      consumer.seek(tp(), 0);
      await run(readAll(consumer, 30));
      const log = cluster.partition('t');
      log.truncateTo(10);
      log.moveTo(2);
      fill(cluster, 40);
      if (autoOffsetReset === 'none') {
        expect(await codeOf(run(consumer.poll()))).toBe('OFFSET_OUT_OF_RANGE');
      } else {
        expect(valuesOf(await run(consumer.poll({ maxRecords: 3 })))).toEqual(['v10', 'v11', 'v12']);
      }
      await run(millrace.close());
    }
  });

  test('prefetched records that a truncation replaced are never handed out', async () => {
    const { cluster, millrace, run, pass } = fixture();
    cluster.createTopic('t', 1);
    fill(cluster, 20);
    const consumer = millrace.consumer({ autoOffsetReset: 'earliest', maxPollRecords: 10 });
    consumer.assign([tp()]);
    expect(valuesOf(await run(consumer.poll()))).toEqual(range(0, 10));
    await pass(5);
    const log = cluster.partition('t');
    log.truncateTo(10);
    log.moveTo(2);
    log.append(buildBatch([{ value: Buffer.from('new') }]));
    await pass(600);
    expect(valuesOf(await run(consumer.poll()))).toEqual(['new']);
    await run(millrace.close());
  });
});

describe('a topic that is deleted and created again', () => {
  test('is read from its beginning, or is an error without a reset policy', async () => {
    for (const autoOffsetReset of ['latest', 'none'] as const) {
      const { cluster, millrace, run, pass } = fixture();
      cluster.createTopic('t', 1);
      fill(cluster, 30);
      const consumer = millrace.consumer({ autoOffsetReset });
      consumer.assign([tp()]);
      consumer.seek(tp(), 20);
      expect(valuesOf(await run(consumer.poll()))).toEqual(range(20, 30));
      cluster.topics.delete('t');
      await pass(5);
      cluster.createTopic('t', 1);
      fill(cluster, 40);
      const polled = run(consumer.poll({ maxRecords: 2 }));
      if (autoOffsetReset === 'none') expect(await codeOf(polled)).toBe('OFFSET_OUT_OF_RANGE');
      else expect(valuesOf(await polled)).toEqual(['v0', 'v1']);
      await run(millrace.close());
    }
  });
});

describe('bad answers', () => {
  test('a corrupt batch is CORRUPT_MESSAGE after the good ones before it, and can be skipped', async () => {
    const { cluster, millrace, run } = fixture();
    cluster.createTopic('t', 1);
    fill(cluster, 30);
    const middle = cluster.partition('t').batches[1]!.bytes;
    middle[70]! ^= 1;
    const consumer = millrace.consumer({ autoOffsetReset: 'earliest' });
    consumer.assign([tp()]);
    expect(valuesOf(await run(consumer.poll()))).toEqual(range(0, 10));
    expect(await codeOf(run(consumer.poll()))).toBe('CORRUPT_MESSAGE');
    expect(await codeOf(run(consumer.poll()))).toBe('CORRUPT_MESSAGE');
    consumer.seek(tp(), 20);
    expect(valuesOf(await run(consumer.poll()))).toEqual(range(20, 30));
    await run(millrace.close());
  });

  test('trouble that passes is waited out', async () => {
    const { cluster, millrace, run } = fixture();
    cluster.createTopic('t', 1);
    fill(cluster, 10);
    let left = 5;
    cluster.onFetch = () => (left-- > 0 ? 'KAFKA_STORAGE_ERROR' : undefined);
    const consumer = millrace.consumer({ autoOffsetReset: 'earliest' });
    consumer.assign([tp()]);
    expect(await run(consumer.poll())).toHaveLength(10);
    await run(millrace.close());
  });

  test('an unknown topic or partition is an error, not a wait', async () => {
    const { cluster, millrace, run } = fixture();
    cluster.createTopic('t', 1);
    const consumer = millrace.consumer({ autoOffsetReset: 'earliest' });
    expect(await codeOf(run(consumer.assignTopics(['nowhere'])))).toBe('UNKNOWN_TOPIC_OR_PARTITION');
    consumer.assign([{ topic: 'nowhere', partition: 0 }]);
    expect(await codeOf(run(consumer.poll()))).toBe('UNKNOWN_TOPIC_OR_PARTITION');
    consumer.assign([tp(7)]);
    expect(await codeOf(run(consumer.poll()))).toBe('UNKNOWN_TOPIC_OR_PARTITION');
    await run(millrace.close());
  });
});

describe('back-pressure and ending', () => {
  test('a reader that does not read stops the fetching', async () => {
    const { cluster, millrace, run, pass } = fixture();
    cluster.createTopic('t', 1);
    fill(cluster, 5_000, 100);
    const consumer = millrace.consumer({
      autoOffsetReset: 'earliest',
      maxPollRecords: 100,
      maxPartitionFetchBytes: 4_000,
      prefetchMaxBytes: 6_000,
    });
    consumer.assign([tp()]);
    await run(consumer.poll());
    await pass(2_000);
    const fetches = cluster.fetchRequests.length;
    expect(fetches).toBeLessThan(8);
    await pass(2_000);
    expect(cluster.fetchRequests.length).toBe(fetches);
    expect(valuesOf(await run(readAll(consumer, 4_900)))).toEqual(range(100, 5_000));
    await run(millrace.close());
  });

  test('an abort signal ends a poll and a loop with CANCELLED; close ends a loop in order', async () => {
    const { cluster, millrace, run, pass } = fixture();
    cluster.createTopic('t', 1);
    const consumer = millrace.consumer({ autoOffsetReset: 'earliest' });
    consumer.assign([tp()]);
    const controller = new AbortController();
    const polled = codeOf(consumer.poll({ signal: controller.signal }));
    await pass(5);
    expect(await codeOf(consumer.poll())).toBe('INVALID_REQUEST');
    controller.abort();
    expect(await polled).toBe('CANCELLED');
    const looped = (async () => {
      for await (const _ of consumer) throw new Error('there is nothing to read');
      return 'ended';
    })();
    await pass(5);
    await consumer.close();
    expect(await looped).toBe('ended');
    expect(await codeOf(consumer.poll())).toBe('CLOSED');
    await settle();
    await run(millrace.close());
  });

  test('a partition that was just added is asked for before it is denied', async () => {
    const { cluster, millrace, run } = fixture();
    cluster.createTopic('t', 1);
    const consumer = millrace.consumer({ autoOffsetReset: 'earliest' });
    consumer.assign([{ topic: 't', partition: 0 }]);
    await run(consumer.poll({ timeoutMs: 20 }));
    cluster.addPartitions('t', 3);
    await run(millrace.producer().send({ topic: 't', partition: 2, value: 'x' }));
    consumer.assign([{ topic: 't', partition: 2 }]);
    expect((await run(consumer.poll())).map(({ partition }) => partition)).toEqual([2]);
    consumer.assign([{ topic: 't', partition: 7 }]);
    const denied = await run(consumer.poll().catch((error: unknown) => error));
    expect(denied).toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION' });
    expect(String(denied)).toContain('partitions 0 to 2, not 7');
    await run(millrace.close());
  });
});
