/**
 * One node of a simulated cluster, life after life: a whole production node on simulated disks. Starts, ends and
 * looks; whoever calls decides when.
 */
import type { NewGroupCoordinator } from '@millrace/broker';
import { type MillraceError, SeededRandom } from '@millrace/core';
import type { RaftStore } from '@millrace/metadata-quorum';
import type { RpcListener } from '@millrace/protocol';
import { MillraceNode, type NodeConfig, parseNodeConfig } from '@millrace/server';
import { openKafkaDoor } from '../classic/sim-kafka-door.ts';
import type { PlannedPowerLosses } from '../disk/planned-power-losses.ts';
import { SimDisk } from '../disk/sim-disk.ts';
import { SimRaftDisk } from '../disk/sim-raft-store.ts';
import type { SimRpcNetwork } from '../network/sim-rpc-network.ts';
import { simLogger } from '../world/sim-logger.ts';
import type { Death, SimLife, SimProcess } from '../world/sim-process.ts';
import type { World } from '../world/world.ts';
import { type ClusterLayout, type NodePlan, PORT } from './cluster-layout.ts';
import type { QuorumWatch } from './quorum-watch.ts';

const DATA_PATH = '/data';
/** For answers in the making when a node stops. */
const DOOR_GRACE_MS = 1_000;

/** What `onFatal` of a node throws: it ends the process. */
export class NodeFatal extends Error {
  override readonly name = 'NodeFatal';

  constructor(cause: MillraceError) {
    super(cause.message, { cause });
  }
}

export class ClusterNode {
  readonly plan: NodePlan;
  readonly process: SimProcess;
  readonly disk: SimDisk;
  readonly raftDisk: SimRaftDisk;
  /** Of the present life, as soon as its ports are open. */
  node: MillraceNode | undefined;
  /** The present life serves. */
  isUp = false;
  /** A disk fault was injected in this life: it may fail in consequence, and only a restart makes it whole. */
  isHurt = false;
  /** Something on its disk was damaged at rest, in whatever life. */
  isDamaged = false;
  /** Logs that were emptied and went on at their leader's start: they know no producer of before. */
  restartedLogs = 0;
  /** Who looks on at this life's coordinators of groups; undefined for nobody. */
  watchGroups: ((nodeId: number) => NewGroupCoordinator) | undefined;
  /** Who looks on at this life's disk as a controller; undefined for nobody. */
  watchQuorum: QuorumWatch['observed'] | undefined;
  /** Clients of Kafka's protocol are let in as soon as there is a broker that serves. */
  hasKafkaDoor = false;
  /** Undefined: with every trouble that a power loss can make. */
  powerLosses: PlannedPowerLosses | undefined;
  #isClosing = false;
  #kafkaDoor: RpcListener | undefined;
  readonly #rpc: SimRpcNetwork;
  readonly #clusterId: string;
  readonly #config: NodeConfig;
  readonly #crashes: SeededRandom;

  constructor(world: World, rpc: SimRpcNetwork, layout: ClusterLayout, plan: NodePlan, clusterId: string) {
    this.#rpc = rpc;
    this.plan = plan;
    this.#clusterId = clusterId;
    this.process = world.process(plan.name);
    this.#crashes = new SeededRandom(world.streams.crash.uint32());
    const schedule = (delayMs: number, run: () => void): void => {
      world.schedule(delayMs, run, this.process.life);
    };
    this.disk = new SimDisk({ schedule });
    this.raftDisk = new SimRaftDisk({ schedule });
    this.#config = configOf(layout, plan);
  }

  get name(): string {
    return this.plan.name;
  }

  start(): void {
    this.isUp = false;
    // What is full stays full until somebody makes room.
    this.isHurt = this.disk.capacityBytes !== Number.MAX_SAFE_INTEGER;
    this.#isClosing = false;
    this.process.start((life) => this.#boot(life));
  }

  async #boot(life: SimLife): Promise<void> {
    const node = await MillraceNode.bind(this.#config, {
      logger: simLogger(life, (event) => {
        if (event === 'log_restarted' || event === 'log_reset_for_repair') this.restartedLogs += 1;
      }),
      disk: { fileSystem: this.disk.mount(), openRaftStore: async () => this.#openRaftStore(life) },
      clock: life.clock,
      random: life.random,
      network: this.#rpc.of(life),
      firstStartClusterId: this.#clusterId,
      ...(this.watchGroups !== undefined && { newGroupCoordinator: this.watchGroups(this.plan.id) }),
      onFatal: (error) => {
        throw new NodeFatal(error);
      },
    });
    this.node = node;
    await node.run(this.#config.voters);
    const { broker } = node;
    if (this.hasKafkaDoor && broker !== undefined && !this.#isClosing)
      this.#kafkaDoor = await openKafkaDoor(this.#rpc, life, broker);
    this.isUp = !this.#isClosing;
  }

  #openRaftStore(life: SimLife): RaftStore {
    const store = this.raftDisk.mount();
    const meta = this.disk.get(`${DATA_PATH}/meta.properties`)?.toString();
    const directoryId = meta?.match(/^directory\.id=(.+)$/m)?.[1];
    if (this.watchQuorum === undefined || directoryId === undefined) return store;
    return this.watchQuorum(this, life, directoryId, store);
  }

  /** Ends it, and its machine too if so asked: then what was not synced is at the mercy of the seed. */
  kill(death: Death): void {
    this.#ended();
    this.process.kill(death);
    if (death === 'process') {
      this.disk.unmount();
      this.raftDisk.unmount();
    } else {
      this.disk.crash(this.powerLosses?.choices(this.#crashes, this.disk.sequence) ?? this.#crashes);
      this.raftDisk.crash(this.#crashes);
    }
  }

  /** The world killed the process for an error that nobody caught. */
  died(): void {
    this.#ended();
    this.disk.unmount();
    this.raftDisk.unmount();
  }

  /** In order, and the process stays, so that one can see what it left open. */
  async closeOnly(): Promise<void> {
    this.#isClosing = true;
    this.isUp = false;
    await this.#kafkaDoor?.drain(DOOR_GRACE_MS);
    await this.node?.close();
  }

  /** In order, as SIGTERM does. Resolves in an event of the node's own life, or never if it dies meanwhile. */
  async close(): Promise<void> {
    const { node } = this;
    const life = this.process.life;
    if (node === undefined || life === undefined || this.#isClosing) return;
    this.#isClosing = true;
    this.isUp = false;
    try {
      await this.#kafkaDoor?.drain(DOOR_GRACE_MS);
      await node.close();
    } catch (error) {
      // As a failing disk may: the directory is not marked clean.
      if (!this.isHurt) throw error;
      life.note('close failed');
    }
    if (this.process.life === life) this.kill('process');
  }

  #ended(): void {
    this.node = undefined;
    this.#kafkaDoor = undefined;
    this.isUp = false;
  }
}

function configOf(layout: ClusterLayout, { id, name, isBroker, isController }: NodePlan): NodeConfig {
  const voters = layout.nodes.filter((node) => node.isController);
  return parseNodeConfig({
    ...layout.settings,
    'node.id': `${id}`,
    'process.roles': [isBroker ? 'broker' : '', isController ? 'controller' : ''].filter(Boolean).join(','),
    'controller.quorum.voters': voters.map((voter) => `${voter.id}@${voter.name}:${PORT}`).join(','),
    listeners: `GRPC://${name}:${PORT}`,
    'log.dirs': DATA_PATH,
  });
}
