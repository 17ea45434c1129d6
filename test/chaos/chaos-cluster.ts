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
  readonly nodes: readonly NodeProcess[];
  readonly links: LinkMatrix;
  /** The node whose disk can be filled; undefined where nothing may be mounted. */
  readonly smallDiskNode: NodeProcess | undefined;
  readonly #proxies: readonly LinkProxy[];
  readonly #folder: string;

  private constructor(
    nodes: readonly NodeProcess[],
    links: LinkMatrix,
    proxies: readonly LinkProxy[],
    smallDiskNode: NodeProcess | undefined,
    folder: string,
  ) {
    this.nodes = nodes;
    this.links = links;
    this.smallDiskNode = smallDiskNode;
    this.#proxies = proxies;
    this.#folder = folder;
  }

  static async start(count = 3): Promise<ChaosCluster> {
    const folder = await mkdtemp(join(KEPT_FOLDER ?? tmpdir(), 'millrace-chaos-'));
    const ports = await freePorts(count);
    const links = new LinkMatrix();
    const nodes: NodeProcess[] = [];
    const pids = (): ReadonlyMap<Party, number> =>
      new Map(nodes.filter(({ isRunning }) => isRunning).map(({ id, pid }) => [id, pid]));
    const proxies = await Promise.all(
      ports.map((nodePort, index) => LinkProxy.start({ nodeId: index + 1, nodePort, links, pids })),
    );
    const voters = proxies.map(({ port }, index) => `${index + 1}@127.0.0.1:${port}`).join(',');
    for (const [index, port] of ports.entries()) {
      nodes.push(
        new NodeProcess(index + 1, port, join(folder, `node-${index + 1}`), {
          'node.id': String(index + 1),
          'controller.quorum.voters': voters,
          listeners: `GRPC://127.0.0.1:${port}`,
          'advertised.listeners': `GRPC://127.0.0.1:${proxies[index]!.port}`,
          'default.replication.factor': '3',
          'min.insync.replicas': '2',
          'offsets.topic.num.partitions': '3',
          'group.consumer.session.timeout.ms': '6000',
          'group.consumer.heartbeat.interval.ms': '1500',
        }),
      );
    }
    const last = nodes.at(-1)!;
    const hasSmallDisk = await mountSmallDisk(last.dataFolder);
    const cluster = new ChaosCluster(nodes, links, proxies, hasSmallDisk ? last : undefined, folder);
    try {
      await Promise.all(nodes.map((node) => node.start()));
    } catch (error) {
      await cluster.close();
      throw error;
    }
    return cluster;
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

  async close(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.end('SIGKILL')));
    for (const proxy of this.#proxies) proxy.close();
    if (this.smallDiskNode) execFileSync('umount', ['-l', this.smallDiskNode.dataFolder]);
    if (KEPT_FOLDER === undefined) await rm(this.#folder, { recursive: true, force: true });
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
