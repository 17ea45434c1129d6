/** What a cluster full of partitions costs while nobody uses it. */
import { BenchCluster } from '../bench-cluster.ts';
import { withPeer } from '../floor/network-floor.ts';
import { sleepMs } from '../monotonic-clock.ts';
import { busiestShare, memoryOf, UsageWatch } from '../process-usage.ts';
import type { Bench, Row, RowResult } from '../row.ts';

const TOPICS = 30;
const PARTITIONS_PER_TOPIC = 100;
const WATCH_MS = 20_000;
const QUICK_WATCH_MS = 5_000;
const CPU_SHARE_MAX = 0.05;
const RSS_MAX_BYTES = 250e6;
async function measure(bench: Bench): Promise<RowResult> {
  const bareBytes = await withPeer(async ({ pid }) => memoryOf(pid).rssBytes);
  const { usage, emptyBytes, createdMs } = await BenchCluster.run(bench, 3, async (cluster) => {
    const emptyBytes = Math.max(...[...cluster.servers.values()].map((pid) => memoryOf(pid).rssBytes));
    const startedMs = performance.now();
    const names = Array.from({ length: TOPICS }, (_, index) => `idle-${index}`);
    await cluster.admin.createTopics(
      names.map((name) => ({ name, partitions: PARTITIONS_PER_TOPIC, replicationFactor: 3 })),
    );
    await cluster.untilInSync(names);
    const createdMs = performance.now() - startedMs;
    await cluster.millrace.close();
    await cluster.settled();
    const watch = new UsageWatch(cluster.servers);
    await sleepMs(bench.quick ? QUICK_WATCH_MS : WATCH_MS);
    return { usage: watch.end(), emptyBytes, createdMs };
  });
  const share = busiestShare(usage);
  const rssBytes = Math.max(...usage.processes.map((process) => process.rssBytes));
  return {
    title: `idle: 3 nodes, ${TOPICS * PARTITIONS_PER_TOPIC} partitions of 3 replicas: busiest node`,
    figure: { value: share * 100, unit: '% of a core' },
    reach: {
      text: `5 %, 250 MB (${(rssBytes / 1e6).toFixed(0)} MB)`,
      met: share <= CPU_SHARE_MAX && rssBytes <= RSS_MAX_BYTES,
    },
    details: {
      'MB of the largest node': rssBytes / 1e6,
      'MB of a bare gRPC server': bareBytes / 1e6,
      'MB before the partitions': emptyBytes / 1e6,
      'created and in sync after ms': createdMs,
    },
    usage,
  };
}

export const idleRow: Row = {
  name: 'idle',
  run: async (bench) => [await measure(bench)],
};
