/**
 * The main job on real input: a large file goes in through the command line while the processes that hold it are
 * killed, and comes out again with every line exactly once.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { ClusterProcesses, MILLRACE_BIN } from './cluster-processes.ts';
import { LineJudge, LineSource } from './line-source.ts';

const LINE_COUNT = Number(process.env.MAIN_JOB_LINES ?? 1_000_000);
const SEED = Number(process.env.MAIN_JOB_SEED ?? 20261120);
const CHUNK_LINES = 2_000;
/** Slow enough that the faults fall into the flow, whatever the machine. */
const FEED_BYTES_PER_S = 8_000_000;
const TIMEOUT_MS = 300_000;

interface PartitionRow {
  readonly partition: number;
  readonly leader: number | null;
  readonly replicas: readonly number[];
  readonly isr: readonly number[];
}

function say(text: string): void {
  process.stderr.write(`  main job: ${text}\n`);
}

/** A fault that happens once the feed passes a share of the input; the feed does not wait for it. */
interface Fault {
  readonly atShare: number;
  readonly run: () => Promise<void>;
}

/** Pipes every line into `millrace produce` and fires the faults on the way. Resolves with the command's exit code. */
async function produce(
  cluster: ClusterProcesses,
  topic: string,
  source: LineSource,
  faults: readonly Fault[],
): Promise<number | null> {
  const child = spawn(
    process.execPath,
    [MILLRACE_BIN, '--bootstrap-server', cluster.bootstrap, 'produce', topic, '--acks', 'all', '-K', '\\t'],
    { stdio: ['pipe', 'ignore', 'pipe'] },
  );
  child.stderr.on('data', (chunk: Buffer) => process.stderr.write(chunk));
  child.stdin.on('error', () => {});
  const exited = once(child, 'close');
  const waiting = [...faults];
  /** One fault after the other: the next begins when the last one's node is back. */
  let running = Promise.resolve();
  const startedMs = performance.now();
  let fedBytes = 0;
  for (let from = 0; from < source.lineCount && child.exitCode === null; from += CHUNK_LINES) {
    while (waiting[0] && from >= waiting[0].atShare * source.lineCount)
      running = running.then(waiting.shift()!.run);
    const text = source.lines(from, Math.min(from + CHUNK_LINES, source.lineCount));
    fedBytes += text.length;
    if (!child.stdin.write(text)) await Promise.race([once(child.stdin, 'drain'), exited]);
    const aheadMs = (fedBytes / FEED_BYTES_PER_S) * 1000 - (performance.now() - startedMs);
    if (aheadMs > 0) await new Promise((resolve) => setTimeout(resolve, aheadMs));
  }
  child.stdin.end();
  await running;
  const [exitCode] = (await exited) as [number | null];
  say(
    `${source.lineCount} lines, ${fedBytes} bytes fed; produce ended with ${exitCode} after ${((performance.now() - startedMs) / 1000).toFixed(1)} s`,
  );
  return exitCode;
}

