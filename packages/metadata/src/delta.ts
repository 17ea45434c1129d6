/**
 * What differs between two images, for followers that keep something per topic or partition. A delta tells the
 * outcome, not the way: several changes of one partition show once, as its last state (P3).
 */
import type { NodeId } from '@millrace/core';
import { type ConfigResource, type ConfigResourceKey, configResourceOf } from './config-resource.ts';
import type { ConfigOverrides, MetadataImage, PartitionImage, TopicImage } from './image.ts';

export interface MetadataDelta {
  /** New or changed partitions, in their new state; none of deleted topics. */
  readonly changedPartitions: readonly PartitionImage[];
  /** In their last state before they went. A name may be here and in `createdTopics`, with different ids. */
  readonly deletedTopics: readonly TopicImage[];
  readonly createdTopics: readonly TopicImage[];
  readonly changedConfigs: readonly ConfigResource[];
  /** Brokers that registered, changed or left. */
  readonly brokersChanged: readonly NodeId[];
  /** A jump: what happened between is unknown, only the outcome. */
  readonly isSnapshot: boolean;
}

/** The delta of a jump from one image to another, for instance to a snapshot. */
export function deltaBetween(before: MetadataImage, after: MetadataImage): MetadataDelta {
  const changedPartitions: PartitionImage[] = [];
  for (const topic of after.topics.values()) {
    const old = before.topics.get(topic.id);
    if (old === topic) continue;
    for (const partition of topic.partitions) {
      const previous = old?.partitions[partition.partition];
      if (previous === undefined || !samePartition(previous, partition)) changedPartitions.push(partition);
    }
  }
  return {
    changedPartitions,
    deletedTopics: [...before.topics.values()].filter((topic) => !after.topics.has(topic.id)),
    createdTopics: [...after.topics.values()].filter((topic) => !before.topics.has(topic.id)),
    changedConfigs: changedConfigs(before.configs, after.configs),
    brokersChanged: changedBrokers(before, after),
    isSnapshot: true,
  };
}

/** Every change of a partition raises its epoch, so equal epochs mean equal partitions. */
function samePartition(a: PartitionImage, b: PartitionImage): boolean {
  return a === b || a.partitionEpoch === b.partitionEpoch;
}

function changedConfigs(before: MetadataImage['configs'], after: MetadataImage['configs']): ConfigResource[] {
  if (before === after) return [];
  const keys = new Set<ConfigResourceKey>([...before.keys(), ...after.keys()]);
  return [...keys]
    .filter((key) => !sameOverrides(before.get(key), after.get(key)))
    .map((key) => configResourceOf(key));
}

function sameOverrides(a: ConfigOverrides | undefined, b: ConfigOverrides | undefined): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined || a.size !== b.size) return false;
  return [...a].every(([name, value]) => b.get(name) === value);
}

function changedBrokers(before: MetadataImage, after: MetadataImage): NodeId[] {
  if (before.brokers === after.brokers) return [];
  const ids = new Set<NodeId>([...before.brokers.keys(), ...after.brokers.keys()]);
  return [...ids].filter((id) => {
    const a = before.brokers.get(id);
    const b = after.brokers.get(id);
    if (a === b) return false;
    if (a === undefined || b === undefined) return true;
    return (
      a.brokerEpoch !== b.brokerEpoch ||
      a.fenced !== b.fenced ||
      a.inControlledShutdown !== b.inControlledShutdown
    );
  });
}
