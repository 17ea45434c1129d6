/** Admin shapes as they travel, and back. Pure. */
import type { NodeId } from '@millrace/core';
import type { ReplicaAssignment, TopicDescription, NewTopic as WireNewTopic } from '@millrace/protocol';
import type { NewTopic, TopicInfo } from './admin-shapes.ts';

export function newTopicOnWire({
  name,
  partitions,
  replicationFactor,
  assignments,
  configs,
}: NewTopic): WireNewTopic {
  return {
    name,
    partitionCount: partitions ?? -1,
    replicationFactor: replicationFactor ?? -1,
    assignments: partitionAssignments(assignments ?? [], 0),
    configs: Object.fromEntries(Object.entries(configs ?? {}).map(([key, value]) => [key, String(value)])),
  };
}

/** Replica lists of consecutive partitions, the first one being `firstPartition`. */
export function partitionAssignments(
  assignments: readonly (readonly NodeId[])[],
  firstPartition: number,
): ReplicaAssignment[] {
  return assignments.map((replicas, i) => ({ partition: firstPartition + i, replicas }));
}

export function topicInfo({ name, topicId, internal, partitions }: TopicDescription): TopicInfo {
  return {
    name,
    topicId,
    isInternal: internal,
    partitions: partitions.map(({ leaderId, ...rest }) => ({ ...rest, leader: leaderId })),
  };
}
