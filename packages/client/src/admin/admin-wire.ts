/** Admin shapes as they travel, and back. Pure. */
import type { NodeId } from '@millrace/core';
import type { ReplicaAssignment, TopicDescription, NewTopic as WireNewTopic } from '@millrace/protocol';
import { checkAssignments, checkConfigValue, checkInteger, checkObject } from '../check-arguments.ts';
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

/** @throws {MillraceError} INVALID_REQUEST naming what is of the wrong kind. */
export function checkNewTopic(
  name: string,
  { partitions, replicationFactor, assignments, configs = {} }: NewTopic,
): void {
  if (partitions !== undefined) checkInteger(`${name}.partitions`, partitions);
  if (replicationFactor !== undefined) checkInteger(`${name}.replicationFactor`, replicationFactor);
  checkAssignments(`${name}.assignments`, assignments);
  checkObject(`${name}.configs`, configs);
  for (const [key, value] of Object.entries(configs)) checkConfigValue(`${name}.configs.${key}`, value);
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
