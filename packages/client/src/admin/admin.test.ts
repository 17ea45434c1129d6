/** Admin calls against a cluster in memory: typed answers, errors by item, nodes that fail. */
import { describe, expect, test } from 'vitest';
import { fixture } from '../testing/fixture.ts';

const caught = (promise: PromiseLike<unknown>): PromiseLike<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('admin', () => {
  test('creates, lists, describes and deletes topics', async () => {
    const { millrace, run } = fixture();
    const admin = millrace.admin();
    expect(await run(admin.createTopic({ name: 'b', partitions: 3 }))).toMatchObject({
      name: 'b',
      partitions: 3,
    });
    await run(admin.createTopics([{ name: 'a' }, { name: 'c', configs: { 'retention.ms': 1000 } }]));
    expect(await run(admin.listTopics())).toEqual(['a', 'b', 'c']);
    const [info] = await run(admin.describeTopics(['b']));
    expect(info?.partitions.map(({ partition, leader, isr }) => [partition, leader, isr])).toEqual([
      [0, 1, [1, 2, 3]],
      [1, 2, [1, 2, 3]],
      [2, 3, [1, 2, 3]],
    ]);
    await run(admin.deleteTopic('b'));
    expect(await run(admin.listTopics())).toEqual(['a', 'c']);
    await run(millrace.close());
  });

  test('one failure is its error, several are an AggregateError of typed ones', async () => {
    const { cluster, millrace, run } = fixture();
    cluster.createTopic('a');
    cluster.createTopic('b');
    const admin = millrace.admin();
    const one = await run(caught(admin.createTopics([{ name: 'a' }, { name: 'new' }])));
    expect(one).toMatchObject({ code: 'TOPIC_ALREADY_EXISTS', retriable: false });
    expect(String(one)).toContain('topic a');
    expect(cluster.topics.has('new')).toBe(true);
    const both = await run(caught(admin.createTopics([{ name: 'a' }, { name: 'b' }])));
    expect((both as AggregateError).errors.map(({ code }) => code)).toEqual([
      'TOPIC_ALREADY_EXISTS',
      'TOPIC_ALREADY_EXISTS',
    ]);
    expect(await run(caught(admin.describeTopics(['nowhere'])))).toMatchObject({
      code: 'UNKNOWN_TOPIC_OR_PARTITION',
    });
    await run(millrace.close());
  });

  test('any node will do: dead and silent ones are passed over', async () => {
    const { cluster, millrace, run, clock } = fixture();
    cluster.createTopic('a');
    cluster.stop(1);
    cluster.silent.add(2);
    const startMs = clock.nowMs();
    const producer = millrace.producer();
    cluster.move('a', 0, 3);
    await run(producer.send({ topic: 'a', value: 'x' }));
    expect(clock.nowMs() - startMs).toBeLessThan(7_000);
    expect(await run(millrace.admin().listTopics({ timeoutMs: 10_000 }))).toEqual(['a']);
    await run(millrace.close());
  });

  test('when nobody answers the error names who was asked; a signal ends the wait', async () => {
    const { cluster, millrace, run, pass } = fixture();
    for (const id of cluster.brokerIds) cluster.stop(id);
    const error = await run(caught(millrace.admin().listTopics({ timeoutMs: 500 })));
    expect(error).toMatchObject({ code: 'CONNECTION_FAILED', retriable: true });
    expect(String(error)).toContain('broker-2:9191');
    const controller = new AbortController();
    const waiting = caught(millrace.admin().listTopics({ signal: controller.signal }));
    await pass(50);
    controller.abort(new Error('enough'));
    expect(await waiting).toMatchObject({ code: 'CANCELLED', cause: { message: 'enough' } });
    await run(millrace.close());
  });

  test('the client comes back when every node it knew was replaced', async () => {
    const { cluster, millrace, run } = fixture({ bootstrap: 'broker-3:9191' });
    cluster.createTopic('a');
    cluster.move('a', 0, 1);
    const producer = millrace.producer();
    await run(producer.send({ topic: 'a', value: 'x' }));
    cluster.stop(1);
    cluster.stop(2);
    cluster.brokerIds.splice(0, 3, 3, 4);
    cluster.move('a', 0, 4);
    await run(producer.send({ topic: 'a', value: 'y' }));
    expect(cluster.partition('a').values()).toEqual(['x', 'y']);
    await run(millrace.close());
  });

  test('offsets and record deletion go to each leader, again after it moved', async () => {
    const { cluster, millrace, run } = fixture();
    cluster.createTopic('a', 3);
    const producer = millrace.producer();
    for (const partition of [0, 1, 2])
      await run(producer.send({ topic: 'a', partition, value: 'x', timestamp: 50 }));
    const admin = millrace.admin();
    const latest = [0, 1, 2].map((partition) => ({ topic: 'a', partition, at: 'latest' as const }));
    expect((await run(admin.listOffsets(latest))).map(({ offset }) => offset)).toEqual([1n, 1n, 1n]);
    cluster.move('a', 1, 3);
    const byTime = await run(admin.listOffsets([{ topic: 'a', partition: 1, at: { timestampMs: 51 } }]));
    expect(byTime[0]?.offset).toBe(-1n);
    const deleted = await run(admin.deleteRecords([{ topic: 'a', partition: 1, before: 'latest' }]));
    expect(deleted).toEqual([{ topic: 'a', partition: 1, lowWatermark: 1n }]);
    await run(millrace.close());
  });
});
