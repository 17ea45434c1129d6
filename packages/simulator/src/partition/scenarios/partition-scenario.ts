/** A partition world without chance: one topic, three calm brokers, and a hand that kills, cuts and produces as a story says. */
import { brokerConfig, type PartitionProduced, type ProduceResponse } from '@millrace/broker';
import type { NodeId } from '@millrace/core';
import { fenceBroker, type PartitionImage, topicByName } from '@millrace/metadata';
import { buildBatch, decodeRecords, splitBatches } from '@millrace/records';
import { storageConfig } from '@millrace/storage';
import { PARTITION_INVARIANTS } from '../../invariants/partition-invariants.ts';
import type { Death } from '../../world/sim-process.ts';
import { BrokerClient, brokerName } from '../broker-client.ts';
import type { PartitionPlan } from '../partition-plan.ts';
import { PartitionWorld } from '../partition-world.ts';
import type { AnswerFilter } from '../sim-replica-channel.ts';

const TOPIC = 'orders';
const TIMEOUT_MS = 2_000;

export interface ScenarioOptions {
  readonly replicas?: readonly NodeId[];
  readonly configs?: Readonly<Record<string, string>>;
  readonly answerFilter?: AnswerFilter;
}

function calmPlan(): PartitionPlan {
  return {
    brokers: 3,
    topics: [],
    controller: {
      sessionTimeoutMs: 2_000,
      disconnectGraceMs: 100,
      firstContactMs: 1_000,
      electionIntervalMs: 500,
    },
    broker: {
      ...brokerConfig.parse({}),
      'broker.heartbeat.interval.ms': 300,
      'replica.fetch.backoff.ms': 50,
      'replica.fetch.wait.max.ms': 200,
      'replica.lag.time.max.ms': 1_000,
      'replica.socket.timeout.ms': 1_000,
    },
    storage: { ...storageConfig.parse({}), 'journal.file.bytes': 16_384, 'journal.max.bytes': 65_536 },
    producers: [],
    consumers: 0,
    adminMeanMs: 0,
    recreatesTopics: false,
    changesDurability: false,
  };
}

export class PartitionScenario {
  readonly host: PartitionWorld;
  readonly #client: BrokerClient;
  #sequence = 0;

  private constructor(host: PartitionWorld, client: BrokerClient) {
    this.host = host;
    this.#client = client;
  }

  static async start(options: ScenarioOptions = {}): Promise<PartitionScenario> {
    const { replicas = [1, 2, 3], configs = {}, answerFilter } = options;
    const host = new PartitionWorld({
      seed: 1,
      plan: calmPlan,
      invariants: PARTITION_INVARIANTS,
      ...(answerFilter !== undefined && { answerFilter }),
    });
    await host.start();
    host.createTopic({ name: TOPIC, replicas: [replicas], configs });
    const life = host.world.process('clients').start(() => {});
    const scenario = new PartitionScenario(host, new BrokerClient(host.streams, life, () => host.image));
    await scenario.isrIs(...replicas);
    await scenario.until(() => scenario.leads(replicas[0]!));
    return scenario;
  }

  get image(): PartitionImage {
    return topicByName(this.host.image, TOPIC)!.partitions[0]!;
  }

  get #topicId(): string {
    return this.image.topicId;
  }

  leads(id: NodeId): boolean {
    const partition = this.host.broker(id).broker?.partitions.get(this.#topicId, 0);
    return partition?.leader?.leaderEpoch === this.image.leaderEpoch;
  }

  async until(condition: () => boolean, limitMs = 30_000): Promise<void> {
    await this.host.world.run(condition, limitMs);
  }

  async pass(ms: number): Promise<void> {
    await this.host.world.run(this.host.world.nowMs + ms);
  }

  async isrIs(...ids: NodeId[]): Promise<void> {
    const expected = [...ids].sort().join();
    await this.until(() => [...this.image.isr].sort().join() === expected);
  }

  /** Resolves when the elected broker acts as leader. @returns who it is */
  async leader(): Promise<NodeId> {
    await this.until(() => this.image.leader !== -1 && this.leads(this.image.leader));
    return this.image.leader;
  }

  kill(id: NodeId, death: Death = 'process'): void {
    this.host.crash(this.host.broker(id), death);
  }

  /** All of them die at once; they are started again when the controller has noticed. */
  async restartAll(ids: readonly NodeId[], death: Death = 'process'): Promise<void> {
    for (const id of ids) this.kill(id, death);
    await this.until(() => ids.every((id) => this.host.image.brokers.get(id)?.fenced === true));
    for (const id of ids) this.start(id);
  }

  start(id: NodeId): void {
    this.host.broker(id).start();
  }

  /** The controller takes a live broker for dead. */
  fence(id: NodeId): void {
    this.host.controller.run((image, context) => ({
      records: fenceBroker(image, image.brokers.get(id)!, context),
      reply: undefined,
    }));
  }

  cut(from: readonly string[], to: readonly string[]): { heal(): void } {
    return this.host.network.block(from.flatMap((a) => to.map((b) => [a, b] as const)));
  }

  node(id: NodeId): string {
    return brokerName(id);
  }

  /** One record of one idempotent producer. @param at which broker; default: the leader. */
  async produce(
    value: string,
    options: { acks?: number; at?: NodeId; sequence?: number } = {},
  ): Promise<PartitionProduced> {
    const { acks = -1, at = await this.leader(), sequence = this.#sequence++ } = options;
    const producer = { producerId: 7, producerEpoch: 0, baseSequence: sequence };
    const timestamp = this.#client.life.clock.wallMs();
    const records = buildBatch([{ value: Buffer.from(value), timestamp }], { producer });
    const partitions = [{ topicId: this.#topicId, partition: 0, leaderEpoch: -1, records }];
    const request = { acks, timeoutMs: TIMEOUT_MS, clientId: 'scenario', partitions };
    const answer = this.#client.call<ProduceResponse>(at, 'produce', request, 2 * TIMEOUT_MS);
    return (await this.host.world.settle(answer)).partitions[0]!;
  }

  async deleteRecords(beforeOffset: number): Promise<void> {
    const partitions = [{ topicId: this.#topicId, partition: 0, beforeOffset }];
    const request = { timeoutMs: TIMEOUT_MS, clientId: 'scenario', partitions };
    await this.host.world.settle(
      this.#client.call(await this.leader(), 'deleteRecords', request, TIMEOUT_MS),
    );
  }

  /** What a replica's log holds, as the model saw it. */
  values(id: NodeId): string[] {
    const replica = this.host.observatory.partitions.get(`${this.#topicId}-0`)!.replicas.get(id);
    return (replica?.log.all ?? []).flatMap(({ bytes }) =>
      splitBatches(bytes).flatMap((batch) => decodeRecords(batch).map(({ value }) => String(value))),
    );
  }

  get losses(): number {
    return this.host.observatory.partitions.get(`${this.#topicId}-0`)!.losses;
  }
}
