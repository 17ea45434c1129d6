/** A compacted topic in a cluster: every replica thins its own log, and followers and consumers go over what is left. */
import { Deferred } from '@millrace/core';
import { buildBatch, decodeRecords, splitBatches } from '@millrace/records';
import { afterEach, expect, test } from 'vitest';
import { TestCluster } from './testing/test-cluster.ts';

const configs = { 'cleanup.policy': 'compact', 'segment.bytes': '1024', 'min.cleanable.dirty.ratio': '0' };

let cluster: TestCluster;
let topicId: string;
let written: number;
afterEach(async () => {
  expect(cluster.fatal).toEqual([]);
  await cluster.close();
});

async function start(): Promise<void> {
  cluster = await TestCluster.start({ nodes: 2, config: { 'replica.lag.time.max.ms': '1000' } });
  topicId = await cluster.createTopic('state', { replicas: [[1, 2]], configs });
  written = 0;
}

/** Of five keys, one after the other. */
async function write(count: number): Promise<void> {
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
}

function isCompacted(id: number): boolean {
  const { log } = cluster.replica(id, topicId);
  return log.firstDirtyOffset > written - 30 && log.firstDirtyOffset <= log.highWatermark;
}

test('replicas compact on their own, and one that was away catches up over what is left', {
  timeout: 30_000,
}, async () => {
  await start();
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

test('a follower goes on if what it waits for is compacted while it is read', async () => {
  await start();
  await write(3);
  await cluster.until(() => cluster.replica(2, topicId).log.logEndOffset === 3);
  await cluster.kill(2);
  await cluster.until(() => cluster.isrOf(topicId).length === 1);
  await write(10);
  const { log } = cluster.replica(1, topicId);
  const read = log.read.bind(log);
  const [asked, slow] = [new Deferred<void>(), new Deferred<void>()];
  log.read = async (from, maxBytes, upTo, minOneBatch) => {
    if (from === 3) asked.resolve();
    await slow.promise;
    return await read(from, maxBytes, upTo, minOneBatch);
  };
  await cluster.restart(2);
  await cluster.finish(asked.promise);
  await write(100);
  await cluster.until(() => isCompacted(1), 60_000);
  slow.resolve();
  await cluster.until(() => cluster.isrOf(topicId).length === 2);
  expect(cluster.replica(2, topicId).log.logEndOffset).toBe(113);
});
