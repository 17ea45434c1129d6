/**
 * Production's brokers and logs on simulated disks, under a model controller and model clients. Builds the world, keeps its
 * clients going, and says when it has recovered. Faults come from outside.
 */
import { below, type NodeId, randomUuid, type SeededRandom, type Timer } from '@millrace/core';
import {
  alterConfigs,
  createTopics,
  deleteTopics,
  emptyImage,
  type MetadataImage,
  type PartitionImage,
  partitionsOf,
  topicConfigOf,
} from '@millrace/metadata';
import { SeededDiskFaults } from '../disk/disk-faults.ts';
import { ClientHistory } from '../history/client-history.ts';
import { SimNetwork } from '../network/sim-network.ts';
import { exponential } from '../world/exponential.ts';
import type { Death } from '../world/sim-process.ts';
import { World } from '../world/world.ts';
import { BrokerClient } from './broker-client.ts';
import { MessageStreams } from './message-streams.ts';
import { ModelConsumer } from './model-consumer.ts';
import { CONTROLLER, ModelController } from './model-controller.ts';
import { ModelProducer } from './model-producer.ts';
import { Observatory } from './observatory.ts';
import type { PartitionInvariant } from './partition-observation.ts';
import type { PartitionPlan, TopicPlan } from './partition-plan.ts';
import { SimBroker } from './sim-broker.ts';
import type { AnswerFilter } from './sim-replica-channel.ts';

export interface PartitionWorldOptions {
  readonly seed: number;
  readonly plan: (random: SeededRandom) => PartitionPlan;
  readonly invariants: readonly PartitionInvariant[];
  readonly traceDepth?: number;
  readonly answerFilter?: AnswerFilter;
}

const CLIENTS = 'clients';

export class PartitionWorld {
  readonly world: World;
  readonly network: SimNetwork;
  readonly streams: MessageStreams;
  readonly plan: PartitionPlan;
  readonly observatory: Observatory;
  readonly controller: ModelController;
  readonly brokers: readonly SimBroker[];
  readonly history = new ClientHistory();
  readonly producers: ModelProducer[] = [];
  readonly consumers: ModelConsumer[] = [];
  readonly #workload: SeededRandom;
  #nextProducerId = 1000;
  #isAdministered = true;
  #reset: Timer | undefined;

  constructor({ seed, plan, invariants, traceDepth, answerFilter }: PartitionWorldOptions) {
    this.world = new World({ seed, ...(traceDepth !== undefined && { traceDepth }) });
    this.#workload = this.world.streams.workload;
    this.plan = plan(this.#workload);
    this.network = new SimNetwork(this.world);
    this.streams = new MessageStreams(this.network);
    this.observatory = new Observatory(this.world, emptyImage, invariants);
    this.controller = new ModelController(this.world, this.streams, this.plan.controller, (image, records) =>
      this.observatory.decided(image, records),
    );
    const clusterId = randomUuid(this.#workload);
    const { world, streams, observatory } = this;
    this.brokers = Array.from(
      { length: this.plan.brokers },
      (_, i) =>
        new SimBroker(i + 1, {
          world,
          streams,
          observatory,
          plan: this.plan,
          clusterId,
          ...(answerFilter !== undefined && { answerFilter }),
        }),
    );
  }

  /** Resolves when every broker takes part and the topics are there. */
  async start(): Promise<void> {
    this.controller.start();
    for (const broker of this.brokers) broker.start();
    await this.world.run(() => this.isActive, 30_000);
    for (const topic of this.plan.topics) this.createTopic(topic);
  }

  get isActive(): boolean {
    const { brokers } = this.image;
    return this.brokers.every(({ id }) => brokers.get(id)?.fenced === false);
  }

  get image(): MetadataImage {
    return this.controller.image;
  }

  get names(): string[] {
    return [CONTROLLER, CLIENTS, ...this.brokers.map(({ process }) => process.name)];
  }

  broker(id: NodeId): SimBroker {
    return this.brokers[id - 1]!;
  }

  startClients(): void {
    this.world.process(CLIENTS).start((life) => {
      const host = {
        history: this.history,
        nextProducerId: () => this.#nextProducerId++,
        mayHaveLost: (key: string) => this.mayHaveLost(key),
        mayForgetProducers: (key: string) =>
          this.observatory.partitions.get(key)?.mayForgetProducers === true,
        fail: (text: string) => this.world.fail(text),
      };
      for (const [i, plan] of this.plan.producers.entries()) {
        const client = new BrokerClient(this.streams, life, () => this.image);
        this.producers.push(new ModelProducer(`p${i}`, client, host, plan));
      }
      for (let i = 0; i < this.plan.consumers; i++) {
        const client = new BrokerClient(this.streams, life, () => this.image);
        this.consumers.push(new ModelConsumer(`c${i}`, client, host));
      }
      for (const producer of this.producers) producer.start();
      for (const consumer of this.consumers) consumer.start();
      this.#administer(new BrokerClient(this.streams, life, () => this.image));
    });
  }

  /** No new records and no new topics; what was sent is finished. */
  stopProducing(): void {
    this.#isAdministered = false;
    for (const producer of this.producers) producer.stop();
  }

  /** Records of the partition were given up lawfully, or it is gone. */
  mayHaveLost(key: string): boolean {
    const model = this.observatory.partitions.get(key);
    return model === undefined || model.isDeleted || model.lossEpoch !== -1;
  }

  createTopic({ name, replicas, configs }: TopicPlan): void {
    const assignments = replicas.map((ids, partition) => ({ partition, replicas: ids }));
    const topics = [{ name, partitionCount: -1, replicationFactor: -1, assignments, configs }];
    const { topics: created } = this.controller.run((image, context) =>
      createTopics(image, { topics }, context),
    );
    const refusal = created[0]?.failure;
    if (refusal !== undefined) this.world.note('', 'topic refused', refusal.code);
  }

  /**
   * A sole copy in the page cache goes with the power, or with the folder's name if that could not be synced, and no
   * election will ever say so.
   */
  loseSoleCopies(broker: SimBroker, death: Death): void {
    if (death === 'process' && !this.failsSyncs(broker)) return;
    for (const model of this.observatory.partitions.values()) {
      const { replicas, leaderEpoch } = model.image;
      const isSole = replicas.length === 1 && replicas[0] === broker.id;
      if (isSole && model.hadPageCache) this.observatory.loseLawfully(model, leaderEpoch + 1);
    }
  }

  crash(broker: SimBroker, death: Death): void {
    this.loseSoleCopies(broker, death);
    broker.kill(death);
  }

  allowsUnclean({ topicId }: PartitionImage): boolean {
    return topicConfigOf(this.image, topicId, {})['unclean.leader.election.enable'];
  }

  failsSyncs({ disk }: SimBroker): boolean {
    return disk.faults instanceof SeededDiskFaults && disk.faults.rates.syncErrorRate > 0;
  }

  /** An operation on its disk never ended, and never will. */
  isStuck(broker: SimBroker): boolean {
    return broker.disk.faults instanceof SeededDiskFaults && broker.disk.faults.rates.stuckRate > 0;
  }

  /** Every replica may have to be opened first. */
  get bootAllowanceMs(): number {
    return 1_000;
  }

  resetStreams(random: SeededRandom): void {
    this.#reset = this.world.schedule(exponential(random, 1500), () => {
      this.streams.resetOne(random);
      this.resetStreams(random);
    });
  }

