/** How long until a cluster that was not there has acknowledged a record on every replica. */
import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { BenchCluster } from '../bench-cluster.ts';
import type { EmbeddedStart } from '../client/embedded-start.ts';
import { median } from '../histogram.ts';
import type { Bench, Row, RowResult } from '../row.ts';

const REPEATS = 5;
const QUICK_REPEATS = 2;

/** A Node process that does nothing: no start can take less. */
function bareNodeMs(): number {
  const times = Array.from({ length: REPEATS }, () => {
    const startedMs = performance.now();
    execFileSync(process.execPath, ['-e', '0']);
    return performance.now() - startedMs;
  });
  return median(times);
}

async function processesStartMs(bench: Bench): Promise<{ startedMs: number; acknowledgedMs: number }> {
  const spawnedMs = performance.now();
  return await BenchCluster.run(bench, 3, async (cluster) => {
    const startedMs = performance.now() - spawnedMs;
    await cluster.admin.createTopic({ name: 'bench', partitions: 1, replicationFactor: 3 });
    await cluster.millrace.producer({ acks: 'all' }).send({ topic: 'bench', value: 'first' });
    return { startedMs, acknowledgedMs: performance.now() - spawnedMs };
  });
}

/** In a process of its own each time, so that every start runs code that has not run before. */
async function embeddedStart(): Promise<EmbeddedStart> {
  const child = fork(fileURLToPath(new URL('../client/embedded-start.js', import.meta.url)));
  const exited = once(child, 'exit');
  const [message] = (await Promise.race([
    once(child, 'message'),
    exited.then(() => Promise.reject(new Error('the embedded cluster ended before its first record'))),
  ])) as [EmbeddedStart];
  await exited;
  return message;
}

async function measureProcesses(bench: Bench, repeats: number, floorMs: number): Promise<RowResult> {
  const starts: { startedMs: number; acknowledgedMs: number }[] = [];
  for (let count = 0; count < repeats; count++) starts.push(await processesStartMs(bench));
  const acknowledgedMs = starts.map((start) => start.acknowledgedMs);
  const worstMs = Math.max(...acknowledgedMs);
  return {
    title: 'start: three processes on empty folders to the first acks=all record',
    figure: { value: median(acknowledgedMs), unit: 'ms' },
    floor: { name: 'a bare Node process', value: floorMs, unit: 'ms' },
    reach: { text: `2,000 ms (max ${worstMs.toFixed(0)})`, met: worstMs <= 2000 },
    details: {
      'all serving ms': median(starts.map(({ startedMs }) => startedMs)),
      'each ms': acknowledgedMs.map((ms) => ms.toFixed(0)).join(' '),
    },
  };
}

async function measureEmbedded(repeats: number, floorMs: number): Promise<RowResult> {
  const starts: EmbeddedStart[] = [];
  for (let count = 0; count < repeats; count++) starts.push(await embeddedStart());
  const middleMs = median(starts.map(({ acknowledgedMs }) => acknowledgedMs));
  return {
    title: 'start: three nodes in one process, in memory, to the first acks=all record',
    figure: { value: middleMs, unit: 'ms' },
    floor: { name: 'a bare Node process', value: floorMs, unit: 'ms' },
    reach: { text: '300 ms', met: middleMs <= 300 },
    details: {
      'modules loaded ms': median(starts.map(({ loadedMs }) => loadedMs)),
      'cluster started ms': median(starts.map(({ startedMs }) => startedMs)),
      'second cluster in the same process ms': median(starts.map(({ againMs }) => againMs)),
      'each ms': starts.map(({ acknowledgedMs }) => acknowledgedMs.toFixed(0)).join(' '),
    },
  };
}

export const startRow: Row = {
  name: 'start',
  async run(bench) {
    const repeats = bench.quick ? QUICK_REPEATS : REPEATS;
    const floorMs = bareNodeMs();
    return [await measureProcesses(bench, repeats, floorMs), await measureEmbedded(repeats, floorMs)];
  },
};
