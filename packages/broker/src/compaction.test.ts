/** A compacted topic in a cluster: every replica thins its own log, and followers and consumers go over what is left. */
import { buildBatch, decodeRecords, splitBatches } from '@millrace/records';
import { afterEach, expect, test } from 'vitest';
import { TestCluster } from './testing/test-cluster.ts';

let cluster: TestCluster;
afterEach(async () => {
  expect(cluster.fatal).toEqual([]);
  await cluster.close();
});

test('replicas compact on their own, and one that was away catches up over what is left', {
  timeout: 30_000,
}, async () => {
  cluster = await TestCluster.start({ nodes: 2, config: { 'replica.lag.time.max.ms': '1000' } });
  const configs = { 'cleanup.policy': 'compact', 'segment.bytes': '1024', 'min.cleanable.dirty.ratio': '0' };
  const topicId = await cluster.createTopic('state', { replicas: [[1, 2]], configs });
  let written = 0;
  const write = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++, written++) {
      const key = Buffer.from(`k${written % 5}`);
      const records = buildBatch([
        { key, value: Buffer.from(`${written}`), timestamp: cluster.clock.wallMs() },
      ]);
      const partitions = [{ topicId, partition: 0, leaderEpoch: -1, records }];
      const produced = await cluster.finish(
        cluster.broker(1).produce({ timeoutMs: 5000, clientId: 'test', acks: -1, partitions }),
      );
      expect(produced.partitions[0]!.failure).toBeUndefined();
    }
  };
  const isCompacted = (id: number): boolean => {
    const { log } = cluster.replica(id, topicId);
    return log.firstDirtyOffset > written - 30 && log.firstDirtyOffset <= log.highWatermark;
  };
  await write(100);
  await cluster.until(() => isCompacted(1) && isCompacted(2), 60_000);
  const values = await cluster.consume(topicId);
  expect(values.length).toBeLessThan(40);
  expect(values.slice(-5)).toEqual(['95', '96', '97', '98', '99']);

  await cluster.kill(2);
  await cluster.until(() => cluster.isrOf(topicId).length === 1);
  await write(100);
  await cluster.until(() => isCompacted(1), 60_000);
  await cluster.restart(2);
  await cluster.until(() => cluster.isrOf(topicId).length === 2);
  const { log } = cluster.replica(2, topicId);
  expect(log.logEndOffset).toBe(200);
  const copied: string[] = [];
  for (let offset = log.logStartOffset; offset < log.logEndOffset; ) {
    for (const batch of splitBatches(await cluster.finish(log.read(offset, 1 << 20, log.logEndOffset)))) {
      copied.push(...decodeRecords(batch).map(({ value }) => String(value)));
      offset = batch.nextOffset;
    }
  }
  expect(copied.slice(-5)).toEqual(['195', '196', '197', '198', '199']);
});
