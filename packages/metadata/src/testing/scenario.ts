/** A small cluster for tests of decisions: applies what they decide and checks the invariants after every step. */
import { type NodeId, type Random, SeededRandom } from '@millrace/core';
import { applyRecords } from '../apply.ts';
import type { BrokerHeartbeat, BrokerRegistration, NewTopic, PartitionAlteration } from '../command.ts';
import { alterPartitions } from '../decide/alter-partitions.ts';
import { createTopics } from '../decide/create-topics.ts';
import type { Decision, DecisionContext } from '../decide/decision.ts';
import { fenceBroker } from '../decide/fence-broker.ts';
import { heartbeat } from '../decide/heartbeat.ts';
import { registerBroker } from '../decide/register-broker.ts';
import { emptyImage, type MetadataImage, type PartitionImage, topicByName } from '../image.ts';
import type { MetadataRecord } from '../record.ts';
import { checkInvariants } from './check-invariants.ts';

export class Scenario {
  image: MetadataImage = emptyImage;
  /** All records so far, for a look at what was decided. */
  readonly log: MetadataRecord[] = [];
  readonly context: DecisionContext;
  readonly #lives = new Map<NodeId, number>();

  constructor(random: Random = new SeededRandom(1)) {
    const limits = { partitionsPerRequest: 10_000, partitionsPerCluster: 20_000, topicsPerRequest: 1000 };
    this.context = { random, limits, scope: {} };
  }

  /** Commits as one entry. */
  commit(records: readonly MetadataRecord[]): readonly MetadataRecord[] {
    if (records.length === 0) return records;
    const before = this.image;
    this.image = applyRecords(before, records, before.offset).image;
    this.log.push(...records);
    checkInvariants(before, this.image, records, this.context);
    return records;
  }

  run<Reply>({ records, reply }: Decision<Reply>): Reply {
    this.commit(records);
    return reply;
  }

  /** A new life of the broker, fenced. Clean unless told otherwise, with the directory it had. */
  register(brokerId: NodeId, changes: Partial<BrokerRegistration> & { unclean?: boolean } = {}): number {
    const { unclean = false, ...rest } = changes;
    const life = (this.#lives.get(brokerId) ?? 0) + 1;
    this.#lives.set(brokerId, life);
    const known = this.image.brokers.get(brokerId);
    const registration: BrokerRegistration = {
      brokerId,
      incarnationId: `incarnation-${brokerId}-${life}`,
      directoryId: known?.directoryId ?? `directory-${brokerId}`,
      endpoints: [{ listener: 'GRPC', host: `node-${brokerId}`, port: 9191 }],
      rack: '',
      previousBrokerEpoch: unclean ? -1 : (known?.brokerEpoch ?? -1),
      ...rest,
    };
    this.run(registerBroker(this.image, registration, false, this.context));
    return this.epochOf(brokerId);
  }

  epochOf(brokerId: NodeId): number {
    return this.image.brokers.get(brokerId)!.brokerEpoch;
  }

  heartbeat(brokerId: NodeId, changes: Partial<BrokerHeartbeat> = {}) {
    const request: BrokerHeartbeat = {
      brokerId,
      brokerEpoch: this.epochOf(brokerId),
      metadataOffset: this.image.offset,
      wantsShutdown: false,
      offline: [],
      ...changes,
    };
    return this.run(heartbeat(this.image, request, this.context));
  }

  /** Registered and unfenced. */
  start(...brokerIds: NodeId[]): this {
    for (const id of brokerIds) {
      this.register(id);
      this.heartbeat(id);
    }
    return this;
  }

  fence(brokerId: NodeId): void {
    this.commit(fenceBroker(this.image, this.image.brokers.get(brokerId)!, this.context));
  }

  /** One partition per list of replicas. */
  topic(name: string, replicas: readonly (readonly NodeId[])[], configs: NewTopic['configs'] = {}): this {
    const assignments = replicas.map((ids, partition) => ({ partition, replicas: ids }));
    const topic = { name, partitionCount: -1, replicationFactor: -1, assignments, configs };
    const { topics } = this.run(createTopics(this.image, { topics: [topic] }, this.context));
    if (topics[0]?.failure !== undefined) throw new Error(topics[0].failure.message);
    return this;
  }

  /** The leader changes its in-sync set; returns the failure, if any. */
  alter(name: string, partition: number, isr: readonly NodeId[], changes: Partial<PartitionAlteration> = {}) {
    const { topicId, leader, leaderEpoch, partitionEpoch } = this.partition(name, partition);
    const newIsr = isr.map((brokerId) => ({ brokerId, brokerEpoch: -1 }));
    const alteration = {
      topicId,
      partition,
      leaderEpoch,
      partitionEpoch,
      newIsr,
      recovering: false,
      ...changes,
    };
    const request = { brokerId: leader, brokerEpoch: this.epochOf(leader), partitions: [alteration] };
    return this.run(alterPartitions(this.image, request, this.context)).partitions[0]!.failure;
  }

  partition(name: string, partition = 0): PartitionImage {
    return topicByName(this.image, name)!.partitions[partition]!;
  }

  /** `leader 1 epoch 0 isr 1,2 elr 3`: what an election test looks at. */
  state(name: string, partition = 0): string {
    const { leader, leaderEpoch, isr, elr, lastKnownElr, offline, recovering } = this.partition(
      name,
      partition,
    );
    const lists = { isr, elr, last: lastKnownElr, offline };
    const shown = Object.entries(lists).filter(([key, ids]) => key === 'isr' || ids.length > 0);
    return [
      `leader ${leader} epoch ${leaderEpoch}`,
      ...shown.map(([key, ids]) => `${key} ${ids.join(',') || '-'}`),
      ...(recovering ? ['recovering'] : []),
    ].join(' ');
  }
}
