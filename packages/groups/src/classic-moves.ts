/** Which partitions a finished rebalance of a classic group moved, for its history. Reads assignments; decides nothing. */
import type { TopicPartition } from '@millrace/core';
import { formatTopicPartition } from '@millrace/core';
import type { ClassicMember } from './classic-member.ts';
import type { ClassicRebalance } from './classic-rebalance.ts';
import { CONSUMER_PROTOCOL_TYPE, decodeAssignmentOf, eachPartition } from './consumer-protocol.ts';
import type { DescribedAssignment } from './group-api.ts';
import { spanText } from './group-history.ts';

/** More members than this are only counted, so that one rebalance does not push out the history before it. */
const NOTED_MEMBERS_MAX = 50;

/** @param before assignments of the last generation, by member. */
export function noteMoves(
  group: ClassicRebalance,
  before: ReadonlyMap<string, Buffer>,
  sinceMs: number,
  nowMs: number,
): void {
  const withoutMs = nowMs - sinceMs;
  let movedMembers = 0;
  for (const member of group.roster.members()) {
    const moved = movesOf(group, before.get(member.memberId), member);
    if (moved.gained.length + moved.lost.length === 0) continue;
    if (++movedMembers > NOTED_MEMBERS_MAX) continue;
    const cause = `assigned by the leader ${group.roster.leaderId} with ${group.protocolName}`;
    group.note('partitions-moved', cause, member, { ...moved, withoutMs });
  }
  const cause = `${group.roster.size} members, ${movedMembers} with other partitions than before, after ${spanText(withoutMs)}`;
  group.note('stable', cause);
}

function movesOf(
  group: ClassicRebalance,
  before: Buffer | undefined,
  member: ClassicMember,
): { readonly gained: readonly DescribedAssignment[]; readonly lost: readonly DescribedAssignment[] } {
  if (group.protocolType !== CONSUMER_PROTOCOL_TYPE) return { gained: [], lost: [] };
  const held = partitionsIn(before);
  const holds = partitionsIn(member.assignment);
  return { gained: without(holds, held), lost: without(held, holds) };
}

function partitionsIn(assignment: Buffer | undefined): ReadonlyMap<string, TopicPartition> {
  const list = assignment === undefined ? undefined : decodeAssignmentOf(assignment);
  return new Map(eachPartition(list ?? []).map((partition) => [formatTopicPartition(partition), partition]));
}

function without(
  all: ReadonlyMap<string, TopicPartition>,
  some: ReadonlyMap<string, TopicPartition>,
): DescribedAssignment[] {
  const byTopic = new Map<string, number[]>();
  for (const [name, { topic, partition }] of all) {
    if (some.has(name)) continue;
    const partitions = byTopic.get(topic);
    if (partitions === undefined) byTopic.set(topic, [partition]);
    else partitions.push(partition);
  }
  return [...byTopic].map(([topic, partitions]) => ({ topic, topicId: '', partitions }));
}
