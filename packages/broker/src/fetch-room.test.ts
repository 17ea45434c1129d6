/** A fetch whose asker has less room than it wants. */

import type { Loan } from '@millrace/core';
import { splitBatches } from '@millrace/records';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { FetchRequest } from './broker-api.ts';
import { TestCluster } from './testing/test-cluster.ts';

let cluster: TestCluster;
let topicId: string;

beforeEach(async () => {
  cluster = await TestCluster.start({ nodes: 1 });
  topicId = await cluster.createTopic('orders', { replicas: [[1]] });
});
afterEach(async () => {
  expect(cluster.fatal).toEqual([]);
  await cluster.close();
});

function request(reserve: (bytes: number) => number, overrides: Partial<FetchRequest> = {}): FetchRequest {
  const partition = { topicId, partition: 0, leaderEpoch: -1, fetchOffset: 0, lastFetchedEpoch: -1 };
  return {
    clientId: 'test',
    maxWaitMs: 60_000,
    minBytes: 1,
    maxBytes: 1 << 20,
    partitions: [{ ...partition, partitionMaxBytes: 5_000 }],
    reserve,
    ...overrides,
  };
}

test('an answer is as large as there is room for, and one batch at least', async () => {
  for (let i = 0; i < 5; i++) await cluster.produce(1, topicId, ['x'.repeat(500)]);
  await cluster.run(20);
  const asked: number[] = [];
  const batchesWith = async (room: number): Promise<number> => {
    const limited = request((bytes) => {
      asked.push(bytes);
      return room;
    });
    const { partitions } = await cluster.finish(cluster.broker(1).fetch(limited));
    return splitBatches(partitions[0]!.records).length;
  };
  expect(await batchesWith(5_000)).toBe(5);
  expect(await batchesWith(1_300)).toBe(2);
  expect(await batchesWith(0)).toBe(1);
  expect(asked).toEqual([5_000, 5_000, 5_000]);
});

test('an answer that may not bring minBytes does not wait for them', async () => {
  for (let i = 0; i < 5; i++) await cluster.produce(1, topicId, ['x'.repeat(500)]);
  await cluster.run(20);
  const startedAt = cluster.clock.nowMs();
  const { partitions } = await cluster.finish(
    cluster.broker(1).fetch(request(() => 1_300, { minBytes: 2_000 })),
  );
  expect(splitBatches(partitions[0]!.records)).toHaveLength(2);
  expect(cluster.clock.nowMs() - startedAt).toBeLessThan(1_000);
});

test('room is given back for a wait, and asked for again after it', async () => {
  const asked: number[] = [];
  const fetching = cluster.broker(1).fetch(
    request((bytes) => {
      asked.push(bytes);
      return bytes;
    }),
  );
  await cluster.run(20);
  expect(asked).toEqual([5_000, 0]);
  await cluster.produce(1, topicId, ['a']);
  await cluster.finish(fetching);
  expect(asked).toEqual([5_000, 0, 5_000]);
});

test('memory of what was read for nothing is given back before a wait, that of the answer when the asker says so', async () => {
  await cluster.produce(1, topicId, ['x'.repeat(30_000)]);
  await cluster.run(20);
  const lent: Loan[] = [];
  const unlimited = (bytes: number): number => bytes;
  const wanted = request(unlimited, { minBytes: 100_000, lent });
  const partitions = wanted.partitions.map((entry) => ({ ...entry, partitionMaxBytes: 1 << 20 }));
  const fetching = cluster.broker(1).fetch({ ...wanted, partitions });
  await cluster.run(20);
  expect(lent).toEqual([]);
  for (let i = 0; i < 3; i++) await cluster.produce(1, topicId, ['x'.repeat(30_000)]);
  const { partitions: answers } = await cluster.finish(fetching);
  expect(splitBatches(answers[0]!.records)).toHaveLength(4);
  expect(lent).toHaveLength(1);
});

test('once no batch fits what is left of an answer, nobody else is tried', async () => {
  const many = await cluster.createTopic('many', { replicas: Array.from({ length: 10 }, () => [1]) });
  let reads = 0;
  const partitions = [];
  for (let partition = 0; partition < 10; partition++) {
    await cluster.produce(1, many, ['x'.repeat(500)], { partition });
    const { log } = cluster.replica(1, many, partition);
    const read = log.read.bind(log);
    log.read = (...range) => {
      reads++;
      return read(...range);
    };
    const place = { topicId: many, partition, leaderEpoch: -1, fetchOffset: 0, lastFetchedEpoch: -1 };
    partitions.push({ ...place, partitionMaxBytes: 5_000 });
  }
  await cluster.run(20);
  const unlimited = (bytes: number): number => bytes;
  const limited = request(unlimited, { maxBytes: 1_300, partitions });
  const { partitions: answers } = await cluster.finish(cluster.broker(1).fetch(limited));
  expect(answers.filter(({ records }) => records.length > 0)).toHaveLength(2);
  expect(reads).toBe(3);
});
