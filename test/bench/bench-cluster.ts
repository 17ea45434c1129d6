/** A cluster of real processes for one row: started empty, watched by role, and gone with its data when the row ends. */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Admin, Millrace, type NewTopic } from '@millrace/client';
import type { NodeId } from '@millrace/core';
import { ClusterProcesses, type NodeProcess } from '../cluster/cluster-processes.ts';
import { sleepMs } from './monotonic-clock.ts';
import { busiestShare, UsageWatch } from './process-usage.ts';
import type { Bench } from './row.ts';

const POLL_MS = 20;
const SETTLE_STEP_MS = 1_000;
const SETTLE_STEPS_MAX = 60;
/** Creating logs keeps the disk busy and with it a node: below this share of a core twice in a row it is over. */
const SETTLED_SHARE = 0.08;
const LOG_TAIL_LINES = 8;

export class BenchCluster {
  readonly processes: ClusterProcesses;
  /** Of everything that the nodes write. */
  readonly folder: string;
  readonly millrace: Millrace;
  readonly admin: Admin;

  private constructor(processes: ClusterProcesses, folder: string) {
    this.processes = processes;
    this.folder = folder;
    this.millrace = new Millrace({ bootstrap: processes.bootstrap });
    this.admin = this.millrace.admin();
  }

  /**
   * Runs `use` on a fresh cluster, with default settings except for `properties`. What the servers complained of goes
   * into a failure's message. @param kafka whether Kafka's clients are served, too.
   */
  static async run<T>(
    bench: Bench,
    nodes: number,
    use: (cluster: BenchCluster) => Promise<T>,
    properties: Readonly<Record<string, string>> = {},
    kafka = false,
  ): Promise<T> {
    const folder = await mkdtemp(join(bench.folder, 'cluster-'));
    const processes = await ClusterProcesses.start({ nodes, folder, properties, kafka });
    const cluster = new BenchCluster(processes, folder);
    try {
      return await use(cluster);
    } catch (error) {
      throw new Error(`${error instanceof Error ? error.stack : String(error)}\n${cluster.#complaints()}`);
    } finally {
      await cluster.millrace.close({ timeoutMs: 1_000 }).catch(() => undefined);
      await processes.close();
      await rm(folder, { recursive: true, force: true });
    }
  }

  get bootstrap(): string {
    return this.processes.bootstrap;
  }

  /** For Kafka's clients. */
  get kafkaBootstrap(): string {
    return this.processes.kafkaBootstrap;
  }

  get nodes(): readonly NodeProcess[] {
    return this.processes.nodes;
  }

  /** Process ids by role. */
  get servers(): ReadonlyMap<string, number> {
    return new Map(this.nodes.map((node) => [`node ${node.id}`, node.pid]));
  }

  /** Creates a topic and waits until all its replicas are in sync. */
  async createTopic(topic: NewTopic): Promise<void> {
    await this.admin.createTopic(topic);
    await this.untilInSync([topic.name]);
  }

  async untilInSync(topics: readonly string[]): Promise<void> {
    await until('every replica is in sync', async () => {
      const described = await this.admin.describeTopics(topics);
      return described.every(({ partitions }) =>
        partitions.every(({ isr, replicas, leader }) => leader !== -1 && isr.length === replicas.length),
      );
    });
  }

  /** Waits until the nodes have made the files of what was created and have gone quiet. */
  async settled(): Promise<void> {
    let wasQuiet = false;
    for (let step = 0; step < SETTLE_STEPS_MAX; step++) {
      const watch = new UsageWatch(this.servers);
      await sleepMs(SETTLE_STEP_MS);
      const isQuiet = busiestShare(watch.end()) < SETTLED_SHARE;
      if (isQuiet && wasQuiet) return;
      wasQuiet = isQuiet;
    }
  }

  async leaderOf(topic: string): Promise<NodeId> {
    const [described] = await this.admin.describeTopics([topic]);
    return described!.partitions[0]!.leader;
  }

  #complaints(): string {
    return this.nodes
      .map(({ id, logFile }) => {
        const lines = readFileSync(logFile, 'utf8')
          .split('\n')
          .map(complaintOf)
          .filter((complaint) => complaint !== undefined);
        return `node ${id}:\n${lines.slice(-LOG_TAIL_LINES).join('\n')}`;
      })
      .join('\n');
  }
}

/** A warning or worse in short, or a line that is not the logger's; undefined for anything else. */
function complaintOf(line: string): string | undefined {
  if (!line.startsWith('{')) return line === '' ? undefined : line;
  if (!/"level":"(?:warn|error|fatal)"/.test(line)) return undefined;
  const { time, event, msg, err } = JSON.parse(line) as Record<string, string> & {
    readonly err?: { readonly message: string };
  };
  return `${time} ${event}: ${msg}${err ? ` (${err.message})` : ''}`;
}

/** Polls until `holds`; failures while a cluster changes count as not yet. @throws {Error} after `timeoutMs`. */
export async function until(
  what: string,
  holds: () => Promise<boolean>,
  timeoutMs = 60_000,
  pollMs = POLL_MS,
): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    let failure: unknown;
    try {
      if (await holds()) return;
    } catch (error) {
      failure = error;
    }
    if (performance.now() > deadlineMs)
      throw new Error(`not within ${timeoutMs} ms: ${what}`, { cause: failure });
    await sleepMs(pollMs);
  }
}
