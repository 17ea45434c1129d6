/**
 * Invariant 47: in the coordinator's eyes a partition is given to a member only when nobody else has it, or has yet to give
 * it up; and whoever is given one is the only member that believes to hold it. Members that the group has thrown out may
 * believe what they like until they hear of it.
 * Members of both protocols: what a classic leader assigns is judged by the same rule.
 */
import type { TopicPartitions } from '@millrace/groups';
import type {
  CoordinatorModel,
  GroupInvariant,
  GroupWorldView,
  Holder,
} from '../groups/group-observation.ts';

export const oneOwnerPerPartition: GroupInvariant = {
  number: 47,
  name: 'one-owner-per-partition',
  judge(world, violated) {
    const text = (key: string): string => {
      const at = key.lastIndexOf(':');
      return `${world.nameOf(key.slice(0, at)) ?? key.slice(0, at)}-${key.slice(at + 1)}`;
    };
    return {
      changed(coordinator, groupIds) {
        for (const groupId of groupIds) {
          const twice = firstWithTwoOwners(coordinator, groupId);
          if (twice === undefined) continue;
          const [key, one, other] = twice;
          violated(`${text(key)} is with ${one} and with ${other} of ${groupId} on ${coordinator.nodeId}`);
        }
      },
      given({ clientId, groupId }, partitions, others) {
        // It slept through being thrown out, and an answer of before reaches it: its commits will be refused.
        if (world.truth.isOut(clientId)) return;
        for (const partition of partitions) {
          for (const other of others) {
            if (!other.believes(partition)) continue;
            const isThrownOut = world.truth.removalsOf(other.clientId) > (other.since.get(partition) ?? 0);
            if (isThrownOut || isLeftBehind(world, other)) continue;
            violated(
              `${clientId} is given ${partition} of ${groupId}, which ${other.clientId} rightly holds`,
            );
          }
        }
      },
    };
  },
};

/** A rebalance waits for no static member beyond its timeout; whoever was away finds out by its generation. */
function isLeftBehind({ truth }: GroupWorldView, { groupId, staticGeneration }: Holder): boolean {
  return staticGeneration !== undefined && (truth.generationOf(groupId) ?? -1) > staticGeneration;
}

function firstWithTwoOwners(
  { owners }: CoordinatorModel,
  groupId: string,
): readonly [partition: string, one: string, other: string] | undefined {
  const members = owners.get(groupId) ?? new Map();
  const assigned = new Map<string, string>();
  for (const [memberId, ownership] of members) {
    for (const key of keysOf(ownership.assigned)) {
      const other = assigned.get(key);
      if (other !== undefined) return [key, other, memberId];
      assigned.set(key, memberId);
    }
  }
  for (const [memberId, ownership] of members) {
    for (const key of keysOf(ownership.pendingRevocation)) {
      const other = assigned.get(key);
      if (other !== undefined && other !== memberId) return [key, other, memberId];
    }
  }
  return undefined;
}

function* keysOf(topics: readonly TopicPartitions[]): Generator<string> {
  for (const { topicId, partitions } of topics) {
    for (const partition of partitions) yield `${topicId}:${partition}`;
  }
}
