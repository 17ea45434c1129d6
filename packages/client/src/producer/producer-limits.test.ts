/** Where the producer's patience ends: limits, missing topics, failures nobody awaits, closing, configuration. */
import { BatchView } from '@millrace/records';
import { describe, expect, test } from 'vitest';
import { fixture } from '../testing/fixture.ts';

const numbered = (count: number, topic = 't') =>
  Array.from({ length: count }, (_, i) => ({ topic, partition: 0, value: `v${i}` }));
const values = (count: number) => Array.from({ length: count }, (_, i) => `v${i}`);

const codeOf = async (promise: PromiseLike<unknown>): Promise<string> => {
  try {
    await promise;
    return 'none';
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe('limits', () => {
  test('a record not acknowledged within deliveryTimeoutMs rejects, and the next ones still arrive once', async () => {
    const { cluster, millrace, run, clock } = fixture();
    cluster.createTopic('t', 1);
    const producer = millrace.producer({ deliveryTimeoutMs: 3_000, requestTimeoutMs: 1_000 });
    cluster.onProduce = ({ nth }) => (nth < 50 ? { kind: 'refuse', code: 'NOT_ENOUGH_REPLICAS' } : undefined);
    const startMs = clock.nowMs();
    const error = await run(
      producer.send({ topic: 't', value: 'v0' }).then(
        () => undefined,
        (reason: unknown) => reason,
      ),
    );
    expect(error).toMatchObject({ code: 'REQUEST_TIMED_OUT', retriable: true });
    expect(String(error)).toContain('min.insync.replicas');
    expect(clock.nowMs() - startMs).toBeLessThan(3_100);
    cluster.onProduce = () => undefined;
    await run(producer.send({ topic: 't', value: 'v1' }));
    expect(cluster.partition('t').values()).toEqual(['v1']);
    await run(millrace.close());
  });

  test('a full buffer makes send wait, then lets it in, in order', async () => {
    const { cluster, millrace, run } = fixture({ fake: { latencyMs: 5 } });
    cluster.createTopic('t', 1);
    const producer = millrace.producer({ batchSize: 500, bufferMemory: 2_000, maxBlockMs: 60_000 });
    await run(producer.send({ topic: 't', partition: 0, value: 'v0' }));
    const sent = numbered(40)
      .slice(1)
      .map((record) => producer.send(record));
    await run(Promise.all(sent));
    expect(cluster.partition('t').values()).toEqual(values(40));
    await run(millrace.close());
  });

  test('a buffer that stays full is BUFFER_EXHAUSTED after maxBlockMs; beyond twice bufferMemory at once', async () => {
    const { cluster, millrace, run, clock } = fixture();
    cluster.createTopic('t', 1);
    const producer = millrace.producer({
      batchSize: 500,
      bufferMemory: 1_000,
      maxBlockMs: 100,
      deliveryTimeoutMs: 5_000,
    });
    await run(producer.send({ topic: 't', value: 'warm' }));
    cluster.silent.add(1);
    cluster.silent.add(2);
    cluster.silent.add(3);
    const startMs = clock.nowMs();
    const sent = Array.from({ length: 40 }, () => producer.send({ topic: 't', value: 'x'.repeat(100) }));
    expect(producer.isFull).toBe(true);
    expect(await codeOf(sent.at(-1)!)).toBe('BUFFER_EXHAUSTED');
    expect(await codeOf(run(sent[12]!))).toBe('BUFFER_EXHAUSTED');
    expect(clock.nowMs() - startMs).toBeLessThan(110);
    expect(await codeOf(run(sent[0]!))).toBe('REQUEST_TIMED_OUT');
    await run(millrace.close({ timeoutMs: 100 }).catch(() => {}));
  });

  test('whenReady paces a loop that does not await each send', async () => {
    const { cluster, millrace, run } = fixture({ fake: { latencyMs: 2 } });
    cluster.createTopic('t', 1);
    const producer = millrace.producer({ batchSize: 500, bufferMemory: 1_500 });
    const loop = async (): Promise<void> => {
      for (const record of numbered(200)) {
        if (producer.isFull) await producer.whenReady();
        void producer.send(record);
      }
      await producer.flush();
    };
    await run(loop());
    expect(cluster.partition('t').values()).toEqual(values(200));
    await run(millrace.close());
  });

  test('a topic that is deleted fails what is under way and what waits within missingTopicTimeoutMs', async () => {
    const { cluster, millrace, run, pass, clock } = fixture({ fake: { latencyMs: 2 } });
    cluster.createTopic('t', 1);
    const producer = millrace.producer();
    await run(producer.send({ topic: 't', value: 'warm' }));
    cluster.topics.delete('t');
    const startMs = clock.nowMs();
    const underWay = codeOf(producer.send({ topic: 't', value: 'a' }));
    await pass(100);
    const waiting = codeOf(producer.send({ topic: 't', value: 'b' }));
    expect(await run(waiting)).toBe('UNKNOWN_TOPIC_OR_PARTITION');
    expect(await run(underWay)).toBe('UNKNOWN_TOPIC_OR_PARTITION');
    expect(clock.nowMs() - startMs).toBeLessThan(4_500);
    await run(producer.flush());
    await run(millrace.close());
  });

  test('sends that wait for room go on when metadata that was lost returns', async () => {
    const { cluster, millrace, run, pass, clock } = fixture({ fake: { latencyMs: 20 } });
    const topic = cluster.createTopic('t', 1);
    cluster.createTopic('u', 1);
    const producer = millrace.producer({ batchSize: 300, bufferMemory: 600, maxBlockMs: 60_000 });
    await run(producer.send({ topic: 't', partition: 0, value: 'warm' }));
    const sent = numbered(60).map((record) => producer.send(record));
    expect(producer.isFull).toBe(true);
    await pass(5);
    cluster.onUnary = () => {
      cluster.topics.delete('t');
      return undefined;
    };
    const other = producer.send({ topic: 'u', value: 'x' });
    await pass(60);
    cluster.onUnary = () => undefined;
    cluster.topics.set('t', topic);
    const startMs = clock.nowMs();
    await run(Promise.all([...sent, other]));
    expect(clock.nowMs() - startMs).toBeLessThan(3_000);
    expect(cluster.partition('t').values()).toEqual(['warm', ...values(60)]);
    await run(millrace.close());
  });

  test('an unknown topic rejects within missingTopicTimeoutMs; one that appears meanwhile is used', async () => {
    const { cluster, millrace, run, pass, clock } = fixture();
    const producer = millrace.producer();
    const startMs = clock.nowMs();
    expect(await codeOf(run(producer.send({ topic: 'nowhere', value: 'x' })))).toBe(
      'UNKNOWN_TOPIC_OR_PARTITION',
    );
    expect(clock.nowMs() - startMs).toBeLessThanOrEqual(2_100);
    const late = producer.send({ topic: 'late', value: 'x' });
    await pass(500);
    cluster.createTopic('late', 1);
    expect((await run(late)).offset).toBe(0n);
    expect(await codeOf(producer.send({ topic: 'bad name', value: 'x' }))).toBe('INVALID_TOPIC_EXCEPTION');
    expect(await codeOf(run(producer.send({ topic: 'late', partition: 9, value: 'x' })))).toBe(
      'UNKNOWN_TOPIC_OR_PARTITION',
    );
    await run(millrace.close().catch(() => {}));
  });
});

describe('failures nobody awaits', () => {
  test('do not surface as unhandled rejections but in flush, once', async () => {
    const { cluster, millrace, run } = fixture();
    cluster.createTopic('t', 1);
    cluster.onProduce = () => ({ kind: 'refuse', code: 'POLICY_VIOLATION' });
    const producer = millrace.producer();
    void producer.send({ topic: 't', value: 'a' });
    void producer.send({ topic: 't', value: 'b' });
    const awaited = producer.send({ topic: 't', value: 'c' });
    expect(await codeOf(run(awaited))).toBe('POLICY_VIOLATION');
    const error = await run(
      producer.flush().then(
        () => undefined,
        (reason: unknown) => reason,
      ),
    );
    expect(error).toMatchObject({ code: 'POLICY_VIOLATION' });
    expect(String(error)).toContain('2 records were not written');
    await run(producer.flush());
    await run(millrace.close());
  });

  test('surface in flush although the send could have been aborted', async () => {
    const { cluster, millrace, run } = fixture();
    cluster.createTopic('t', 1);
    cluster.onProduce = () => ({ kind: 'refuse', code: 'POLICY_VIOLATION' });
    const producer = millrace.producer();
    const { signal } = new AbortController();
    void producer.send({ topic: 't', value: 'a' }, { signal });
    expect(await codeOf(run(producer.flush()))).toBe('POLICY_VIOLATION');
    void producer.send({ topic: 't', value: 'b' }, { signal });
    expect(await codeOf(run(producer.flush()))).toBe('POLICY_VIOLATION');
    await run(millrace.close());
  });

  test('surface in close as well', async () => {
    const { millrace, run } = fixture();
    const producer = millrace.producer();
    void producer.send({ topic: 'nowhere', value: 'a' });
    expect(await codeOf(run(producer.close()))).toBe('UNKNOWN_TOPIC_OR_PARTITION');
    await run(millrace.close().catch(() => {}));
  });
});

describe('ending', () => {
  test('close delivers what waits, refuses what comes later, and is idempotent', async () => {
    const { cluster, millrace, run } = fixture({ fake: { latencyMs: 5 } });
    cluster.createTopic('t', 1);
    const producer = millrace.producer({ lingerMs: 10_000, batchSize: 300 });
    const sent = numbered(30).map((record) => producer.send(record));
    const closing = producer.close();
    expect(producer.close()).toBe(closing);
    expect(await codeOf(producer.send({ topic: 't', value: 'late' }))).toBe('CLOSED');
    await run(closing);
    await Promise.all(sent);
    expect(cluster.partition('t').values()).toEqual(values(30));
    await run(millrace.close());
  });

  test('close gives up at its limit: promises reject with CLOSED and close says so', async () => {
    const { cluster, millrace, run, clock } = fixture();
    cluster.createTopic('t', 1);
    const producer = millrace.producer();
    await run(producer.send({ topic: 't', value: 'warm' }));
    cluster.silent.add(1);
    const awaited = codeOf(producer.send({ topic: 't', value: 'a' }));
    void producer.send({ topic: 't', value: 'b' });
    const startMs = clock.nowMs();
    expect(await codeOf(run(producer.close({ timeoutMs: 200 })))).toBe('CLOSED');
    expect(clock.nowMs() - startMs).toBeLessThan(210);
    expect(await awaited).toBe('CLOSED');
    await run(millrace.close());
  });

  test('an aborted send rejects with CANCELLED; one that still waits is not sent at all', async () => {
    const { cluster, millrace, run, pass } = fixture();
    const producer = millrace.producer();
    const controller = new AbortController();
    const waiting = codeOf(producer.send({ topic: 't', value: 'a' }, { signal: controller.signal }));
    await pass(5);
    controller.abort();
    expect(await waiting).toBe('CANCELLED');
    expect(await codeOf(producer.send({ topic: 't', value: 'b' }, { signal: controller.signal }))).toBe(
      'CANCELLED',
    );
    cluster.createTopic('t', 1);
    await run(producer.send({ topic: 't', value: 'c' }));
    expect(cluster.partition('t').values()).toEqual(['c']);
    await run(millrace.close());
  });
});

describe('configuration', () => {
  test('every wrong option is named at once', () => {
    const { millrace } = fixture();
    const wrong = { lingerMs: -1, batchSize: 'big', nonsense: 1 } as object;
    expect(() => millrace.producer(wrong)).toThrow(
      /nonsense.*lingerMs.*batchSize|lingerMs.*batchSize.*nonsense/s,
    );
    expect(() => millrace.producer({ maxInFlight: 6 })).toThrow(/idempotence/);
    expect(() => millrace.producer({ acks: 1, idempotence: true })).toThrow(/idempotence/);
    millrace.producer({ acks: 1 });
  });

  test('the request carries the leader epoch and the cluster id', async () => {
    const { cluster, millrace, run } = fixture();
    cluster.createTopic('t', 1);
    cluster.move('t', 0, 2);
    await run(millrace.producer().send({ topic: 't', value: 'x' }));
    const request = cluster.produceRequests[0]!;
    expect(request.partitions[0]?.leaderEpoch).toBe(1);
    expect(request.header.clusterId).toBe('fake-cluster');
    expect(BatchView.at(request.partitions[0]!.records, 0)?.recordCount).toBe(1);
    await run(millrace.close());
  });
});
