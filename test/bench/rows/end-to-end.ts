/** What a record costs in time when nothing else is under way: sent, durable on three nodes, in a consumer's hands. */
import { BenchCluster } from '../bench-cluster.ts';
import { runJob } from '../client/bench-client.ts';
import type { Bench, Row, RowResult } from '../row.ts';

const RECORD_BYTES = 100;
const SYNCS = 4;
const ALLOWANCE_MS = 3;

async function measure(bench: Bench): Promise<RowResult> {
  const sync = bench.floors.sync();
  const { result, usage } = await BenchCluster.run(bench, 3, async (cluster) => {
    await cluster.createTopic({ name: 'bench', partitions: 1, replicationFactor: 3 });
    const { bootstrap, servers } = cluster;
    const { warmupMs, measureMs } = bench;
    return await runJob(
      { kind: 'endToEnd', bootstrap, topic: 'bench', recordBytes: RECORD_BYTES, warmupMs, measureMs },
      servers,
    );
  });
  const { acknowledged, consumed } = result;
  const limitMs = SYNCS * sync.p50Ms + ALLOWANCE_MS;
  return {
    title: 'end to end, one record at a time, acks=all durable, 3 replicas: p99',
    figure: { value: consumed.p99Ms, unit: 'ms' },
    floor: { name: `${SYNCS} fsyncs`, value: SYNCS * sync.p50Ms, unit: 'ms' },
    reach: { text: `${SYNCS} fsyncs + 3 ms = ${limitMs.toFixed(2)} ms`, met: consumed.p99Ms <= limitMs },
    details: {
      'p50 ms': consumed.p50Ms,
      'p99.9 ms': consumed.p999Ms,
      'max ms': consumed.maxMs,
      'acknowledged p50 ms': acknowledged.p50Ms,
      'acknowledged p99 ms': acknowledged.p99Ms,
      records: consumed.count,
      'fsync p50 ms': sync.p50Ms,
      'fsync p99 ms': sync.p99Ms,
    },
    usage,
    records: result.records,
  };
}

export const endToEndRow: Row = {
  name: 'end-to-end',
  run: async (bench) => [await measure(bench)],
};