async function consume(cluster: ClusterProcesses, topic: string, judge: LineJudge): Promise<number | null> {
  const child = spawn(
    process.execPath,
    [
      MILLRACE_BIN,
      '--bootstrap-server',
      cluster.bootstrap,
      'consume',
      topic,
      '--from-beginning',
      '--exit-at-end',
      '-f',
      '%k\\t%v\\n',
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  child.stderr.on('data', (chunk: Buffer) => process.stderr.write(chunk));
  const exited = once(child, 'close');
  for await (const line of createInterface({ input: child.stdout })) judge.take(line);
  const [exitCode] = (await exited) as [number | null];
  return exitCode;
}

async function partitions(cluster: ClusterProcesses, topic: string): Promise<readonly PartitionRow[]> {
  const described = await cluster.json<
    { topics: { partitions: PartitionRow[] }[] } | { partitions: PartitionRow[] }[]
  >('topic', 'describe', topic);
  const topics = Array.isArray(described) ? described : described.topics;
  return topics[0]!.partitions;
}

async function leaderOfMost(cluster: ClusterProcesses, topic: string): Promise<number> {
  const counts = new Map<number, number>();
  for (const { leader } of await partitions(cluster, topic)) {
    if (leader !== null) counts.set(leader, (counts.get(leader) ?? 0) + 1);
  }
  return [...counts].sort((a, b) => b[1] - a[1])[0]![0];
}

async function activeController(cluster: ClusterProcesses): Promise<number> {
  return (await cluster.json<{ leaderId: number }>('quorum', 'status')).leaderId;
}

async function expectFullIsr(cluster: ClusterProcesses, topic: string): Promise<void> {
  await expect
    .poll(async () => (await partitions(cluster, topic)).filter(({ isr }) => isr.length < 3).length, {
      timeout: 60_000,
      interval: 500,
    })
    .toBe(0);
}

async function createTopic(cluster: ClusterProcesses, topic: string): Promise<void> {
  const { exitCode, stderr } = await cluster.command(
    'topic',
    'create',
    topic,
    '-p',
    '6',
    '-r',
    '3',
    '-c',
    'min.insync.replicas=2',
  );
  expect(stderr + exitCode).toContain('0');
  expect(exitCode).toBe(0);
}

test(
  'every line comes out once and in order while the leader, another node and the controller are killed in turn',
  async () => {
    await using cluster = await ClusterProcesses.start();
    const source = new LineSource(SEED, LINE_COUNT);
    await createTopic(cluster, 'lines');
    const killFor = async (id: number, why: string, downMs: number): Promise<void> => {
      say(`kill -9 of node ${id} (${why})`);
      await cluster.node(id).end('SIGKILL');
      await new Promise((resolve) => setTimeout(resolve, downMs));
      await cluster.node(id).start();
      say(`node ${id} runs again`);
    };
    let first = 0;
    const exitCode = await produce(cluster, 'lines', source, [
      {
        atShare: 0.15,
        run: async () => {
          first = await leaderOfMost(cluster, 'lines');
          await killFor(first, 'leads most partitions', 2_000);
        },
      },
      { atShare: 0.5, run: async () => killFor((first % 3) + 1, 'another one', 1_500) },
      {
        atShare: 0.8,
        run: async () => killFor(await activeController(cluster), 'the active controller', 1_000),
      },
    ]);
    expect(exitCode).toBe(0);
    await expectFullIsr(cluster, 'lines');
    const judge = new LineJudge(source);
    expect(await consume(cluster, 'lines', judge)).toBe(0);
    say(`${judge.received} lines consumed: ${JSON.stringify(judge.faults())}`);
    say(`\n${(await cluster.command('topic', 'describe', 'lines')).stdout}`);
    expect(judge.faults()).toEqual({ missing: 0, duplicates: 0, outOfOrder: 0, foreign: 0 });
  },
  TIMEOUT_MS,
);

test(
  'every line is there after all three processes are killed at the same moment in mid-flow',
  async () => {
    await using cluster = await ClusterProcesses.start();
    const source = new LineSource(SEED + 1, LINE_COUNT);
    await createTopic(cluster, 'lines');
    const exitCode = await produce(cluster, 'lines', source, [
      {
        atShare: 0.4,
        run: async () => {
          say('kill -9 of all three nodes');
          await Promise.all(cluster.nodes.map((node) => node.end('SIGKILL')));
          await Promise.all(cluster.nodes.map((node) => node.start()));
          say('all three run again');
        },
      },
    ]);
    expect(exitCode).toBe(0);
    await expectFullIsr(cluster, 'lines');
    const judge = new LineJudge(source);
    expect(await consume(cluster, 'lines', judge)).toBe(0);
    say(`${judge.received} lines consumed: ${JSON.stringify(judge.faults())}`);
    expect(judge.faults()).toEqual({ missing: 0, duplicates: 0, outOfOrder: 0, foreign: 0 });
  },
  TIMEOUT_MS,
);
