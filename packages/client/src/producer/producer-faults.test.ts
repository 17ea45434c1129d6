/**
 * The whole producer against brokers that refuse, lose, hang, fall silent, die and hand over, at random: every promise
 * settles, every acknowledged record is in the log once, at the offset it was told, in the order of send.
 */
import { below, type Random, SeededRandom, unit } from '@millrace/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { FakeCluster, ProduceFault } from '../testing/fake-cluster.ts';
import { type Fixture, fixture } from '../testing/fixture.ts';
import type { Producer } from './producer.ts';
import type { RecordMetadata } from './producer-record.ts';

const RUNS = 25;

const FAULTS: readonly ProduceFault[] = [
  { kind: 'refuse', code: 'NOT_ENOUGH_REPLICAS' },
  { kind: 'refuse', code: 'NODE_OVERLOADED' },
  { kind: 'refuse', code: 'UNKNOWN_TOPIC_OR_PARTITION' },
  { kind: 'refuse', code: 'KAFKA_STORAGE_ERROR' },
  { kind: 'refuse', code: 'INVALID_RECORD' },
  { kind: 'appendAndFail', code: 'NOT_ENOUGH_REPLICAS_AFTER_APPEND' },
  { kind: 'appendAndFail', code: 'REQUEST_TIMED_OUT' },
  { kind: 'appendAndFail', code: 'UNKNOWN_SERVER_ERROR' },
  { kind: 'break' },
  { kind: 'lose' },
  { kind: 'hang' },
  { kind: 'appendAndHang' },
];

interface Scenario {
  readonly seed: number;
  readonly faultRate: number;
  readonly eventRate: number;
  readonly limitBytes: number;
  readonly batchSize: number;
  readonly maxInFlight: number;
  readonly partitions: number;
  readonly latencyMs: number;
  readonly isIdempotent: boolean;
  /** Ends the producer with this patience while the trouble goes on; Infinity: when it is over. */
  readonly closeAfterMs: number;
}

const scenario: fc.Arbitrary<Scenario> = fc.record({
  seed: fc.nat(),
  faultRate: fc.constantFrom(0, 0.1, 0.3, 0.6),
  eventRate: fc.constantFrom(0, 0.05, 0.2),
  limitBytes: fc.constantFrom(Number.POSITIVE_INFINITY, 400, 150),
  batchSize: fc.constantFrom(100, 300, 4_096),
  maxInFlight: fc.constantFrom(1, 2, 5),
  partitions: fc.integer({ min: 1, max: 3 }),
  latencyMs: fc.constantFrom(0, 1, 7),
  isIdempotent: fc.constantFrom(true, true, true, false),
  closeAfterMs: fc.constantFrom(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 0, 200),
});

interface Sent {
  readonly partition: number;
  readonly value: string;
  result?: RecordMetadata;
  error?: { readonly code: string };
}

function trouble(cluster: FakeCluster, random: Random, { faultRate, limitBytes }: Scenario): void {
  cluster.onProduce = ({ records }) => {
    if (records.length > limitBytes) return { kind: 'refuse', code: 'MESSAGE_TOO_LARGE' };
    return unit(random) < faultRate ? FAULTS[below(random, FAULTS.length)] : undefined;
  };
}

/** Something happens to a broker or to a partition's leadership. */
function strike(cluster: FakeCluster, random: Random, partitions: number): void {
  const brokerId = 1 + below(random, 3);
  switch (below(random, 5)) {
    case 0:
      cluster.move('t', below(random, partitions), brokerId);
      return;
    case 1:
      cluster.breakStreams(brokerId);
      return;
    case 2:
      cluster.silent.add(brokerId);
      return;
    case 3:
      cluster.stop(brokerId);
      return;
    default:
      cluster.silent.clear();
      cluster.down.clear();
  }
}

function recover(cluster: FakeCluster, { limitBytes }: Scenario): void {
  cluster.silent.clear();
  cluster.down.clear();
  cluster.onProduce = ({ records }) =>
    records.length > limitBytes ? { kind: 'refuse', code: 'MESSAGE_TOO_LARGE' } : undefined;
}

function send(
  producer: Producer,
  partition: number,
  value: string,
): { record: Sent; settled: Promise<void> } {
  const record: Sent = { partition, value };
  const settled = producer.send({ topic: 't', partition, value }).then(
    (result) => {
      record.result = result;
    },
    (error: { code: string }) => {
      record.error = error;
    },
  );
  return { record, settled };
}

function check(cluster: FakeCluster, sent: readonly Sent[], { partitions, isIdempotent }: Scenario): void {
  for (let number = 0; number < partitions; number++) {
    const log = cluster.partition('t', number).values();
    const mine = sent.filter(({ partition }) => partition === number);
    for (const { result, value } of mine) {
      if (result === undefined) continue;
      expect(log[Number(result.offset)]).toBe(value);
    }
    if (!isIdempotent) continue;
    expect(new Set(log).size).toBe(log.length);
    const written = new Set(log);
    expect(log).toEqual(mine.filter(({ value }) => written.has(value)).map(({ value }) => value));
  }
}

async function play(one: Scenario, { cluster, millrace, run, pass }: Fixture): Promise<void> {
  const random = new SeededRandom(one.seed);
  cluster.createTopic('t', one.partitions);
  const producer = millrace.producer({
    acks: one.isIdempotent ? 'all' : 1,
    batchSize: one.batchSize,
    maxInFlight: one.maxInFlight,
    requestTimeoutMs: 150,
    deliveryTimeoutMs: 1_500,
  });
  trouble(cluster, random, one);
  const all: ReturnType<typeof send>[] = [];
  for (let i = 0; i < 100; i++) {
    const value = `${i}:${'x'.repeat(below(random, 60))}`;
    all.push(send(producer, below(random, one.partitions), value));
    if (unit(random) < one.eventRate) strike(cluster, random, one.partitions);
    if (unit(random) < 0.4) await pass(below(random, 25));
  }
  const closing = Number.isFinite(one.closeAfterMs)
    ? producer.close({ timeoutMs: one.closeAfterMs }).catch(() => {})
    : undefined;
  if (closing !== undefined) await run(closing);
  recover(cluster, one);
  if (closing === undefined) {
    await run(Promise.all(all.map(({ settled }) => settled)));
    for (let partition = 0; partition < one.partitions; partition++)
      all.push(send(producer, partition, `last in ${partition}`));
  }
  await run(Promise.all(all.map(({ settled }) => settled)));
  // What was still under way to a broker arrives.
  await pass(50);
  const sent = all.map(({ record }) => record);
  if (closing === undefined)
    for (const { error } of sent.slice(-one.partitions)) expect(error).toBeUndefined();
  check(cluster, sent, one);
  await run(millrace.close().catch(() => {}));
}

test('whatever happens, every promise settles and what is acknowledged is there once, in order', async () => {
  await fc.assert(
    fc.asyncProperty(scenario, async (one) => {
      const { seed, latencyMs } = one;
      const limits = { stallProbeMs: 40, retryBackoffMaxMs: 100, missingTopicTimeoutMs: 500 };
      await play(one, fixture({ seed, fake: { latencyMs }, ...limits }));
    }),
    { numRuns: RUNS },
  );
}, 120_000);
