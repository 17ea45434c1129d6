/** The producer against a cluster in memory: results, batching, order, retries, idempotence. */
import { describe, expect, test } from 'vitest';
import { int32, json } from '../serializers.ts';
import type { ProduceArrival, ProduceFault } from '../testing/fake-cluster.ts';
import { fixture } from '../testing/fixture.ts';

const numbered = (count: number, topic = 't') =>
  Array.from({ length: count }, (_, i) => ({ topic, partition: 0, value: `v${i}` }));
const values = (count: number) => Array.from({ length: count }, (_, i) => `v${i}`);

/** The nth arrival suffers the fault. */
const faultAt =
  (faults: Record<number, ProduceFault>) =>
  ({ nth }: ProduceArrival): ProduceFault | undefined =>
    faults[nth];

const codeOf = async (promise: PromiseLike<unknown>): Promise<string> => {
  try {
    await promise;
    return 'none';
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe('results', () => {
  test('send resolves with where the record was written', async () => {
    const { cluster, millrace, run } = fixture();
    cluster.createTopic('t', 1);
    const producer = millrace.producer();
    const first = await run(producer.send({ topic: 't', key: 'k', value: 'v0', timestamp: 1234 }));
    const second = await run(
      producer.send({ topic: 't', value: 'v1', headers: { trace: 'abc', none: null } }),
    );
    expect(first).toEqual({ topic: 't', partition: 0, offset: 0n, timestamp: 1234 });
    expect(second.offset).toBe(1n);
    const [one, two] = cluster.partition('t').records();
    expect(String(one?.key)).toBe('k');
    expect(two?.key).toBeNull();
    expect(two?.headers.map(({ key, value }) => [key, value && String(value)])).toEqual([
      ['trace', 'abc'],
      ['none', null],
    ]);
    await run(millrace.close());
  });

  test('serializers carry types; null is a tombstone; a serializer that throws fails its record alone', async () => {
    const { cluster, millrace, run } = fixture();
    cluster.createTopic('t', 1);
    const producer = millrace.producer({ keySerializer: int32, valueSerializer: json<{ a: number }>() });
    await run(producer.send({ topic: 't', key: 7, value: { a: 1 } }));
    await run(producer.send({ topic: 't', key: 7, value: null }));
    const cyclic: { a: number; self?: unknown } = { a: 1 };
    cyclic.self = cyclic;
    expect(await codeOf(producer.send({ topic: 't', key: 7, value: cyclic }))).toBe('SERIALIZATION_FAILED');
    expect(
      cluster
        .partition('t')
        .records()
        .map(({ value }) => value && String(value)),
    ).toEqual(['{"a":1}', null]);
    await run(millrace.close());
  });

  test('records sent together share a batch; offsets follow the order of send', async () => {
    const { cluster, millrace, run } = fixture();
    cluster.createTopic('t', 1);
    const producer = millrace.producer();
    const results = await run(producer.sendBatch(numbered(100)));
    expect(results.map(({ offset }) => offset)).toEqual(Array.from({ length: 100 }, (_, i) => BigInt(i)));
    expect(cluster.partition('t').batches.length).toBe(1);
    await run(millrace.close());
  });

  test('every codec reaches the log', async () => {
    for (const compression of ['gzip', 'snappy', 'lz4', 'zstd'] as const) {
      const { cluster, millrace, run } = fixture();
      cluster.createTopic('t', 1);
      await run(millrace.producer({ compression }).sendBatch(numbered(50)));
      expect(cluster.partition('t').batches[0]?.codec).toBe(compression);
      expect(cluster.partition('t').values()).toEqual(values(50));
      await run(millrace.close());
    }
  });

  test('acks=0 resolves at once, without an offset', async () => {
    const { cluster, millrace, run } = fixture();
    cluster.createTopic('t', 1);
    const { offset } = await run(millrace.producer({ acks: 0 }).send({ topic: 't', value: 'v0' }));
    expect(offset).toBe(-1n);
    expect(cluster.produceRequests[0]?.acks).toBe(0);
    await run(millrace.close());
  });
});

describe('acks=0', () => {
  test('close waits until the brokers have heard what was sent', async () => {
    const { cluster, millrace, run } = fixture({ fake: { latencyMs: 5 } });
    cluster.createTopic('t', 1);
    const producer = millrace.producer({ acks: 0, batchSize: 300 });
    for (const record of numbered(50)) void producer.send(record);
    await run(millrace.close());
    expect(cluster.partition('t').values()).toEqual(values(50));
  });

  test('close does not wait for a silent broker beyond its limit', async () => {
    const { cluster, millrace, run, clock } = fixture({ fake: { latencyMs: 5 } });
    cluster.createTopic('t', 1);
    const producer = millrace.producer({ acks: 0 });
    await run(producer.send({ topic: 't', value: 'warm' }));
    cluster.silent.add(1);
    await run(producer.send({ topic: 't', value: 'a' }));
    const startMs = clock.nowMs();
    await run(producer.close({ timeoutMs: 200 }));
    expect(clock.nowMs() - startMs).toBeLessThan(210);
    await run(millrace.close());
  });
});

describe('batching', () => {
  test('a lone record does not linger; records behind a busy broker do', async () => {
    const { cluster, millrace, run, clock, pass } = fixture({ fake: { latencyMs: 3 } });
    cluster.createTopic('t', 1);
    const producer = millrace.producer({ lingerMs: 50 });
    await run(producer.send({ topic: 't', value: 'warm' }));
    const startMs = clock.nowMs();
    await run(producer.send({ topic: 't', value: 'lone' }));
    expect(clock.nowMs() - startMs).toBeLessThan(10);
    void producer.send({ topic: 't', value: 'a' });
    await pass(1);
    void producer.send({ topic: 't', value: 'b' });
    await pass(1);
    void producer.send({ topic: 't', value: 'c' });
    await run(producer.flush());
    expect(cluster.partition('t').batches.map(({ recordCount }) => recordCount)).toEqual([1, 1, 1, 2]);
    await run(millrace.close());
  });

  test('batches that linger at a leader go together when the first one has lingered enough', async () => {
    const { cluster, millrace, run, pass } = fixture({ fake: { brokers: 1, latencyMs: 200 } });
    cluster.createTopic('t', 3);
    const producer = millrace.producer({ lingerMs: 50 });
    await run(producer.sendBatch([0, 1, 2].map((partition) => ({ topic: 't', partition, value: 'warm' }))));
    const before = cluster.produceRequests.length;
    void producer.send({ topic: 't', partition: 0, value: 'keeps the leader busy' });
    await pass(10);
    for (const partition of [0, 1, 2]) {
      void producer.send({ topic: 't', partition, value: 'x' });
      await pass(10);
    }
    await pass(300);
    const requests = cluster.produceRequests.slice(before).map(({ partitions }) => partitions);
    expect(requests.map((parts) => parts.map(({ partition }) => partition).sort())).toEqual([[0], [0, 1, 2]]);
    await run(millrace.close());
  });

  test('batches close at batchSize and share a request up to maxRequestSize', async () => {
    const { cluster, millrace, run } = fixture();
    cluster.createTopic('t', 4);
    const producer = millrace.producer({ batchSize: 1000, maxRequestSize: 2500 });
    const records = Array.from({ length: 40 }, (_, i) => ({
      topic: 't',
      partition: i % 4,
      value: 'x'.repeat(100),
    }));
    await run(producer.sendBatch(records));
    for (const { batches } of cluster.topics.get('t')!.partitions) {
      for (const batch of batches) expect(batch.sizeBytes).toBeLessThanOrEqual(1000);
    }
    for (const { partitions } of cluster.produceRequests) {
      const before = partitions.slice(0, -1).reduce((sum, { records }) => sum + records.length, 0);
      expect(before).toBeLessThan(2500);
    }
    await run(millrace.close());
  });

  test('keyless records stick to a partition for a batch, keyed ones follow their key', async () => {
    const { cluster, millrace, run } = fixture();
    cluster.createTopic('t', 8);
    const producer = millrace.producer();
    const keyless = await run(
      producer.sendBatch(Array.from({ length: 30 }, () => ({ topic: 't', value: 'x' }))),
    );
    expect(new Set(keyless.map(({ partition }) => partition)).size).toBe(1);
    const keyed = await run(
      producer.sendBatch(['a', 'b', 'a', 'b'].map((key) => ({ topic: 't', key, value: 'x' }))),
    );
    expect(keyed[0]?.partition).toBe(keyed[2]?.partition);
    expect(keyed[1]?.partition).toBe(keyed[3]?.partition);
    await run(millrace.close());
  });
});

describe('a partitioner of the user', () => {
  test('may be a plain function', async () => {
    const { cluster, millrace, run } = fixture();
    cluster.createTopic('t', 4);
    const producer = millrace.producer({ partitioner: ({ partitionCount }) => partitionCount - 1 });
    expect((await run(producer.send({ topic: 't', value: 'x' }))).partition).toBe(3);
    await run(millrace.close());
  });

  test('that throws when a batch is closed harms nobody', async () => {
    const { cluster, millrace, run } = fixture();
    cluster.createTopic('t', 1);
    const partitioner = {
      partition: () => 0,
      batchClosed: () => {
        throw new Error('mine');
      },
    };
    const producer = millrace.producer({ partitioner, batchSize: 300 });
    await run(producer.sendBatch(numbered(40)));
    expect(cluster.partition('t').values()).toEqual(values(40));
    await run(millrace.close());
  });
});

describe('order and idempotence', () => {
  test('batches carry one producer id and gapless sequences', async () => {
    const { cluster, millrace, run } = fixture();
    cluster.createTopic('t', 1);
    const producer = millrace.producer({ batchSize: 200 });
    await run(producer.sendBatch(numbered(80)));
    const batches = cluster.partition('t').batches;
    expect(batches.length).toBeGreaterThan(3);
    let expected = 0;
    for (const batch of batches) {
      expect([batch.producerId, batch.producerEpoch, batch.baseSequence]).toEqual([1000, 0, expected]);
      expected += batch.recordCount;
    }
    await run(millrace.close());
  });

  for (const fault of [
    { kind: 'refuse', code: 'NOT_ENOUGH_REPLICAS' },
    { kind: 'appendAndFail', code: 'NOT_ENOUGH_REPLICAS_AFTER_APPEND' },
    { kind: 'appendAndFail', code: 'REQUEST_TIMED_OUT' },
    { kind: 'appendAndFail', code: 'NOT_LEADER_OR_FOLLOWER' },
    { kind: 'break' },
    { kind: 'lose' },
    { kind: 'hang' },
    { kind: 'appendAndHang' },
  ] satisfies ProduceFault[]) {
    test(`${JSON.stringify(fault)} in mid-flow: every record once, in order`, async () => {
      const { cluster, millrace, run } = fixture({ fake: { latencyMs: 2 } });
      cluster.createTopic('t', 1);
      cluster.onProduce = faultAt({ 2: fault, 4: fault });
      const producer = millrace.producer({ batchSize: 200, requestTimeoutMs: 2_000 });
      const results = await run(producer.sendBatch(numbered(60)));
      expect(cluster.partition('t').values()).toEqual(values(60));
      expect(results.map(({ offset }) => Number(offset))).toEqual(values(60).map((_, i) => i));
      await run(millrace.close());
    });
  }

  test('a leader that moves in mid-flow: every record once, in order, following the hint', async () => {
    const { cluster, millrace, run } = fixture({ fake: { latencyMs: 2 } });
    cluster.createTopic('t', 1);
    cluster.onProduce = ({ nth }) => {
      if (nth === 3) cluster.move('t', 0, 2);
      return undefined;
    };
    const producer = millrace.producer({ batchSize: 200 });
    await run(producer.sendBatch(numbered(80)));
    expect(cluster.partition('t').values()).toEqual(values(80));
    await run(millrace.close());
  });

  test('a broker that dies: the producer finds the new leader by itself', async () => {
    const { cluster, millrace, run, pass } = fixture({ fake: { latencyMs: 2 } });
    cluster.createTopic('t', 1);
    const producer = millrace.producer({ batchSize: 200 });
    const first = producer.sendBatch(numbered(40));
    await pass(8);
    cluster.stop(1);
    await pass(300);
    cluster.move('t', 0, 3);
    await run(first);
    expect(cluster.partition('t').values()).toEqual(values(40));
    await run(millrace.close());
  });

  test('a broker that falls silent: a newer leader is used long before the request times out', async () => {
    const { cluster, millrace, run, clock } = fixture({ fake: { latencyMs: 2 } });
    cluster.createTopic('t', 1);
    const producer = millrace.producer({ batchSize: 200 });
    await run(producer.send({ topic: 't', value: 'warm' }));
    cluster.silent.add(1);
    const startMs = clock.nowMs();
    const sent = producer.sendBatch(numbered(40));
    cluster.partition('t').moveTo(2);
    await run(sent);
    expect(clock.nowMs() - startMs).toBeLessThan(5_000);
    expect(cluster.partition('t').values()).toEqual(['warm', ...values(40)]);
    await run(millrace.close());
  });

  test('a cluster that is silent at first is waited for beyond the time of one request, up to maxBlockMs', async () => {
    const { cluster, millrace, run, pass } = fixture({ requestTimeoutMs: 300 });
    cluster.createTopic('t', 1);
    for (const id of [1, 2, 3]) cluster.silent.add(id);
    const sent = millrace.producer({ maxBlockMs: 2_000 }).send({ topic: 't', value: 'patient' });
    await pass(1_000);
    cluster.silent.clear();
    expect((await run(sent)).offset).toBe(0n);
    for (const id of [1, 2, 3]) cluster.silent.add(id);
    const late = millrace.producer({ maxBlockMs: 1_000 }).send({ topic: 'u', value: 'too late' });
    expect(await codeOf(run(late))).toBe('REQUEST_TIMED_OUT');
    await run(millrace.close());
  });

  test('a refused batch leaves no gap: what follows starts a new epoch and arrives', async () => {
    const { cluster, millrace, run } = fixture({ fake: { latencyMs: 2 } });
    cluster.createTopic('t', 1);
    cluster.onProduce = faultAt({ 2: { kind: 'refuse', code: 'INVALID_RECORD' } });
    const producer = millrace.producer({ batchSize: 200 });
    const results = numbered(60).map((record) => producer.send(record));
    const settled = await run(Promise.allSettled(results));
    const failed = settled.filter(({ status }) => status === 'rejected').length;
    expect(failed).toBeGreaterThan(0);
    const written = values(60).filter((_, i) => settled[i]?.status === 'fulfilled');
    expect(cluster.partition('t').values()).toEqual(written);
    expect(cluster.partition('t').batches.at(-1)?.producerEpoch).toBe(1);
    await run(millrace.close());
  });

  test('a request too large for the broker ends the stream: what was written on it before is not written twice', async () => {
    const { cluster, millrace, run } = fixture({ fake: { latencyMs: 5 } });
    cluster.createTopic('t', 2);
    const producer = millrace.producer({ batchSize: 300 });
    await run(producer.send({ topic: 't', partition: 0, value: 'warm' }));
    cluster.requestBytesMax = 2_000;
    const sent = numbered(60).map((record) => producer.send(record));
    const other = producer.send({ topic: 't', partition: 1, value: 'x'.repeat(3_000) });
    const results = await run(Promise.allSettled(sent));
    expect(await codeOf(run(other))).toBe('MESSAGE_TOO_LARGE');
    expect(results.every(({ status }) => status === 'fulfilled')).toBe(true);
    expect(cluster.partition('t').values()).toEqual(['warm', ...values(60)]);
    expect(cluster.partition('t', 1).values()).toEqual([]);
    await run(producer.send({ topic: 't', partition: 0, value: 'after' }));
    await run(millrace.close());
  });

  test('behind a record too large for the broker nothing of its partition is written twice', async () => {
    const { cluster, millrace, run } = fixture({ fake: { latencyMs: 5 } });
    cluster.createTopic('t', 1);
    const producer = millrace.producer({ batchSize: 300 });
    await run(producer.send({ topic: 't', partition: 0, value: 'warm' }));
    cluster.requestBytesMax = 2_000;
    const records = numbered(60);
    records.splice(20, 0, { topic: 't', partition: 0, value: 'x'.repeat(3_000) });
    const sent = records.map((record) => producer.send(record));
    const results = await run(Promise.allSettled(sent));
    const written = cluster.partition('t').values();
    expect(new Set(written).size).toBe(written.length);
    expect(results[20]).toMatchObject({ reason: { code: 'MESSAGE_TOO_LARGE' } });
    records.forEach(({ value }, i) => {
      if (results[i]!.status === 'fulfilled') expect(written).toContain(value);
    });
    await run(producer.send({ topic: 't', partition: 0, value: 'after' }));
    await run(millrace.close());
  });

  test('batches larger than the topic allows are split; only a record that is too large by itself fails', async () => {
    for (const compression of ['none', 'gzip'] as const) {
      const { cluster, millrace, run } = fixture({ fake: { latencyMs: 2 } });
      cluster.createTopic('t', 1);
      cluster.onProduce = ({ records }) =>
        records.length > 400 ? { kind: 'refuse', code: 'MESSAGE_TOO_LARGE' } : undefined;
      const producer = millrace.producer({ compression });
      const records = numbered(200).map((record) => ({
        ...record,
        value: `${record.value}:${Math.sin(record.value.length)}`,
      }));
      const big = Array.from({ length: 800 }, (_, i) => `${Math.sin(i)}`).join('');
      const sent = records.map((record) => producer.send(record));
      const tooLarge = codeOf(producer.send({ topic: 't', partition: 0, value: big }));
      const unheard = records.map((record) => producer.send(record));
      const results = await run(Promise.all(sent));
      await run(producer.flush());
      expect(results.map(({ offset }) => Number(offset))).toEqual(values(200).map((_, i) => i));
      expect(await tooLarge).toBe('MESSAGE_TOO_LARGE');
      const expected = records.map(({ value }) => value);
      expect(cluster.partition('t').values()).toEqual([...expected, ...expected]);
      expect((await unheard[7])?.offset).toBe(207n);
      expect(cluster.produceRequests.length).toBeLessThan(200);
      await run(millrace.close());
    }
  });

  test('a broker that lost the producer state: batches never written go anew, without loss or duplicate', async () => {
    const { cluster, millrace, run } = fixture();
    cluster.createTopic('t', 1);
    const producer = millrace.producer();
    await run(producer.send({ topic: 't', value: 'v0' }));
    cluster.partition('t').forgetProducers();
    await run(producer.send({ topic: 't', value: 'v1' }));
    expect(cluster.partition('t').values()).toEqual(['v0', 'v1']);
    await run(millrace.close());
  });

  test('a batch that may be written already is never sent anew', async () => {
    const { cluster, millrace, run } = fixture();
    cluster.createTopic('t', 1);
    const producer = millrace.producer();
    await run(producer.send({ topic: 't', value: 'v0' }));
    cluster.onProduce = ({ nth }) => {
      if (nth === 2) return { kind: 'lose' };
      if (nth === 3) return { kind: 'refuse', code: 'OUT_OF_ORDER_SEQUENCE_NUMBER' };
      return undefined;
    };
    expect(await codeOf(run(producer.send({ topic: 't', value: 'v1' })))).toBe(
      'OUT_OF_ORDER_SEQUENCE_NUMBER',
    );
    await run(producer.send({ topic: 't', value: 'v2' }));
    expect(cluster.partition('t').values()).toEqual(['v0', 'v1', 'v2']);
    await run(millrace.close());
  });

  test('a duplicate whose offset is forgotten counts as written', async () => {
    const { cluster, millrace, run } = fixture();
    cluster.createTopic('t', 1);
    cluster.onProduce = faultAt({
      1: { kind: 'lose' },
      2: { kind: 'appendAndFail', code: 'DUPLICATE_SEQUENCE_NUMBER' },
    });
    const { offset } = await run(millrace.producer().send({ topic: 't', value: 'v0' }));
    expect(offset).toBe(-1n);
    expect(cluster.partition('t').values()).toEqual(['v0']);
    await run(millrace.close());
  });
});
