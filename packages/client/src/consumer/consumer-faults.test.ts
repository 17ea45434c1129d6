/** The whole consumer against brokers that refuse, fall silent, die and hand over, at random: each record once, in order. */
import { below, type Random, SeededRandom, unit } from '@millrace/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { FakeCluster } from '../testing/fake-cluster.ts';
import { type Fixture, fixture } from '../testing/fixture.ts';

const REFUSALS = [
  'NOT_LEADER_OR_FOLLOWER',
  'FENCED_LEADER_EPOCH',
  'UNKNOWN_LEADER_EPOCH',
  'OFFSET_NOT_AVAILABLE',
  'KAFKA_STORAGE_ERROR',
  'NODE_OVERLOADED',
] as const;

interface Scenario {
  readonly seed: number;
  readonly faultRate: number;
  readonly eventRate: number;
  readonly maxPollRecords: number;
  readonly maxPartitionFetchBytes: number;
  readonly partitions: number;
  readonly latencyMs: number;
}

const scenario: fc.Arbitrary<Scenario> = fc.record({
  seed: fc.nat(),
  faultRate: fc.constantFrom(0, 0.2, 0.5),
  eventRate: fc.constantFrom(0, 0.1, 0.3),
  maxPollRecords: fc.constantFrom(1, 7, 500),
  maxPartitionFetchBytes: fc.constantFrom(1, 200, 1 << 20),
  partitions: fc.integer({ min: 1, max: 3 }),
  latencyMs: fc.constantFrom(0, 1, 7),
});

function strike(cluster: FakeCluster, random: Random, partitions: number): void {
  const brokerId = 1 + below(random, 3);
  const strikes = [
    () => cluster.move('t', below(random, partitions), brokerId),
    () => cluster.breakStreams(brokerId),
    () => cluster.silent.add(brokerId),
    () => cluster.stop(brokerId),
    () => recover(cluster),
  ];
  strikes[below(random, strikes.length)]!();
}

function recover(cluster: FakeCluster): void {
  cluster.silent.clear();
  cluster.down.clear();
}

async function play(one: Scenario, { cluster, millrace, run, pass }: Fixture): Promise<void> {
  const { partitions, faultRate, eventRate, maxPollRecords, maxPartitionFetchBytes } = one;
  const random = new SeededRandom(one.seed);
  cluster.createTopic('t', partitions);
  const all = Array.from({ length: partitions }, (_, partition) => ({ topic: 't', partition }));
  const consumer = millrace.consumer({
    autoOffsetReset: 'earliest',
    maxPollRecords,
    maxPartitionFetchBytes,
    fetchMaxWaitMs: 30,
  });
  consumer.assign(all);
  const producer = millrace.producer({ batchSize: 150, requestTimeoutMs: 100 });
  cluster.onFetch = () => (unit(random) < faultRate ? REFUSALS[below(random, REFUSALS.length)] : undefined);
  const read: string[][] = all.map(() => []);
  const poll = async (): Promise<number> => {
    const polled = consumer.poll({ timeoutMs: below(random, 40) }).catch((error: { code: string }) => {
      // A cluster that could not be reached at all since the beginning is told to the user.
      expect(error.code).toBe('CONNECTION_FAILED');
      return [];
    });
    const records = await run(polled);
    for (const { partition, value, offset } of records) {
      expect(offset).toBe(BigInt(read[partition]!.length));
      read[partition]!.push(String(value));
    }
    return records.length;
  };
  for (let i = 0; i < 80; i++) {
    void producer.send({ topic: 't', partition: below(random, partitions), value: `v${i}` });
    if (unit(random) < eventRate) strike(cluster, random, partitions);
    if (unit(random) < 0.1) consumer.pause([all[below(random, partitions)]!]);
    if (unit(random) < 0.2) consumer.resume();
    if (unit(random) < 0.4) await poll();
  }
  recover(cluster);
  cluster.onFetch = () => undefined;
  consumer.resume();
  await run(producer.flush());
  // Longer than a request that a silent broker swallowed is waited for.
  for (let quiet = 0; quiet < 60; ) quiet = (await poll()) === 0 ? quiet + 1 : 0;
  await pass(1);
  expect(read).toEqual(all.map(({ partition }) => cluster.partition('t', partition).values()));
  expect(read.flat()).toHaveLength(80);
  await run(millrace.close());
}

/** The leader moves between the first record and the lookup of the log's beginning: its epoch is not that of a record before. */
const LOOKED_UP_AFTER_A_MOVE: Scenario = {
  seed: 21,
  faultRate: 0.5,
  eventRate: 0.3,
  maxPollRecords: 7,
  maxPartitionFetchBytes: 1,
  partitions: 2,
  latencyMs: 7,
};

/** No node answers from the beginning on, for longer than one request may take. */
const SILENT_AT_FIRST: Scenario = {
  seed: 1266999974,
  faultRate: 0,
  eventRate: 0.3,
  maxPollRecords: 1,
  maxPartitionFetchBytes: 1,
  partitions: 1,
  latencyMs: 0,
};

test('whatever happens, every record is read once, at its offset, in order', async () => {
  await fc.assert(
    fc.asyncProperty(scenario, async (one) => {
      const { seed, latencyMs } = one;
      const limits = { stallProbeMs: 40, requestTimeoutMs: 300, retryBackoffMaxMs: 60 };
      await play(one, fixture({ seed, fake: { latencyMs }, ...limits }));
    }),
    { numRuns: 12, examples: [[LOOKED_UP_AFTER_A_MOVE], [SILENT_AT_FIRST]] },
  );
}, 120_000);
