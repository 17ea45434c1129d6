/**
 * What happens to partitions, told to whoever judges it: logs as they grow and shrink, watermarks, leaderships,
 * decisions of the controller, answers to clients, and states after every event of a broker. Only types.
 */
import type { PartitionFetched, PartitionProduced } from '@millrace/broker';
import type { NodeId } from '@millrace/core';
import type { MetadataImage, PartitionImage } from '@millrace/metadata';
import type { ModelBatch, PartitionModel, ReplicaModel } from './partition-model.ts';

export interface Decided {
  readonly before: PartitionImage | undefined;
  readonly after: PartitionImage;
  /** As the record says. */
  readonly isUnclean: boolean;
  /** Records of the entry that change this partition. */
  readonly changes: number;
  /** Of the whole cluster, before the entry. */
  readonly imageBefore: MetadataImage;
  /** Of the whole cluster, after the entry. */
  readonly image: MetadataImage;
}

export interface ProduceAnswer {
  readonly brokerId: NodeId;
  readonly acks: number;
  readonly answer: PartitionProduced;
  readonly batch: ModelBatch;
}

/** All optional: a judge listens to what it needs. Called in the middle of things; nothing may be changed. */
export interface PartitionJudge {
  /** A life found this on its disk. */
  opened?(replica: ReplicaModel): void;
  appended?(replica: ReplicaModel, batches: readonly ModelBatch[], role: 'leader' | 'follower'): void;
  /** The log's end moved back. */
  cut?(replica: ReplicaModel, endBefore: number): void;
  /** The replica acts as leader of an epoch from now on. */
  began?(replica: ReplicaModel, leaderEpoch: number): void;
  /** As leader. `fresh` are the batches that nobody had taken for committed before. */
  committed?(replica: ReplicaModel, highWatermark: number, fresh: readonly ModelBatch[]): void;
  /** After an event of the replica's broker in which the replica changed. */
  stepped?(replica: ReplicaModel): void;
  decided?(partition: PartitionModel, decided: Decided): void;
  /** A broker's standing changed. */
  brokersDecided?(image: MetadataImage): void;
  /** `answer.baseOffset` of a batch that was in the log already is the first one's. */
  produced?(replica: ReplicaModel, answer: ProduceAnswer): void;
  served?(replica: ReplicaModel | undefined, partition: PartitionModel, answer: PartitionFetched): void;
  /** A leader took a batch for a duplicate, or refused it for its sequence. */
  recognised?(replica: ReplicaModel, batch: ModelBatch, baseOffset: number): void;
  refused?(replica: ReplicaModel, batch: ModelBatch, code: string): void;
  /** Now and then while faults last. */
  checkpoint?(): void;
}

/** What judges see of the world. */
export interface PartitionWorldView {
  readonly partitions: ReadonlyMap<string, PartitionModel>;
  image(): MetadataImage;
  nowMs(): number;
}

/** A numbered promise of the design (reliability.md, section 5). */
export interface PartitionInvariant {
  readonly number: number;
  readonly name: string;
  /** `violated` does not return. */
  judge(world: PartitionWorldView, violated: (text: string) => never): PartitionJudge;
}
