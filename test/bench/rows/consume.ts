/** How fast one consumer reads one partition that it lags behind. */
import { BenchCluster } from '../bench-cluster.ts';
import { runJob } from '../client/bench-client.ts';
import type { Bench, Row, RowResult } from '../row.ts';
import { FETCH_BYTES, recordsPerS } from './record-size.ts';

const RECORD_BYTES = 100;
const RECORDS = 4_000_000;
const QUICK_RECORDS = 500_000;

async function measure(bench: Bench): Promise<RowResult> {
  const floorRate = recordsPerS(await bench.floors.bytesPerS('grpcDown', FETCH_BYTES), RECORD_BYTES);
  const { result, usage } = await BenchCluster.run(bench, 1, async (cluster) => {
    await cluster.createTopic({
      name: 'bench',
      partitions: 1,
      replicationFactor: 1,
      configs: { durability: 'page-cache' },
    });
    const { bootstrap, servers } = cluster;
    const shared = { bootstrap, topic: 'bench', recordBytes: RECORD_BYTES };
    await runJob({ kind: 'fill', records: bench.quick ? QUICK_RECORDS : RECORDS, ...shared });
    const { warmupMs, measureMs } = bench;
    return await runJob({ kind: 'consume', warmupMs, measureMs, ...shared }, servers);
  });
  const rate = (result.records / result.elapsedMs) * 1000;
  return {
    title: 'consume 100 B, 1 consumer',
    figure: { value: rate, unit: 'records/s' },
    floor: { name: 'gRPC stream', value: floorRate, unit: 'records/s' },
    reach: { text: '500,000 (to beat: 940,521)', met: rate >= 500_000 },
    details: { 'MB/s': (rate * RECORD_BYTES) / 1e6 },
    usage,
    records: result.records,
  };
}

export const consumeRow: Row = {
  name: 'consume-100b',
  run: async (bench) => [await measure(bench)],
};
