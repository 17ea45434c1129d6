/**
 * Tells a change that was refused because an earlier attempt had made it already from one that was refused. Pure.
 *
 * After an attempt whose outcome is unknown the names alone do not say who made a change: what is there is taken for
 * our own if it has the shape that was asked for. Somebody else may have made the same at the same moment.
 */
import { ERRORS, errorCodeOf } from '@millrace/core';
import type { Failure } from '@millrace/protocol';
import type { NewPartitions, NewTopic, QuorumInfo, TopicInfo } from './admin-shapes.ts';

interface Result {
  readonly name: string;
  readonly failure?: Failure | undefined;
}

export function isTopicThere({ failure }: Result): boolean {
  return failure !== undefined && errorCodeOf(failure.code) === 'TOPIC_ALREADY_EXISTS';
}

export function isTopicGone({ failure }: Result): boolean {
  return failure !== undefined && errorCodeOf(failure.code) === 'UNKNOWN_TOPIC_OR_PARTITION';
}

export function areEnoughPartitions({ failure }: Result): boolean {
  return failure !== undefined && errorCodeOf(failure.code) === 'INVALID_PARTITIONS';
}

/** A refusal that may be due to an earlier attempt, and cannot be told from one that is not, is no refusal. */
export function asFarAsKnown(
  result: Result,
  doubtful: readonly Result[],
  found: ReadonlyMap<string, TopicInfo>,
): Failure | undefined {
  if (!doubtful.includes(result) || found.has(result.name)) return result.failure;
  const { wire, help } = ERRORS.REQUEST_TIMED_OUT;
  return { code: wire, message: help };
}

/** Partitions and replicas are as asked; what was left to the cluster may be anything. Configs are not compared. */
export function isAsWanted(
  { partitions, replicationFactor, assignments }: NewTopic,
  found: TopicInfo,
): boolean {
  if (assignments !== undefined) return hasReplicas(found, assignments, 0, assignments.length);
  const isCount = partitions === undefined || partitions < 0 || found.partitions.length === partitions;
  const isFactor = (factor: number): boolean =>
    found.partitions.every(({ replicas }) => replicas.length === factor);
  return isCount && (replicationFactor === undefined || replicationFactor < 0 || isFactor(replicationFactor));
}

export function hasGrown({ totalCount, assignments = [] }: NewPartitions, found: TopicInfo): boolean {
  return hasReplicas(found, assignments, totalCount - assignments.length, totalCount);
}

/** The directory that votes now, or does not any more; undefined if the quorum is not as that change leaves it. */
export function changedVoter(
  change: 'addVoter' | 'removeVoter',
  { nodeId, directoryId }: { readonly nodeId: number; readonly directoryId: string },
  { voters, observers }: QuorumInfo,
): { readonly directoryId: string } | undefined {
  const isMeant = (replica: { readonly nodeId: number; readonly directoryId: string }): boolean =>
    replica.nodeId === nodeId && (directoryId === '' || replica.directoryId === directoryId);
  const found = (change === 'addVoter' ? voters : observers).find(isMeant);
  if (change === 'addVoter') return found && { directoryId: found.directoryId };
  return voters.some(isMeant) ? undefined : { directoryId: found?.directoryId ?? directoryId };
}

function hasReplicas(
  { partitions }: TopicInfo,
  assignments: readonly (readonly number[])[],
  firstPartition: number,
  totalCount: number,
): boolean {
  return (
    partitions.length === totalCount &&
    assignments.every((wanted, i) => {
      const replicas = partitions[firstPartition + i]?.replicas ?? [];
      return replicas.length === wanted.length && wanted.every((id, at) => id === replicas[at]);
    })
  );
}
