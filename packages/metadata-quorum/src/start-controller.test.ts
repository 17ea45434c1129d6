/** Controllers on a real quorum, on manual time: what one decides all hold, and a killed node is replaced at once. */
import { ManualClock, type NodeId, SeededRandom, silentLogger } from '@millrace/core';
import { encodeSnapshot } from '@millrace/metadata';
import type { RaftMessage } from '@millrace/raft';
import { expect, test } from 'vitest';
import type { Controller } from './controller.ts';
import { controllerConfig } from './controller-config.ts';
import { MemoryRaftStore } from './memory-raft-store.ts';
import { quorumConfig } from './quorum-config.ts';
import type { RaftTransport } from './quorum-ports.ts';
import { startController } from './start-controller.ts';

const NODES = [1, 2, 3];

class ControllerCluster {
  readonly clock = new ManualClock();
  readonly controllers = new Map<NodeId, Controller>();
  readonly epochs = new Map<NodeId, number>();
  readonly #receivers = new Map<NodeId, (from: NodeId, message: RaftMessage) => void>();
  readonly #disconnects = new Map<NodeId, (peer: NodeId) => void>();
  readonly #dead = new Set<NodeId>();

  static async start(): Promise<ControllerCluster> {
    const cluster = new ControllerCluster();
    for (const id of NODES) cluster.controllers.set(id, await cluster.#startNode(id));
    await cluster.runUntil(() => cluster.active() !== undefined);
    return cluster;
  }

  #startNode(nodeId: NodeId): Promise<Controller> {
    const base = { clock: this.clock, random: new SeededRandom(nodeId), logger: silentLogger };
    return startController(
      {
        ...base,
        nodeId,
        directoryId: `directory-${nodeId}`,
        voters: NODES.map((id) => ({ id })),
        store: new MemoryRaftStore(),
        transport: this.#transport(nodeId),
        config: quorumConfig.parse({}),
        onFatal: (error) => {
          throw error;
        },
      },
      { ...base, config: controllerConfig.parse({}) },
    );
  }

  #transport(self: NodeId): RaftTransport {
    return {
      send: (to, message) => {
        this.clock.schedule(1, () => {
          if (!this.#dead.has(self) && !this.#dead.has(to)) this.#receivers.get(to)?.(self, message);
        });
      },
      onMessage: (handler) => this.#receivers.set(self, handler),
      onDisconnect: (handler) => this.#disconnects.set(self, handler),
    };
  }

  active(): Controller | undefined {
    return [...this.controllers.values()].find((controller) => controller.isActive());
  }

  /** The process of the node ends: connections break, its broker is silent. */
  kill(nodeId: NodeId): void {
    this.#dead.add(nodeId);
    this.controllers.delete(nodeId);
    for (const id of this.controllers.keys()) this.#disconnects.get(id)?.(nodeId);
  }

  async until<T>(promise: Promise<T>): Promise<T> {
    let isSettled = false;
    const settled = (): void => {
      isSettled = true;
    };
    promise.then(settled, settled);
    await this.runUntil(() => isSettled);
    return promise;
  }

  async runUntil(condition: () => boolean): Promise<void> {
    const endMs = this.clock.nowMs() + 60_000;
    while (!condition()) {
      if (this.clock.nowMs() > endMs) throw new Error('the condition did not come true within a minute');
      this.clock.advance(5);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  heartbeat(brokerId: NodeId) {
    const brokerEpoch = this.epochs.get(brokerId)!;
    const metadataOffset = this.active()!.image().offset;
    return this.active()!.heartbeat({
      brokerId,
      brokerEpoch,
      metadataOffset,
      wantsShutdown: false,
      offline: [],
    });
  }

  async startBroker(brokerId: NodeId): Promise<void> {
    const registration = {
      brokerId,
      incarnationId: `incarnation-${brokerId}`,
      directoryId: `directory-${brokerId}`,
      endpoints: [{ listener: 'GRPC', host: 'localhost', port: 9000 + brokerId }],
      rack: '',
      previousBrokerEpoch: -1,
    };
    const { brokerEpoch } = await this.until(this.active()!.registerBroker(registration));
    this.epochs.set(brokerId, brokerEpoch);
    await this.until(this.heartbeat(brokerId));
  }
}

test('every controller holds what the active one decided', async () => {
  const cluster = await ControllerCluster.start();
  await cluster.startBroker(1);
  const topics = [{ name: 't', partitionCount: 3, replicationFactor: 1 }];
  const created = await cluster.until(cluster.active()!.createTopics({ topics }));
  expect(created.topics[0]?.failure).toBeUndefined();
  const images = () => [...cluster.controllers.values()].map((controller) => controller.image());
  await cluster.runUntil(() => images().every((image) => image.topicIds.has('t')));
  const [first, ...others] = images().map((image) => encodeSnapshot(image));
  for (const other of others) expect(other.equals(first!)).toBe(true);
});

test('the kill of a node that is active controller and partition leader leaves no partition without a leader for a second', async () => {
  const cluster = await ControllerCluster.start();
  for (const id of NODES) await cluster.startBroker(id);
  const topics = [{ name: 't', partitionCount: 6, replicationFactor: 3 }];
  await cluster.until(cluster.active()!.createTopics({ topics }));
  const victim = cluster.active()!.leaderId()!;

  cluster.kill(victim);
  const diedMs = cluster.clock.nowMs();
  const survivors = NODES.filter((id) => id !== victim);
  await cluster.runUntil(() => cluster.active() !== undefined);
  await cluster.until(cluster.heartbeat(survivors[0]!));
  const leaders = () =>
    [...cluster.active()!.image().topics.values()].flatMap((topic) =>
      topic.partitions.map(({ leader }) => leader),
    );
  await cluster.runUntil(() => leaders().every((leader) => leader !== victim && leader !== -1));
  expect(cluster.clock.nowMs() - diedMs).toBeLessThan(1000);
});
