/**
 * Assignor `range`: every topic is cut into contiguous ranges, one for each of its subscribers in the order of their
 * names. Topics with equal partition counts and equal subscribers are cut alike, so that partition n of each goes to
 * the same member and can be joined there. Source: Kafka's range assignor.
 */
import type { TopicId } from '@millrace/core';
import type { TopicView } from '../group-record.ts';
import { type PartitionSet, sameSet } from '../topic-partitions.ts';
import type { AssignorMember } from './assignor.ts';

export function assignRange(members: readonly AssignorMember[]): ReadonlyMap<string, PartitionSet> {
  const subscribers = new Map<TopicId, { readonly topic: TopicView; readonly owners: AssignorMember[] }>();
  for (const member of [...members].sort(byName)) {
    for (const topic of member.topics) {
      const known = subscribers.get(topic.topicId);
      if (known === undefined) subscribers.set(topic.topicId, { topic, owners: [member] });
      else known.owners.push(member);
    }
  }
  const sets = new Map(members.map(({ memberId }) => [memberId, new Map<TopicId, readonly number[]>()]));
  for (const { topic, owners } of subscribers.values()) cut(topic, owners, sets);
  return new Map(
    members.map(({ memberId, current }) => {
      const set = sets.get(memberId)!;
      return [memberId, sameSet(set, current) ? current : set];
    }),
  );
}

/** The first `partitionCount % owners` ranges are longer by one. */
function cut(
  { topicId, partitionCount }: TopicView,
  owners: readonly AssignorMember[],
  sets: ReadonlyMap<string, Map<TopicId, readonly number[]>>,
): void {
  const least = Math.floor(partitionCount / owners.length);
  const longer = partitionCount % owners.length;
  let next = 0;
  for (const [index, { memberId }] of owners.entries()) {
    const length = least + (index < longer ? 1 : 0);
    if (length === 0) return;
    const first = next;
    next += length;
    const range = Array.from({ length }, (_, offset) => first + offset);
    sets.get(memberId)!.set(topicId, range);
  }
}

/** Static members keep their place when they return under another member id. */
function byName(a: AssignorMember, b: AssignorMember): number {
  const nameA = a.groupInstanceId ?? a.memberId;
  const nameB = b.groupInstanceId ?? b.memberId;
  if (nameA !== nameB) return nameA < nameB ? -1 : 1;
  return a.memberId < b.memberId ? -1 : 1;
}
