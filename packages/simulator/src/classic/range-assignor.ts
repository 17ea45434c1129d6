/**
 * What the leader of a classic group computes: ranges of each topic's partitions, by member in the order of ids. A
 * cooperative leader gives nothing away that another member still holds: that comes with the next round, once it let go.
 */
import { formatTopicPartition, type TopicPartition } from '@millrace/core';
import type { Subscription } from './consumer-protocol-bytes.ts';

export interface AssignedMember {
  readonly memberId: string;
  readonly groupInstanceId: string | undefined;
  readonly subscription: Subscription;
}

export function assignRanges(
  members: readonly AssignedMember[],
  partitionsOf: (topic: string) => number,
  isCooperative: boolean,
): ReadonlyMap<string, readonly TopicPartition[]> {
  const assigned = new Map<string, TopicPartition[]>(members.map(({ memberId }) => [memberId, []]));
  const holders = isCooperative ? holdersAmong(members) : new Map<string, string>();
  const ordered = [...members].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  const topics = new Set(members.flatMap(({ subscription }) => subscription.topics));
  for (const topic of topics) {
    const readers = ordered.filter(({ subscription }) => subscription.topics.includes(topic));
    const count = partitionsOf(topic);
    for (let partition = 0; partition < count; partition++) {
      const { memberId } = readers[Math.floor((partition * readers.length) / count)]!;
      const holder = holders.get(formatTopicPartition({ topic, partition }));
      if (holder === undefined || holder === memberId) assigned.get(memberId)!.push({ topic, partition });
    }
  }
  return assigned;
}

/** A member that was given something in a later generation knows better. */
function holdersAmong(members: readonly AssignedMember[]): Map<string, string> {
  const holders = new Map<string, string>();
  const since = new Map<string, number>();
  for (const { memberId, subscription } of members) {
    for (const held of subscription.owned) {
      const key = formatTopicPartition(held);
      if (subscription.generation <= (since.get(key) ?? Number.NEGATIVE_INFINITY)) continue;
      since.set(key, subscription.generation);
      holders.set(key, memberId);
    }
  }
  return holders;
}

/** Static members keep their place in the order from life to life. */
function nameOf({ memberId, groupInstanceId }: AssignedMember): string {
  return groupInstanceId ?? memberId;
}
