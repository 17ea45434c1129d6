/** A producer when topics change under it, brokers refuse what is too large, and first batches are turned away. */
import { describe, expect, test } from 'vitest';
import { fixture } from '../testing/fixture.ts';

const numbered = (count: number, partition = 0) =>
  Array.from({ length: count }, (_, i) => ({ topic: 't', partition, value: `v${i}` }));
const values = (count: number) => Array.from({ length: count }, (_, i) => `v${i}`);

const codeOf = async (promise: PromiseLike<unknown>): Promise<string> => {
  try {
    await promise;
    return 'none';
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe('a topic that changes under a running producer', () => {
  test('deleted and created again, it gets every record that is sent, from the first one on', async () => {
    const { cluster, millrace, run } = fixture({ fake: { latencyMs: 2 } });
    cluster.createTopic('t', 1);
    const producer = millrace.producer({ batchSize: 200 });
    await run(producer.sendBatch(numbered(20)));
    cluster.topics.delete('t');
    cluster.createTopic('t', 1);
    const results = await run(producer.sendBatch(numbered(60)));
    expect(results.map(({ offset }) => Number(offset))).toEqual(values(60).map((_, i) => i));
    expect(cluster.partition('t').values()).toEqual(values(60));
    await run(millrace.close());
  });

  test('created again with fewer partitions, it fails what waits for the others, with the reason', async () => {
    const { cluster, millrace, run, clock } = fixture({ fake: { latencyMs: 2 } });
    cluster.createTopic('t', 3);
    const producer = millrace.producer();
    await run(producer.send({ topic: 't', partition: 2, value: 'warm' }));
    cluster.topics.delete('t');
    cluster.createTopic('t', 1);
    const startMs = clock.nowMs();
    expect(await codeOf(run(producer.send({ topic: 't', partition: 2, value: 'x' })))).toBe(
      'UNKNOWN_TOPIC_OR_PARTITION',
    );
    expect(clock.nowMs() - startMs).toBeLessThan(4_000);
    await run(millrace.close());
  });

  test('with a partition more, it takes records for that one at once, and others are not held up', async () => {
    const { cluster, millrace, run, clock } = fixture({ fake: { latencyMs: 2 } });
    cluster.createTopic('t', 1);
    const admin = millrace.admin();
    const producer = millrace.producer();
    await run(producer.send({ topic: 't', value: 'warm' }));
    await run(admin.createPartitions([{ topic: 't', totalCount: 3 }]));
    const startMs = clock.nowMs();
    const [added, known] = [numbered(1, 2)[0]!, numbered(1)[0]!].map((record) => producer.send(record));
    expect(await run(added!)).toMatchObject({ partition: 2, offset: 0n });
    expect(await run(known!)).toMatchObject({ partition: 0, offset: 1n });
    expect(clock.nowMs() - startMs).toBeLessThan(100);
    cluster.addPartitions('t', 5);
    const at = [{ topic: 't', partition: 4, at: 'latest' as const }];
    expect((await run(admin.listOffsets(at)))[0]?.offset).toBe(0n);
    await run(millrace.close());
  });

  test('a partition that does not exist fails its own records, not those behind them, and only once asks', async () => {
    const { cluster, millrace, run, clock } = fixture({ fake: { latencyMs: 2 } });
    cluster.createTopic('t', 1);
    const producer = millrace.producer();
    await run(producer.send({ topic: 't', value: 'warm' }));
    const wrong = [1, 2].map(() => codeOf(producer.send({ topic: 't', partition: 9, value: 'x' })));
    const right = producer.send({ topic: 't', partition: 0, value: 'y' });
    for (const code of wrong) expect(await run(code)).toBe('UNKNOWN_TOPIC_OR_PARTITION');
    expect((await run(right)).offset).toBe(1n);
    const startMs = clock.nowMs();
    expect(await codeOf(producer.send({ topic: 't', partition: 9, value: 'x' }))).toBe(
      'UNKNOWN_TOPIC_OR_PARTITION',
    );
    expect(clock.nowMs()).toBe(startMs);
    await run(millrace.close());
  });
});

describe('batches larger than the topic takes', () => {
  test('are split in less than a second, however many records they hold', async () => {
    const { cluster, millrace, run, clock } = fixture({ fake: { latencyMs: 2 } });
    cluster.createTopic('t', 1);
    cluster.onProduce = ({ records }) =>
      records.length > 1_000 ? { kind: 'refuse', code: 'MESSAGE_TOO_LARGE' } : undefined;
    const producer = millrace.producer();
    await run(producer.send({ topic: 't', value: 'warm' }));
    const startMs = clock.nowMs();
    await run(producer.sendBatch(numbered(5_000)));
    expect(clock.nowMs() - startMs).toBeLessThan(1_000);
    expect(cluster.partition('t').values()).toEqual(['warm', ...values(5_000)]);
    const refused = cluster.produceRequests.filter(({ partitions }) => partitions[0]!.records.length > 1_000);
    expect(refused.length).toBeLessThan(15);
    await run(millrace.close());
  });

  test('a record that no frame holds fails before it is sent; what is sent around it arrives', async () => {
    const { cluster, millrace, run } = fixture({ fake: { latencyMs: 2 } });
    cluster.createTopic('t', 1);
    cluster.requestBytesMax = 65_536;
    const producer = millrace.producer({ frameMaxBytes: 65_536, batchSize: 1_000 });
    const records = numbered(40);
    records.splice(20, 0, { topic: 't', partition: 0, value: 'x'.repeat(65_000) });
    const results = await run(Promise.allSettled(records.map((record) => producer.send(record))));
    expect(results[20]).toMatchObject({ reason: { code: 'MESSAGE_TOO_LARGE' } });
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(40);
    expect(cluster.partition('t').values()).toEqual(values(40));
    expect(Math.max(...cluster.produceRequests.map(sizeOf))).toBeLessThan(65_000);
    await run(millrace.close());
  });

  test('no request holds more than maxRequestSize, but for a batch that is alone in it', async () => {
    const { cluster, millrace, run } = fixture({ fake: { brokers: 1, latencyMs: 2 } });
    cluster.createTopic('t', 8);
    const producer = millrace.producer({ maxRequestSize: 1_000, batchSize: 600 });
    const records = [0, 1, 2, 3, 4, 5, 6, 7].flatMap((partition) => numbered(60, partition));
    await run(producer.sendBatch(records));
    for (const request of cluster.produceRequests) {
      expect(request.partitions.length === 1 || sizeOf(request) <= 1_000).toBe(true);
    }
    expect(cluster.produceRequests.some(({ partitions }) => partitions.length > 1)).toBe(true);
    for (let i = 0; i < 8; i++) expect(cluster.partition('t', i).values()).toEqual(values(60));
    await run(millrace.close());
  });

  test('behind a record that ends the stream every other one arrives, in order', async () => {
    const { cluster, millrace, run } = fixture({ fake: { latencyMs: 5 } });
    cluster.createTopic('t', 1);
    const producer = millrace.producer({ batchSize: 300 });
    await run(producer.send({ topic: 't', partition: 0, value: 'warm' }));
    cluster.requestBytesMax = 2_000;
    const records = numbered(60);
    records.splice(20, 0, { topic: 't', partition: 0, value: 'x'.repeat(3_000) });
    const results = await run(Promise.allSettled(records.map((record) => producer.send(record))));
    expect(results[20]).toMatchObject({ reason: { code: 'MESSAGE_TOO_LARGE' } });
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(60);
    expect(cluster.partition('t').values()).toEqual(['warm', ...values(60)]);
    await run(millrace.close());
  });
});

test('behind a refused first batch nothing is even sent before it is taken', async () => {
  const { cluster, millrace, run } = fixture({ fake: { latencyMs: 2 } });
  cluster.createTopic('t', 1);
  cluster.onProduce = ({ nth }) => (nth <= 2 ? { kind: 'refuse', code: 'NOT_ENOUGH_REPLICAS' } : undefined);
  const producer = millrace.producer({ batchSize: 200 });
  const sent = producer.sendBatch(numbered(60));
  await run(sent);
  const first = cluster.produceRequests.slice(0, 3).map(({ partitions }) => partitions[0]!.records);
  expect(first[1]).toEqual(first[0]);
  expect(first[2]).toEqual(first[0]);
  expect(cluster.partition('t').values()).toEqual(values(60));
  await run(millrace.close());
});

function sizeOf({ partitions }: { readonly partitions: readonly { readonly records: Buffer }[] }): number {
  return partitions.reduce((total, { records }) => total + records.length, 0);
}
