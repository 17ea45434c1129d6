/** How fast one producer fills one partition: LinkedIn's matrix of 2014, with what we add, durability. */
import { BenchCluster } from '../bench-cluster.ts';
import { runJob } from '../client/bench-client.ts';
import { PageSupply } from '../page-supply.ts';
import type { Bench, Reach, Row, RowResult } from '../row.ts';
import { formatNumber } from '../table.ts';
import { BATCH_BYTES, recordsPerS } from './record-size.ts';

interface ProduceSetup {
  readonly name: string;
  readonly title: string;
  readonly recordBytes: number;
  readonly replicas: 1 | 3;
  readonly acks: 1 | 'all';
  readonly durability: 'page-cache' | 'fsync';
  /** The row whose figure `reach` compares with. */
  readonly base?: string;
  readonly reach: (rate: number, against: { readonly floor: number; readonly base: number }) => Reach;
}

/** What a row writes in a second, about: all copies together. */
const WRITTEN_BYTES_PER_S = 0.6e9;

const REPLICATED = 'produce-100b-rf3';

const SETUPS: readonly ProduceSetup[] = [
  {
    name: 'produce-100b',
    title: 'produce 100 B, 1 partition, 1 replica, acks=1',
    recordBytes: 100,
    replicas: 1,
    acks: 1,
    durability: 'page-cache',
    reach: (rate) => ({ text: '400,000 (to beat: 821,557)', met: rate >= 400_000 }),
  },
  {
    name: 'produce-1k',
    title: 'produce 1 KiB, 1 partition, 1 replica, acks=1',
    recordBytes: 1024,
    replicas: 1,
    acks: 1,
    durability: 'page-cache',
    reach: (rate, { floor }) => ({ text: '0.4 of the floor', met: rate >= 0.4 * floor }),
  },
  {
    name: REPLICATED,
    title: 'produce 100 B, 3 replicas, acks=all, page-cache',
    recordBytes: 100,
    replicas: 3,
    acks: 'all',
    durability: 'page-cache',
    base: 'produce-100b',
    reach: (rate, { base }) => ({
      text: `0.3 of one replica (${formatNumber(rate / base)})`,
      met: rate >= 0.3 * base,
    }),
  },
  {
    name: 'produce-100b-rf3-durable',
    title: 'produce 100 B, 3 replicas, acks=all, durable',
    recordBytes: 100,
    replicas: 3,
    acks: 'all',
    durability: 'fsync',
    base: REPLICATED,
    reach: (rate, { base }) => ({
      text: `0.6 of page-cache (${formatNumber(rate / base)})`,
      met: rate >= 0.6 * base,
    }),
  },
];

async function measure(bench: Bench, setup: ProduceSetup): Promise<RowResult> {
  const { recordBytes, replicas, acks, durability } = setup;
  const floorRate = recordsPerS(await bench.floors.bytesPerS('grpcUp', BATCH_BYTES), recordBytes);
  using memory = new PageSupply(
    bench.folder,
    ((bench.warmupMs + bench.measureMs) / 1000) * WRITTEN_BYTES_PER_S,
  );
  const { result, usage } = await BenchCluster.run(bench, replicas, async (cluster) => {
    await cluster.createTopic({
      name: 'bench',
      partitions: 1,
      replicationFactor: replicas,
      configs: { durability },
    });
    memory.follow(cluster.folder);
    const { bootstrap, servers } = cluster;
    const { warmupMs, measureMs } = bench;
    return await runJob(
      { kind: 'produce', bootstrap, topic: 'bench', recordBytes, acks, warmupMs, measureMs },
      servers,
    );
  });
  const rate = (result.records / result.elapsedMs) * 1000;
  bench.figures.set(setup.name, rate);
  return {
    title: setup.title,
    figure: { value: rate, unit: 'records/s' },
    floor: { name: 'gRPC stream', value: floorRate, unit: 'records/s' },
    reach: setup.reach(rate, { floor: floorRate, base: bench.figures.get(setup.base ?? '') ?? Number.NaN }),
    details: {
      'MB/s': (rate * recordBytes) / 1e6,
      'queued p50 ms': result.latency.p50Ms,
      'p99 ms': result.latency.p99Ms,
    },
    usage,
    records: result.records,
  };
}

export const produceRows: readonly Row[] = SETUPS.map((setup) => ({
  name: setup.name,
  ...(setup.base ? { needs: [setup.base] } : {}),
  run: async (bench) => [await measure(bench, setup)],
}));
