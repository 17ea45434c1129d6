/** Consumers of the SDK in a group of a real cluster: sharing, giving up, going on where the group is, losing a broker. */
import { type Consumer, type GroupCallbacks, Millrace } from '@millrace/client';
import { type Cluster, startCluster } from '@millrace/server';
import { expect, test } from 'vitest';

const PARTITIONS = 6;

/** Short waits; and one coordinator for all groups, so that a test knows where it is. */
const PROPERTIES = {
  'offsets.topic.num.partitions': '1',
  'group.consumer.heartbeat.interval.ms': '200',
  'group.consumer.session.timeout.ms': '3000',
};

async function produce(millrace: Millrace, from: number, to: number): Promise<void> {
  await using producer = millrace.producer();
  const sends = Array.from({ length: to - from }, (_, index) =>
    producer.send({
      topic: 'orders',
      partition: (from + index) % PARTITIONS,
      value: `order ${from + index}`,
    }),
  );
  await Promise.all(sends);
}

interface Worker {
  readonly consumer: Consumer;
  readonly seen: string[];
  /** What was assigned and revoked, in order. */
  readonly told: string[];
  readonly ended: Promise<void>;
}

function work(millrace: Millrace, seen: string[]): Worker {
  const consumer = millrace.consumer({
    groupId: 'billing',
    autoOffsetReset: 'earliest',
    autoCommitIntervalMs: 200,
  });
  const told: string[] = [];
  const note = (kind: string): GroupCallbacks['onAssigned'] => {
    return (partitions) => void told.push(...partitions.map(({ partition }) => `${kind} ${partition}`));
  };
  consumer.subscribe(['orders'], {
    onAssigned: note('+')!,
    onRevoked: note('-')!,
    onLost: note('!')!,
  });
  const ended = consumer.run({
    concurrency: 4,
    eachRecord: (record) => void seen.push(String(record.value)),
  });
  ended.catch(() => {});
  return { consumer, seen, told, ended };
}

function orders(count: number): string[] {
  return Array.from({ length: count }, (_, number) => `order ${number}`).sort();
}

async function start(): Promise<{ cluster: Cluster; millrace: Millrace }> {
  const cluster = await startCluster({ nodes: 3, properties: PROPERTIES });
  const millrace = new Millrace({ bootstrap: cluster.bootstrap });
  await millrace.admin().createTopic({ name: 'orders', partitions: PARTITIONS, replicationFactor: 3 });
  return { cluster, millrace };
}

const shareOf = ({ consumer }: Worker): number => consumer.assignment().length;

test('two consumers share, what stays is not touched, one leaves, and the group goes on where it was', async () => {
  const { cluster, millrace } = await start();
  const seen: string[] = [];
  try {
    await produce(millrace, 0, 300);
    const one = work(millrace, seen);
    await expect.poll(() => seen.length, { timeout: 20_000 }).toBe(300);
    const two = work(millrace, seen);
    await expect.poll(() => [shareOf(one), shareOf(two)], { timeout: 20_000 }).toEqual([3, 3]);
    expect(one.told.filter((text) => text.startsWith('-'))).toHaveLength(3);
    await produce(millrace, 300, 600);
    await expect.poll(() => seen.length, { timeout: 20_000 }).toBe(600);
    await one.consumer.close();
    await one.ended;
    await expect.poll(() => shareOf(two), { timeout: 20_000 }).toBe(PARTITIONS);
    expect(two.told.filter((text) => text.startsWith('-'))).toEqual([]);
    await produce(millrace, 600, 900);
    await expect.poll(() => seen.length, { timeout: 20_000 }).toBe(900);
    await two.consumer.close();
    // Everything was handled once: moves were orderly, and each began where the one before had committed.
    expect(seen.sort()).toEqual(orders(900));

    await produce(millrace, 900, 1000);
    const later = work(millrace, []);
    await expect.poll(() => later.seen.length, { timeout: 20_000 }).toBe(100);
    expect(await later.consumer.lag()).toHaveLength(PARTITIONS);
    await later.consumer.close();
  } finally {
    await millrace.close();
    await cluster.close();
  }
}, 90_000);

test('the coordinator crashes: no member loses its partitions, and commits that were acknowledged are read back', async () => {
  const { cluster, millrace } = await start();
  const consumer = millrace.consumer({
    groupId: 'audit',
    autoOffsetReset: 'earliest',
    enableAutoCommit: false,
  });
  const told: string[] = [];
  consumer.subscribe({ pattern: /^ord/ }, { onLost: () => void told.push('lost') });
  try {
    await produce(millrace, 0, 120);
    const committed = new Map<number, bigint>();
    const read = async (count: number): Promise<void> => {
      for (let handled = 0; handled < count; ) {
        const records = await consumer.poll({ maxRecords: 10, timeoutMs: 20_000 });
        if (records.length === 0) throw new Error(`only ${handled} of ${count} records came`);
        handled += records.length;
        await consumer.commit();
        for (const { partition, offset } of records) committed.set(partition, offset + 1n);
      }
    };
    await read(120);
    const [offsets] = await millrace.admin().describeTopics(['__consumer_offsets']);
    await cluster.stopNode(offsets!.partitions[0]!.leader, { abruptly: true });
    await produce(millrace, 120, 240);
    await read(120);
    const partitions = Array.from({ length: PARTITIONS }, (_, partition) => ({ topic: 'orders', partition }));
    const found = await consumer.committed(partitions);
    expect(found.map(({ partition, committed }) => [partition, committed!.offset])).toEqual(
      [...committed].sort(([one], [other]) => one - other),
    );
    expect(told).toEqual([]);
  } finally {
    await consumer.close();
    await millrace.close();
    await cluster.close();
  }
}, 90_000);
