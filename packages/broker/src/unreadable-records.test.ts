/** Batches whose header and checksum are right, and whose records are not: what a leader does with them. */
import { buildBatch, crc32c } from '@millrace/records';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { TestCluster } from './testing/test-cluster.ts';

const CONTEXT = { timeoutMs: 1000, clientId: 'test' };

let cluster: TestCluster;

beforeEach(async () => {
  cluster = await TestCluster.start({ nodes: 2, config: { 'decompressed.batch.max.bytes': `${1 << 20}` } });
});
afterEach(async () => {
  expect(cluster.fatal).toEqual([]);
  await cluster.close();
});

const batchOf = (...values: string[]) =>
  buildBatch(values.map((value) => ({ value: Buffer.from(value), timestamp: cluster.clock.wallMs() })));

test('records that no consumer could read are refused, and the others of the request are stored', async () => {
  const wide = await cluster.createTopic('wide', {
    replicas: [
      [1, 2],
      [1, 2],
      [1, 2],
      [1, 2],
      [1, 2],
    ],
  });
  const sealed = (batch: Buffer) => {
    batch.writeUInt32BE(crc32c(batch.subarray(21)), 17);
    return batch;
  };
  const negativeHeaders = batchOf('a');
  negativeHeaders[negativeHeaders.length - 1] = 1;
  const tooMany = batchOf('a', 'b');
  tooMany.writeInt32BE(0, 23);
  tooMany.writeInt32BE(1, 57);
  const notZipped = batchOf('a');
  notZipped.writeUInt16BE(1, 21);
  const zippedJunk = buildBatch([{ value: Buffer.from('a') }], { codec: 'gzip' });
  zippedJunk.writeInt32BE(1, 23);
  zippedJunk.writeInt32BE(2, 57);
  const batches = [negativeHeaders, tooMany, notZipped, zippedJunk].map(sealed);
  const partitions = [...batches, batchOf('kept')].map((records, partition) => ({
    topicId: wide,
    partition,
    leaderEpoch: -1,
    records,
  }));
  const response = await cluster.finish(cluster.broker(1).produce({ ...CONTEXT, acks: -1, partitions }));
  expect(response.partitions.map(({ failure }) => failure?.code)).toEqual([
    'INVALID_RECORD',
    'INVALID_RECORD',
    'INVALID_RECORD',
    'INVALID_RECORD',
    undefined,
  ]);
  expect(partitions.map((_, index) => cluster.replica(1, wide, index).log.logEndOffset)).toEqual([
    0, 0, 0, 0, 1,
  ]);
});

test('producers are held back when batches of very many records took their time, and nothing is refused', async () => {
  const replicas = Array.from({ length: 3 }, () => [1, 2]);
  const topicId = await cluster.createTopic('tiny', { replicas });
  const records = () => buildBatch(Array.from({ length: 100_000 }, () => ({})));
  const broker = cluster.broker(1);
  const partitions = replicas.map((_, partition) => ({
    topicId,
    partition,
    leaderEpoch: -1,
    records: records(),
  }));
  expect(broker.produceRoom()).toBeUndefined();
  const answer = broker.produce({ ...CONTEXT, acks: 1, partitions });
  const room = broker.produceRoom();
  expect(room).toBeDefined();
  expect((await answer).partitions.map(({ failure }) => failure)).toEqual([undefined, undefined, undefined]);
  await room;
});
