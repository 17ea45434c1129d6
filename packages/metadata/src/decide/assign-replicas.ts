/** The replicas, first in-sync sets and first leaders of partitions that are about to exist. Shared by topic creation and growth. */
import { MillraceError, type NodeId, type Random, type TopicId } from '@millrace/core';
import type { ReplicaAssignment } from '../command.ts';
import { isActive, type MetadataImage } from '../image.ts';
import { placeReplicas } from '../placement.ts';
import type { PartitionsCreated } from '../record.ts';

/**
 * Places replicas by itself.
 *
 * @throws {MillraceError} INVALID_REPLICATION_FACTOR.
 */
export function chooseReplicas(
  image: MetadataImage,
  partitionCount: number,
  replicationFactor: number,
  random: Random,
): NodeId[][] {
  if (!Number.isSafeInteger(replicationFactor) || replicationFactor < 1) {
    throw new MillraceError(
      'INVALID_REPLICATION_FACTOR',
      `replication factor ${replicationFactor} is less than 1`,
    );
  }
  const brokers = [...image.brokers.values()].map(({ id, rack }) => ({
    id,
    rack,
    active: isActive(image, id),
  }));
  if (replicationFactor > brokers.length) {
    const registered = brokers.length === 1 ? '1 broker is' : `${brokers.length} brokers are`;
    throw new MillraceError(
      'INVALID_REPLICATION_FACTOR',
      `replication factor ${replicationFactor} is larger than the cluster: ${registered} registered`,
    );
  }
  if (!brokers.some((broker) => broker.active)) {
    throw new MillraceError('INVALID_REPLICATION_FACTOR', `none of the ${brokers.length} brokers is alive`);
  }
  return placeReplicas(brokers, partitionCount, replicationFactor, random);
}

/**
 * Replicas as an administrator chose them, for partitions `first`, `first + 1`, ...
 *
 * @throws {MillraceError} INVALID_REPLICA_ASSIGNMENT.
 */
export function checkAssignments(
  image: MetadataImage,
  assignments: readonly ReplicaAssignment[],
  first: number,
  replicationFactor = assignments[0]?.replicas.length ?? 0,
): (readonly NodeId[])[] {
  const byPartition = new Map(assignments.map((assignment) => [assignment.partition, assignment.replicas]));
  if (byPartition.size !== assignments.length) throw unfit('name a partition twice');
  return assignments.map((_, index) => {
    const partition = first + index;
    const replicas = byPartition.get(partition);
    if (replicas === undefined) {
      throw unfit(
        `must name partitions ${first} to ${first + assignments.length - 1}; ${partition} is missing`,
      );
    }
    checkReplicas(image, partition, replicas, replicationFactor);
    return replicas;
  });
}

function checkReplicas(
  image: MetadataImage,
  partition: number,
  replicas: readonly NodeId[],
  replicationFactor: number,
): void {
  if (replicas.length === 0) throw unfit(`give partition ${partition} no replica`);
  if (replicas.length !== replicationFactor) {
    throw unfit(`give partition ${partition} ${replicas.length} replicas and others ${replicationFactor}`);
  }
  if (new Set(replicas).size !== replicas.length) {
    throw unfit(`put two replicas of partition ${partition} on one broker`);
  }
  const unknown = replicas.find((id) => !image.brokers.has(id));
  if (unknown !== undefined)
    throw unfit(`put partition ${partition} on broker ${unknown}, which is not registered`);
  if (!replicas.some((id) => isActive(image, id))) {
    throw unfit(`put partition ${partition} on brokers ${replicas.join(', ')}, of which none is alive`);
  }
}

function unfit(what: string): MillraceError {
  return new MillraceError('INVALID_REPLICA_ASSIGNMENT', `the assignments ${what}`);
}

/** New partitions start with every live replica in sync: all logs are empty. */
export function partitionsCreated(
  image: MetadataImage,
  topicId: TopicId,
  first: number,
  replicas: readonly (readonly NodeId[])[],
): PartitionsCreated {
  const isr = replicas.map((ids) => ids.filter((id) => isActive(image, id)));
  return { kind: 'partitionsCreated', topicId, first, replicas, isr, leaders: isr.map((ids) => ids[0]!) };
}
