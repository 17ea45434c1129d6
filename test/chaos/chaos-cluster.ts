/**
 * Real server processes that reach each other, and are reached, only through link proxies. One of them keeps its data
 * on a small disk of its own where the machine allows to mount one. Ends only what it started.
 */
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts, NodeProcess, runCommand } from '../cluster/cluster-processes.ts';
import { LinkMatrix, LinkProxy, type Party } from './link-proxy.ts';

const KEPT_FOLDER = process.env.MILLRACE_TEST_FOLDER;
const SMALL_DISK_MIB = 512;

export class ChaosCluster implements AsyncDisposable {
  readonly nodes: NodeProcess[] = [];
  readonly links = new LinkMatrix();
  /** The node whose disk can be filled; undefined where nothing may be mounted. */
  smallDiskNode: NodeProcess | undefined;
  readonly #proxies: LinkProxy[] = [];
  readonly #folder: string;
  #isClosed = false;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Leaves nothing behind if it fails. */
  static async start(count = 3): Promise<ChaosCluster> {
    const cluster = new ChaosCluster(await mkdtemp(join(KEPT_FOLDER ?? tmpdir(), 'millrace-chaos-')));
    process.once('exit', cluster.#endAtOnce);
    try {
      await cluster.#open(count);
    } catch (error) {
      await cluster.close();
      throw error;
    }
    return cluster;
  }

  async #open(count: number): Promise<void> {
    const { nodes, links } = this;
    const ports = await freePorts(count);
    const pids = (): ReadonlyMap<Party, number> =>
      new Map(nodes.filter(({ isRunning }) => isRunning).map(({ id, pid }) => [id, pid]));
    for (const [index, nodePort] of ports.entries()) {
      this.#proxies.push(await LinkProxy.start({ nodeId: index + 1, nodePort, links, pids }));
    }
    const voters = this.#proxies.map(({ port }, index) => `${index + 1}@127.0.0.1:${port}`).join(',');
    for (const [index, port] of ports.entries()) {
      nodes.push(
        new NodeProcess(index + 1, port, join(this.#folder, `node-${index + 1}`), {
          'node.id': String(index + 1),
          'controller.quorum.voters': voters,
          listeners: `GRPC://127.0.0.1:${port}`,
          'advertised.listeners': `GRPC://127.0.0.1:${this.#proxies[index]!.port}`,
          'default.replication.factor': '3',
          'min.insync.replicas': '2',
          'offsets.topic.num.partitions': '3',
          'group.consumer.session.timeout.ms': '6000',
          'group.consumer.heartbeat.interval.ms': '1500',
        }),
      );
    }
    const last = nodes.at(-1)!;
    if (await mountSmallDisk(last.dataFolder)) this.smallDiskNode = last;
    await Promise.all(nodes.map((node) => node.start()));
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** A fault that ends after the cluster must not begin it again. */
  async startNode(node: NodeProcess): Promise<void> {
    if (this.#isClosed) return;
    try {
      await node.start();
    } finally {
      if (this.#isClosed) await node.end('SIGKILL');
    }
  }

  get bootstrap(): string[] {
    return this.#proxies.map(({ port }) => `127.0.0.1:${port}`);
  }

  async isHealthy(): Promise<boolean> {
    const { exitCode } = await runCommand([
      '--bootstrap-server',
      this.bootstrap.join(','),
      'cluster',
      'health',
    ]);
    return exitCode === 0;
  }

  /** However far it came, and however often it is called. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await Promise.allSettled(this.nodes.map((node) => node.end('SIGKILL')));
    for (const proxy of this.#proxies) proxy.close();
    this.#unmount();
    process.off('exit', this.#endAtOnce);
    if (KEPT_FOLDER === undefined) await rm(this.#folder, { recursive: true, force: true });
  }

  /** The test's own process ends, whoever ended it. */
  readonly #endAtOnce = (): void => {
    for (const node of this.nodes) if (node.isRunning) node.kill('SIGKILL');
    this.#unmount();
  };

  #unmount(): void {
    if (this.smallDiskNode === undefined) return;
    const { dataFolder } = this.smallDiskNode;
    this.smallDiskNode = undefined;
    execFileSync('umount', ['-l', dataFolder]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** False where only others may mount. */
async function mountSmallDisk(folder: string): Promise<boolean> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  await mkdir(folder, { recursive: true });
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${SMALL_DISK_MIB}m`, 'tmpfs', folder], {
      stdio: 'ignore',
    });
    return true;
  } catch {
    return false;
  }
}