  stopResets(): void {
    this.#reset?.cancel();
  }

  *partitions(): Generator<PartitionImage> {
    yield* partitionsOf(this.image);
  }

  #administer(client: BrokerClient): void {
    const { adminMeanMs } = this.plan;
    if (adminMeanMs === 0 || !this.#isAdministered) return;
    client.life.clock.schedule(exponential(client.life.random, adminMeanMs), () => {
      if (!this.#isAdministered) return;
      this.#act(client);
      this.#administer(client);
    });
  }

  #act(client: BrokerClient): void {
    const { random } = client.life;
    const topic = this.plan.topics[below(random, this.plan.topics.length)]!;
    switch (below(random, 4)) {
      case 0:
        if (this.plan.recreatesTopics) this.#recreate(topic);
        return;
      case 1:
        if (this.plan.changesDurability) this.#changeDurability(topic, random);
        return;
      default:
        this.#deleteRecords(client);
    }
  }

  #recreate(topic: TopicPlan): void {
    const { topicIds } = this.image;
    if (!topicIds.has(topic.name)) this.createTopic(topic);
    else if (below(this.#workload, 3) === 0) {
      this.controller.run((image, context) => deleteTopics(image, { names: [topic.name] }, context));
      if (below(this.#workload, 2) === 0) this.createTopic(topic);
    }
  }

  #changeDurability({ name }: TopicPlan, random: SeededRandom): void {
    if (!this.image.topicIds.has(name)) return;
    const value = below(random, 2) === 0 ? 'fsync' : 'page-cache';
    const changes = [{ resource: { kind: 'topic', name } as const, name: 'durability', value }];
    this.controller.run((image, context) => alterConfigs(image, { changes }, context));
  }

  #deleteRecords(client: BrokerClient): void {
    const partitions = [...this.partitions()];
    const partition = partitions[below(client.life.random, partitions.length)];
    if (partition === undefined || partition.leader === -1) return;
    const { topicId, partition: index, leader } = partition;
    const end = this.observatory.partitions.get(`${topicId}-${index}`)?.committed.end ?? 0;
    const beforeOffset = below(client.life.random, end + 2) - 1;
    const request = {
      timeoutMs: 1000,
      clientId: 'admin',
      partitions: [{ topicId, partition: index, beforeOffset }],
    };
    client.call(leader, 'deleteRecords', request, 1000).catch(() => {});
  }
}
