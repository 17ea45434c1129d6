/** The cluster that users start in their own tests: real nodes, one process, memory or disk. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Millrace } from '@millrace/client';
import { type Cluster, startCluster } from '@millrace/server';
import { expect, test } from 'vitest';

const TOPIC = { name: 'orders', partitions: 3, replicationFactor: 3 };

function connect(cluster: Cluster): Millrace {
  return new Millrace({ bootstrap: cluster.bootstrap });
}

async function produce(millrace: Millrace, from: number, to: number): Promise<void> {
  await using producer = millrace.producer();
  const sends = Array.from({ length: to - from }, (_, index) =>
    producer.send({ topic: TOPIC.name, key: `key-${(from + index) % 7}`, value: `order ${from + index}` }),
  );
  await Promise.all(sends);
}

/** Reads until as many records came as were asked for; more would be too many. */
async function readAll(millrace: Millrace, count: number): Promise<string[]> {
  await using consumer = millrace.consumer({ autoOffsetReset: 'earliest' });
  await consumer.assignTopics([TOPIC.name]);
  const values: string[] = [];
  for await (const batch of consumer) {
    for (const record of batch) values.push(String(record.value));
    if (values.length >= count) break;
  }
  return values;
}

function orders(count: number): string[] {
  return Array.from({ length: count }, (_, number) => `order ${number}`).sort();
}

async function leaderOf(millrace: Millrace): Promise<number> {
  const [topic] = await millrace.admin().describeTopics([TOPIC.name]);
  return topic!.partitions[0]!.leader;
}

async function untilInSync(millrace: Millrace): Promise<void> {
  await expect
    .poll(
      async () => {
        const [topic] = await millrace.admin().describeTopics([TOPIC.name]);
        return topic!.partitions.every(({ isr }) => isr.length === 3);
      },
      { timeout: 15_000 },
    )
    .toBe(true);
}

test('records survive a crashed leader, are read from the beginning, and the crashed node catches up', async () => {
  await using cluster = await startCluster({ nodes: 3 });
  await using millrace = connect(cluster);
  await millrace.admin().createTopic(TOPIC);
  await produce(millrace, 0, 500);
  const crashed = await leaderOf(millrace);
  await cluster.stopNode(crashed, { abruptly: true });
  await produce(millrace, 500, 1000);
  expect((await readAll(millrace, 1000)).sort()).toEqual(orders(1000));
  await cluster.restartNode(crashed);
  await untilInSync(millrace);
  await produce(millrace, 1000, 1100);
  expect((await readAll(millrace, 1100)).sort()).toEqual(orders(1100));
});

test('a node that stops in order hands its partitions over first', async () => {
  await using cluster = await startCluster({ nodes: 3 });
  await using millrace = connect(cluster);
  await millrace.admin().createTopic(TOPIC);
  await produce(millrace, 0, 100);
  const stopped = await leaderOf(millrace);
  await cluster.stopNode(stopped);
  expect(cluster.nodes.length).toBe(2);
  await produce(millrace, 100, 200);
  expect((await readAll(millrace, 200)).sort()).toEqual(orders(200));
});

test('a cluster on disk finds its records again', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-embedded-'));
  try {
    const options = { nodes: 3, storage: folder, clusterId: 'ZW1iZWRkZWQtY2x1c3Rlcg' };
    {
      await using cluster = await startCluster(options);
      await using millrace = connect(cluster);
      await millrace.admin().createTopic(TOPIC);
      await produce(millrace, 0, 300);
    }
    await using cluster = await startCluster(options);
    await using millrace = connect(cluster);
    expect((await readAll(millrace, 300)).sort()).toEqual(orders(300));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('one node is a cluster too', async () => {
  await using cluster = await startCluster({ nodes: 1 });
  await using millrace = connect(cluster);
  await millrace.admin().createTopic({ ...TOPIC, replicationFactor: 1 });
  await produce(millrace, 0, 10);
  expect((await readAll(millrace, 10)).sort()).toEqual(orders(10));
});

test.each([0, -1, 1.5, 'x', Number.NaN])(
  'a cluster of %s nodes is refused as a configuration',
  async (nodes) => {
    await expect(startCluster({ nodes: nodes as number })).rejects.toMatchObject({
      code: 'INVALID_CONFIG',
      message: `nodes is a whole number from 1 to 100, not ${nodes}`,
    });
  },
);

test('a node that is not there cannot be stopped, and one that runs cannot be started', async () => {
  await using cluster = await startCluster({ nodes: 1 });
  const invalid = (message: string) => ({ code: 'INVALID_REQUEST', message });
  await expect(cluster.stopNode(9)).rejects.toMatchObject(invalid('there is no node 9: ids are 1 to 1'));
  await expect(cluster.restartNode(9)).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
  await expect(cluster.restartNode(1)).rejects.toMatchObject(invalid('node 1 runs already; stop it first'));
  await cluster.stopNode(1);
  await cluster.stopNode(1);
  await cluster.restartNode(1);
  expect(cluster.nodes).toHaveLength(1);
});
