/** Produce, fetch and replication between brokers of one process: what acks promise, and who sees what when. */
import { afterEach, describe, expect, test } from 'vitest';
import { TestCluster, type TestClusterOptions } from './testing/test-cluster.ts';

let cluster: TestCluster;
const start = async (options: TestClusterOptions = {}): Promise<TestCluster> => {
  cluster = await TestCluster.start(options);
  return cluster;
};
afterEach(async () => {
  expect(cluster.fatal).toEqual([]);
  await cluster.close();
});

const MIN_ISR_2 = { 'min.insync.replicas': '2' };

describe.each(['fsync', 'page-cache'])('durability=%s', (durability) => {
  test('acks=all is answered when every in-sync replica has the record', async () => {
    await start();
    const topicId = await cluster.createTopic('orders', { configs: { ...MIN_ISR_2, durability } });
    const produced = await cluster.produce(1, topicId, ['a', 'b', 'c']);
    expect(produced.failure).toBeUndefined();
    expect(produced.baseOffset).toBe(0);
    for (const id of [1, 2, 3]) {
      expect(await cluster.contents(id, topicId)).toEqual(['0@0:a', '1@0:b', '2@0:c']);
    }
    expect(await cluster.consume(topicId)).toEqual(['a', 'b', 'c']);
  });

  test('acks=1 is answered after the append, acks=0 at once', async () => {
    await start();
    const topicId = await cluster.createTopic('orders', { configs: { durability } });
    cluster.network.cut(1, 2);
    cluster.network.cut(1, 3);
    const first = await cluster.produce(1, topicId, ['a'], { acks: 1 });
    const second = await cluster.produce(1, topicId, ['b'], { acks: 0 });
    expect([first.baseOffset, second.baseOffset]).toEqual([0, 1]);
    expect(cluster.replica(1, topicId).highWatermark).toBe(0);
    expect(await cluster.fetch(1, topicId, 0)).toBeUndefined();
    cluster.network.heal(1, 2);
    cluster.network.heal(1, 3);
    await cluster.until(() => cluster.replica(1, topicId).highWatermark === 2);
    expect(await cluster.consume(topicId)).toEqual(['a', 'b']);
  });
});
