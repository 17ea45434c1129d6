/**
 * What can happen to a cluster of real processes. Each fault begins, and gives back how to heal it; a fault picks its
 * victim by the random numbers it is given. None leaves the loopback or touches a process that the test did not start.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { below, type Random } from '@millrace/core';
import type { NodeProcess } from '../cluster/cluster-processes.ts';
import type { ChaosCluster } from './chaos-cluster.ts';
import type { Party } from './link-proxy.ts';

export interface ChaosFault {
  readonly name: string;
  /** Why it cannot happen here; undefined if it can. */
  unavailable(cluster: ChaosCluster): string | undefined;
  /** Resolves once it has happened; `heal` undoes it. */
  begin(cluster: ChaosCluster, random: Random): Promise<{ readonly text: string; heal(): Promise<void> }>;
}

const DELAY_MIN_MS = 20;
const DELAY_SPREAD_MS = 280;
/** How long a trace is given to take hold of every thread of a process. */
const STRACE_ATTACH_MS = 500;

const always = (): undefined => undefined;

function pick(cluster: ChaosCluster, random: Random): NodeProcess {
  return cluster.nodes[below(random, cluster.nodes.length)]!;
}

async function restart(cluster: ChaosCluster, node: NodeProcess): Promise<void> {
  await node.end('SIGKILL');
  await cluster.startNode(node);
}

const kill: ChaosFault = {
  name: 'kill',
  unavailable: always,
  async begin(cluster, random) {
    const node = pick(cluster, random);
    await node.end('SIGKILL');
    return { text: `kill -9 of node ${node.id}`, heal: () => cluster.startNode(node) };
  },
};

const killAll: ChaosFault = {
  name: 'kill-all',
  unavailable: always,
  async begin(cluster) {
    await Promise.all(cluster.nodes.map((node) => node.end('SIGKILL')));
    return {
      text: 'kill -9 of every node',
      heal: async () => {
        await Promise.all(cluster.nodes.map((node) => cluster.startNode(node)));
      },
    };
  },
};

const pause: ChaosFault = {
  name: 'pause',
  unavailable: always,
  async begin(cluster, random) {
    const node = pick(cluster, random);
    node.kill('SIGSTOP');
    return { text: `SIGSTOP of node ${node.id}`, heal: async () => node.kill('SIGCONT') };
  },
};

function parties(cluster: ChaosCluster): Party[] {
  return [...cluster.nodes.map(({ id }) => id), 'clients'];
}

const isolate: ChaosFault = {
  name: 'isolate',
  unavailable: always,
  async begin(cluster, random) {
    const { id } = pick(cluster, random);
    const others = cluster.nodes.filter((node) => node.id !== id);
    for (const other of others) {
      cluster.links.link(id, other.id).cut();
      cluster.links.link(other.id, id).cut();
    }
    return { text: `node ${id} is cut off from the other nodes`, heal: async () => cluster.links.healAll() };
  },
};

const oneWay: ChaosFault = {
  name: 'one-way',
  unavailable: always,
  async begin(cluster, random) {
    const { id } = pick(cluster, random);
    const isDeaf = below(random, 2) === 0;
    for (const other of parties(cluster)) {
      if (other === id) continue;
      if (isDeaf) cluster.links.link(other, id).cut();
      else cluster.links.link(id, other).cut();
    }
    const text = isDeaf ? `node ${id} hears nobody` : `nobody hears node ${id}`;
    return { text, heal: async () => cluster.links.healAll() };
  },
};

const onePair: ChaosFault = {
  name: 'one-pair',
  unavailable: always,
  async begin(cluster, random) {
    const { id } = pick(cluster, random);
    const other = cluster.nodes[id % cluster.nodes.length]!.id;
    cluster.links.link(id, other).cut();
    cluster.links.link(other, id).cut();
    return {
      text: `nodes ${id} and ${other} do not reach each other`,
      heal: async () => cluster.links.healAll(),
    };
  },
};

const slowLinks: ChaosFault = {
  name: 'slow-links',
  unavailable: always,
  async begin(cluster, random) {
    const { id } = pick(cluster, random);
    const delayMs = DELAY_MIN_MS + below(random, DELAY_SPREAD_MS);
    for (const other of parties(cluster)) {
      if (other === id) continue;
      cluster.links.link(id, other).delay(delayMs);
      cluster.links.link(other, id).delay(delayMs);
    }
    return {
      text: `${delayMs} ms on every way to and from node ${id}`,
      heal: async () => cluster.links.healAll(),
    };
  },
};

const fullDisk: ChaosFault = {
  name: 'full-disk',
  unavailable: ({ smallDiskNode }) => (smallDiskNode ? undefined : 'no small disk can be mounted here'),
  async begin(cluster) {
    const node = cluster.smallDiskNode!;
    const filler = join(node.dataFolder, 'filler.tmp');
    const { bavail, bsize } = await statfs(node.dataFolder);
    await writeFile(filler, Buffer.alloc(bavail * bsize)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOSPC') throw error;
    });
    return {
      text: `the disk of node ${node.id} is full`,
      heal: async () => {
        await rm(filler, { force: true });
        // What went offline stays so until the node starts again.
        await restart(cluster, node);
      },
    };
  },
};

const failedSync: ChaosFault = {
  name: 'failed-sync',
  unavailable: () =>
    spawnSync('strace', ['-o', '/dev/null', 'true']).status === 0
      ? undefined
      : 'strace is missing or not allowed',
  async begin(cluster, random) {
    const node = pick(cluster, random);
    const trace = spawn(
      'strace',
      [
        '-f',
        '-q',
        '-o',
        '/dev/null',
        '-p',
        String(node.pid),
        '-e',
        'trace=fdatasync',
        '-e',
        'inject=fdatasync:error=EIO',
      ],
      { stdio: 'ignore' },
    );
    const ended = once(trace, 'close');
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, STRACE_ATTACH_MS))]);
    return {
      text: `fdatasync fails on node ${node.id}`,
      heal: async () => {
        trace.kill('SIGINT');
        await ended;
        await restart(cluster, node);
      },
    };
  },
};

export const CHAOS_FAULTS: readonly ChaosFault[] = [
  kill,
  killAll,
  pause,
  isolate,
  oneWay,
  onePair,
  slowLinks,
  fullDisk,
  failedSync,
];
