/** Three whole nodes and a client on a calm network, without faults: what the kernel's own tests and measurements run. */

import { Millrace, networkTransport } from '@millrace/client';
import { type Clock, MillraceError, randomUuid } from '@millrace/core';
import { MillraceNode, parseNodeConfig } from '@millrace/server';
import { SimDisk } from '../disk/sim-disk.ts';
import { SimRaftDisk } from '../disk/sim-raft-store.ts';
import { SimNetwork } from '../network/sim-network.ts';
import { SimRpcNetwork } from '../network/sim-rpc-network.ts';
import { simLogger } from '../world/sim-logger.ts';
import type { Death, SimLife } from '../world/sim-process.ts';
import { World } from '../world/world.ts';

const PORT = 9192;
const NODES = 3;

interface SmallNode {
  readonly name: string;
  readonly disk: SimDisk;
  readonly raftDisk: SimRaftDisk;
  node: MillraceNode | undefined;
}

export class SmallCluster {
  readonly world: World;
  readonly network: SimNetwork;
  readonly rpc: SimRpcNetwork;
  readonly nodes: readonly SmallNode[];
  readonly #clusterId: string;

  constructor(seed: number) {
    this.world = new World({ seed });
    this.network = new SimNetwork(this.world);
    this.rpc = new SimRpcNetwork(this.network);
    this.#clusterId = randomUuid(this.world.streams.workload);
    this.nodes = Array.from({ length: NODES }, (_, index) => {
      const name = `node-${index + 1}`;
      const process = this.world.process(name);
      const schedule = (delayMs: number, run: () => void): void => {
        this.world.schedule(delayMs, run, process.life);
      };
      return {
        name,
        disk: new SimDisk({ schedule }),
        raftDisk: new SimRaftDisk({ schedule }),
        node: undefined,
      };
    });
  }

  /** Resolves when every node serves. */
  async start(): Promise<void> {
    for (const id of this.nodes.keys()) this.startNode(id + 1);
    await this.world.run(() => this.nodes.every(({ node }) => node !== undefined), 30_000);
  }

  startNode(id: number): void {
    const member = this.nodes[id - 1]!;
    this.world.process(member.name).start(async (life) => {
      member.node = await MillraceNode.start(this.#configOf(id), {
        logger: simLogger(life),
        disk: { fileSystem: member.disk.mount(), openRaftStore: async () => member.raftDisk.mount() },
        clock: life.clock,
        random: life.random,
        network: this.rpc.of(life),
        firstStartClusterId: this.#clusterId,
        onFatal: (error) => {
          throw error;
        },
      });
    });
  }

  /** Ends a node, and its machine too if so asked: then what was not synced is at the mercy of the seed. */
  killNode(id: number, death: Death): void {
    const { name, disk, raftDisk } = this.nodes[id - 1]!;
    this.world.process(name).kill(death);
    if (death === 'process') {
      disk.unmount();
      raftDisk.unmount();
    } else {
      disk.crash(this.world.streams.disk);
      raftDisk.crash(this.world.streams.disk);
    }
  }

  /** Runs an SDK client in a process of its own until what it does is done. */
  async client<T>(name: string, act: (millrace: Millrace, clock: Clock) => Promise<T>): Promise<T> {
    let life: SimLife | undefined;
    const process = this.world.process(name);
    const acting = new Promise<T>((resolve, reject) => {
      process.start(async (started) => {
        life = started;
        const millrace = this.millrace(started);
        await act(millrace, started.clock).then(resolve, reject);
        await millrace.close();
      });
    });
    const result = await this.world.settle(acting, 120_000);
    if (life === undefined) throw new MillraceError('CLOSED');
    process.kill();
    return result;
  }

  millrace(life: SimLife): Millrace {
    return new Millrace({
      bootstrap: this.nodes.map(({ name }) => `${name}:${PORT}`),
      clock: life.clock,
      random: life.random,
      transport: networkTransport(this.rpc.of(life)),
      logger: simLogger(life),
    });
  }

  #configOf(id: number) {
    const voters = this.nodes.map(({ name }, index) => `${index + 1}@${name}:${PORT}`);
    return parseNodeConfig({
      'node.id': String(id),
      'controller.quorum.voters': voters.join(','),
      listeners: `GRPC://node-${id}:${PORT}`,
      'default.replication.factor': '3',
      'min.insync.replicas': '2',
      'log.dirs': `/${id}`,
    });
  }
}
