/** How fast the metadata quorum changes the cluster, and how long a change waits when its leader dies. */
import type { NodeId } from '@millrace/core';
import { BenchCluster, until } from '../bench-cluster.ts';
import { memoryOf, type UsageReport, UsageWatch } from '../process-usage.ts';
import type { Bench, Row, RowResult } from '../row.ts';

const TOPICS = 500;
const QUICK_TOPICS = 50;
const IN_FLIGHT = 32;
const MANY_TOPICS = 100;
const PARTITIONS_PER_TOPIC = 100;
const QUICK_MANY_TOPICS = 10;
const TOPICS_PER_REQUEST = 10;
const ATTEMPT_MS = 1_000;

/** Topics of one partition and three replicas, several requests under way: one topic in each. */
async function createEach(
  cluster: BenchCluster,
  prefix: string,
  count: number,
  inFlight: number,
): Promise<number> {
  const startedMs = performance.now();
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      const name = `${prefix}-${next++}`;
      await cluster.admin.createTopic({ name, partitions: 1, replicationFactor: 3 });
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  return (count / (performance.now() - startedMs)) * 1000;
}

interface ManyPartitions {
  readonly partitions: number;
  readonly acceptedMs: number;
  readonly ledMs: number;
  /** Until the files of all are made. */
  readonly settledMs: number;
  readonly usage: UsageReport;
}

/** Time until the controller has accepted them and until each has a leader and all its replicas. */
async function createMany(cluster: BenchCluster, topics: number): Promise<ManyPartitions> {
  const startedMs = performance.now();
  const watch = new UsageWatch(cluster.servers);
  const names = Array.from({ length: topics }, (_, index) => `many-${index}`);
  for (let from = 0; from < topics; from += TOPICS_PER_REQUEST) {
    const some = names.slice(from, from + TOPICS_PER_REQUEST);
    await cluster.admin.createTopics(
      some.map((name) => ({ name, partitions: PARTITIONS_PER_TOPIC, replicationFactor: 3 })),
    );
  }
  const acceptedMs = performance.now() - startedMs;
  await cluster.untilInSync(names);
  const ledMs = performance.now() - startedMs;
  await cluster.settled();
  const settledMs = performance.now() - startedMs;
  return { partitions: topics * PARTITIONS_PER_TOPIC, acceptedMs, ledMs, settledMs, usage: watch.end() };
}

interface Failover {
  /** Until another node answers that it leads the quorum. */
  readonly electedMs: number;
  /** Until a change is committed again. */
  readonly committedMs: number;
  /** Until every partition has a leader again. */
  readonly ledMs: number;
}

async function killController(cluster: BenchCluster): Promise<Failover> {
  const killed: NodeId = (await cluster.admin.describeQuorum()).leaderId;
  await cluster.processes.node(killed).end('SIGKILL');
  const killedMs = performance.now();
  const since = (): number => performance.now() - killedMs;
  const elected = until(
    'another node leads the quorum',
    async () => {
      const { leaderId } = await cluster.admin.describeQuorum({ timeoutMs: ATTEMPT_MS });
      return leaderId !== -1 && leaderId !== killed;
    },
    undefined,
    5,
  ).then(since);
  const committed = until(
    'a topic is created',
    async () => {
      const name = `after-${Math.round(since())}`;
      await cluster.admin.createTopic(
        { name, partitions: 1, replicationFactor: 2 },
        { timeoutMs: ATTEMPT_MS },
      );
      return true;
    },
    undefined,
    5,
  ).then(since);
  const led = committed.then(() =>
    until('every partition has a leader', async () => {
      return (await cluster.admin.describeCluster({ timeoutMs: ATTEMPT_MS })).leaderlessPartitionCount === 0;
    }).then(since),
  );
  const [electedMs, committedMs, ledMs] = await Promise.all([elected, committed, led]);
  return { electedMs, committedMs, ledMs };
}

async function measure(bench: Bench): Promise<readonly RowResult[]> {
  const sync = bench.floors.sync();
  return await BenchCluster.run(bench, 3, async (cluster) => {
    const topics = bench.quick ? QUICK_TOPICS : TOPICS;
    await createEach(cluster, 'warm', topics / 10, 1);
    const serialPerS = await createEach(cluster, 'serial', topics / 5, 1);
    const watch = new UsageWatch(cluster.servers);
    const perS = await createEach(cluster, 'each', topics, IN_FLIGHT);
    const usage = watch.end();
    const many = await createMany(cluster, bench.quick ? QUICK_MANY_TOPICS : MANY_TOPICS);
    const rssBytes = Math.max(...[...cluster.servers.values()].map((pid) => memoryOf(pid).rssBytes));
    const failover = await killController(cluster);
    return [
      {
        title: `metadata: topics created, 3 replicas, ${IN_FLIGHT} requests in flight`,
        figure: { value: perS, unit: 'topics/s' },
        floor: { name: 'fsync', value: 1000 / sync.meanMs, unit: 'syncs/s' },
        details: { 'one at a time topics/s': serialPerS },
        usage,
        records: topics,
      },
      {
        title: `metadata: ${many.partitions} partitions of 3 replicas until all are in sync`,
        figure: { value: many.ledMs, unit: 'ms' },
        details: {
          'accepted after ms': many.acceptedMs,
          'quiet after ms': many.settledMs,
          'MB of the largest node': rssBytes / 1e6,
        },
        usage: many.usage,
        records: many.partitions,
      },
      {
        title: 'metadata: active controller killed -9 to the next committed change',
        figure: { value: failover.committedMs, unit: 'ms' },
        details: {
          'new leader known after ms': failover.electedMs,
          'all partitions led again after ms': failover.ledMs,
        },
      },
    ];
  });
}

export const metadataRow: Row = { name: 'metadata', run: measure };
