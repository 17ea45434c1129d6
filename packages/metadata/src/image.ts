/**
 * Cluster metadata as of one offset of the metadata log. Images are immutable and share what did not change,
 * so anyone may keep one and compare it with a later one. Never built by hand outside this package: they come
 * from applying records or from a snapshot.
 */
import type { NodeId, TopicId } from '@millrace/core';
import { type ConfigResource, type ConfigResourceKey, configResourceKey } from './config-resource.ts';
import type { Endpoint } from './record.ts';

export interface BrokerImage {
  readonly id: NodeId;
  /** One life of the broker: the offset of its registration. */
  readonly brokerEpoch: number;
  readonly incarnationId: string;
  readonly directoryId: string;
  readonly endpoints: readonly Endpoint[];
  readonly rack: string;
  /** Not alive, or not caught up with its own registration: leads nothing and is in no ISR. */
  readonly fenced: boolean;
  readonly inControlledShutdown: boolean;
}

export interface PartitionImage {
  readonly topicId: TopicId;
  readonly partition: number;
  /** In order of preference: the first is the preferred leader. */
  readonly replicas: readonly NodeId[];
  readonly isr: readonly NodeId[];
  /** Eligible leader replicas (KIP-966): outside the ISR, yet holding everything below the high watermark. */
  readonly elr: readonly NodeId[];
  /** Who left ISR and ELR without keeping its data for sure; newest first. Only an unclean election uses it. */
  readonly lastKnownElr: readonly NodeId[];
  /** Replicas whose disk failed, as their brokers report: not electable and in no ISR while here. */
  readonly offline: readonly NodeId[];
  /** NO_LEADER (-1) if none. */
  readonly leader: NodeId | -1;
  readonly leaderEpoch: number;
  readonly partitionEpoch: number;
  /** Elected uncleanly, and the leader has not confirmed yet that it dealt with the loss. */
  readonly recovering: boolean;
}

export interface TopicImage {
  readonly id: TopicId;
  readonly name: string;
  /** Index = partition number; no holes. */
  readonly partitions: readonly PartitionImage[];
}

export type ConfigOverrides = ReadonlyMap<string, string>;

export interface MetadataImage {
  /** The next offset of the metadata log: everything below it is applied. */
  readonly offset: number;
  readonly brokers: ReadonlyMap<NodeId, BrokerImage>;
  readonly topics: ReadonlyMap<TopicId, TopicImage>;
  readonly topicIds: ReadonlyMap<string, TopicId>;
  /** Overrides by resource; a resource without any has no entry. */
  readonly configs: ReadonlyMap<ConfigResourceKey, ConfigOverrides>;
  /**
   * Where `durability` was page-cache once: the offset of the entry that ended it. Data of that time may never have been
   * synced, so a broker that lives since before then can vouch for it only after its next start.
   */
  readonly pageCacheUntil: ReadonlyMap<ConfigResourceKey, number>;
  readonly nextProducerId: number;
  readonly partitionCount: number;
}

export const emptyImage: MetadataImage = Object.freeze({
  offset: 0,
  brokers: new Map(),
  topics: new Map(),
  topicIds: new Map(),
  configs: new Map(),
  pageCacheUntil: new Map(),
  nextProducerId: 0,
  partitionCount: 0,
});

const NO_OVERRIDES: ConfigOverrides = new Map();

export function configOverrides(image: MetadataImage, resource: ConfigResource): ConfigOverrides {
  return image.configs.get(configResourceKey(resource)) ?? NO_OVERRIDES;
}

export function topicByName(image: MetadataImage, name: string): TopicImage | undefined {
  const id = image.topicIds.get(name);
  return id === undefined ? undefined : image.topics.get(id);
}

export function partitionOf(
  image: MetadataImage,
  topicId: TopicId,
  partition: number,
): PartitionImage | undefined {
  return image.topics.get(topicId)?.partitions[partition];
}

/** Alive and staying: may lead, may join an ISR, may be given new replicas to lead. */
export function isActive(image: MetadataImage, brokerId: NodeId): boolean {
  const broker = image.brokers.get(brokerId);
  return broker !== undefined && !broker.fenced && !broker.inControlledShutdown;
}

/** Every partition of every topic, in the image's order. */
export function* partitionsOf(image: MetadataImage): Generator<PartitionImage> {
  for (const topic of image.topics.values()) yield* topic.partitions;
}
