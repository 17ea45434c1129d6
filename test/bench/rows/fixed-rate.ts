/** What a record waits at a rate well below the limit, over one partition and over a thousand. */
import { BenchCluster } from '../bench-cluster.ts';
import { runJob } from '../client/bench-client.ts';
import type { FixedRateResult } from '../client/job.ts';
import type { UsageReport } from '../process-usage.ts';
import type { Bench, Row, RowResult } from '../row.ts';
import { formatNumber } from '../table.ts';

const RECORD_BYTES = 1000;
const BYTES_PER_S = 5_000_000;
const MANY_PARTITIONS = 1_000;
const GROWTH_MAX = 3;

async function measure(
  bench: Bench,
  partitions: number,
): Promise<{ result: FixedRateResult; usage: UsageReport }> {
  return await BenchCluster.run(bench, 3, async (cluster) => {
    await cluster.createTopic({ name: 'bench', partitions, replicationFactor: 3 });
    await cluster.settled();
    const { bootstrap, servers } = cluster;
    const { warmupMs, measureMs } = bench;
    const recordsPerS = BYTES_PER_S / RECORD_BYTES;
    const shared = { bootstrap, topic: 'bench', recordBytes: RECORD_BYTES, warmupMs, measureMs };
    return await runJob({ kind: 'fixedRate', recordsPerS, partitions, ...shared }, servers);
  });
}

function resultRow(
  bench: Bench,
  partitions: number,
  { result, usage }: { result: FixedRateResult; usage: UsageReport },
): RowResult {
  const { latency, sendDelay } = result;
  return {
    title: `produce at 5 MB/s over ${formatNumber(partitions)} partitions, durable, 3 replicas: p99`,
    figure: { value: latency.p99Ms, unit: 'ms' },
    floor: { name: 'fsync p99', value: bench.floors.sync().p99Ms, unit: 'ms' },
    details: {
      'p50 ms': latency.p50Ms,
      'p99.9 ms': latency.p999Ms,
      'max ms': latency.maxMs,
      'client late p99 ms': sendDelay.p99Ms,
      records: latency.count,
    },
    usage,
    records: result.records,
  };
}

export const fixedRateRow: Row = {
  name: 'fixed-rate',
  async run(bench) {
    bench.floors.sync();
    const one = await measure(bench, 1);
    const many = await measure(bench, MANY_PARTITIONS);
    const growth = many.result.latency.p99Ms / one.result.latency.p99Ms;
    return [
      resultRow(bench, 1, one),
      {
        ...resultRow(bench, MANY_PARTITIONS, many),
        reach: {
          text: `p99 grows ${GROWTH_MAX} times at most (${formatNumber(growth)})`,
          met: growth <= GROWTH_MAX,
        },
      },
    ];
  },
};
