/**
 * What more partitions and more connections cost a node that serves Kafka's clients: the same load, spread wider.
 * Throughput is measured as fast as answers come; latency at a fixed rate far below, as it means nothing otherwise.
 */
import { BenchCluster } from '../bench-cluster.ts';
import { runJob } from '../client/bench-client.ts';
import type { KafkaLoadJob } from '../client/job.ts';
import { openFilesMax } from '../machine.ts';
import { memoryOf } from '../process-usage.ts';
import type { Bench, Row, RowResult } from '../row.ts';
import { formatNumber } from '../table.ts';

const RECORD_BYTES = 100;
const RECORDS_PER_REQUEST = 160;
const BATCHES_PER_REQUEST = 16;
/** Over which partitions are spread, and the other way round. */
const USUAL_CONNECTIONS = 10;
const USUAL_PARTITIONS = 100;
const PARTITIONS = [1, 100, 1_000, 5_000];
const CONNECTIONS = [10, 1_000, 5_000];
const IN_FLIGHT = 100;
const REQUESTS_PER_S = 500;
/** Of a process, for all but connections and logs. */
const OTHER_FILES = 200;
const PROPERTIES = {
  'log.durability': 'page-cache',
  // At the fixed rate the last of 5,000 connections has its first request after 10 s, which is the default.
  'connection.setup.timeout.ms': '60000',
};

type Shape = Pick<
  KafkaLoadJob,
  'partitions' | 'connections' | 'batchesPerRequest' | 'recordsPerBatch' | 'inFlightPerConnection'
>;

/** @throws {Error} that says what to do, if the machine does not let a process have so many files. */
function checkFiles({ connections, partitions }: Shape): void {
  const needed = connections + partitions + OTHER_FILES;
  const allowed = openFilesMax();
  if (needed <= allowed) return;
  throw new Error(
    `${formatNumber(connections)} connections and ${formatNumber(partitions)} partitions need ${formatNumber(needed)} open files, ` +
      `but a process may have ${formatNumber(allowed)} here: raise the limit (ulimit -Hn) and run this again`,
  );
}

async function measure(bench: Bench, what: string, shape: Shape): Promise<RowResult> {
  bench.say(what);
  checkFiles(shape);
  const run = async (cluster: BenchCluster): Promise<RowResult> => {
    const pid = cluster.nodes[0]!.pid;
    const emptyBytes = memoryOf(pid).rssBytes;
    const createdAtMs = performance.now();
    await cluster.createTopic({ name: 'bench', partitions: shape.partitions, replicationFactor: 1 });
    const createdMs = performance.now() - createdAtMs;
    await cluster.millrace.close();
    await cluster.settled();
    const idleBytes = memoryOf(pid).rssBytes;
    const { warmupMs, measureMs } = bench;
    const shared = { bootstrap: cluster.kafkaBootstrap, topic: 'bench', recordBytes: RECORD_BYTES };
    const job = { kind: 'kafkaLoad', ...shared, ...shape, warmupMs, measureMs } as const;
    const steady = await runJob({ ...job, requestsPerS: REQUESTS_PER_S }, cluster.servers);
    const full = await runJob({ ...job, requestsPerS: undefined }, cluster.servers);
    const { result, usage } = full;
    const node = usage.processes.find(({ role }) => role !== 'client')!;
    return {
      title: `kafka growth: ${what}`,
      figure: { value: (result.records * 1000) / result.elapsedMs, unit: 'records/s' },
      details: {
        [`p50 ms at ${REQUESTS_PER_S} requests/s`]: steady.result.latency.p50Ms,
        'p99 ms': steady.result.latency.p99Ms,
        'p99.9 ms': steady.result.latency.p999Ms,
        'MB empty': emptyBytes / 1e6,
        'MB idle': idleBytes / 1e6,
        'MB at the fixed rate': steady.usage.processes.find(({ role }) => role !== 'client')!.rssBytes / 1e6,
        'MB at full speed': node.rssBytes / 1e6,
        'topic created ms': createdMs,
        'connections opened ms': result.openedMs,
      },
      usage,
      records: result.records,
    };
  };
  return await BenchCluster.run(bench, 1, run, PROPERTIES, true);
}

export const kafkaGrowthRow: Row = {
  name: 'kafka-growth',
  async run(bench) {
    const results: RowResult[] = [];
    for (const partitions of PARTITIONS) {
      const batchesPerRequest = Math.min(partitions, BATCHES_PER_REQUEST);
      results.push(
        await measure(bench, `${formatNumber(partitions)} partitions, ${USUAL_CONNECTIONS} connections`, {
          partitions,
          connections: USUAL_CONNECTIONS,
          batchesPerRequest,
          recordsPerBatch: RECORDS_PER_REQUEST / batchesPerRequest,
          inFlightPerConnection: IN_FLIGHT / USUAL_CONNECTIONS,
        }),
      );
    }
    for (const connections of CONNECTIONS) {
      results.push(
        await measure(bench, `${formatNumber(connections)} connections, ${USUAL_PARTITIONS} partitions`, {
          partitions: USUAL_PARTITIONS,
          connections,
          batchesPerRequest: 1,
          recordsPerBatch: RECORDS_PER_REQUEST / BATCHES_PER_REQUEST,
          inFlightPerConnection: Math.max(1, IN_FLIGHT / connections),
        }),
      );
    }
    return results;
  },
};
