/**
 * Invariant 46, second part: members go on where the group has committed, so a commit that lies before another one is of an
 * older owner, and must not replace it; nor may anybody commit what is another member's by now.
 */
import { formatTopicPartition } from '@millrace/core';
import type { OffsetCommitRequest, TopicPartitions } from '@millrace/groups';
import type { CoordinatorModel, GroupInvariant } from '../groups/group-observation.ts';

export const committedOffsetsNeverGoBack: GroupInvariant = {
  number: 46,
  name: 'committed-offsets-never-go-back',
  judge(world, violated) {
    const newest = new Map<string, number>();
    return {
      committed({ record }) {
        if (record.kind !== 'offset' || record.value === undefined) return;
        const { groupId, value } = record;
        const key = `${groupId} ${formatTopicPartition(record)}`;
        const before = newest.get(key) ?? -1;
        if (value.offset < before) violated(`${key}: ${value.offset} replaces ${before}`);
        newest.set(key, value.offset);
      },
      stepped(coordinator, { name, request, outcome }) {
        if (name !== 'offsetCommit' || !outcome.records.some(({ kind }) => kind === 'offset')) return;
        const { groupId, memberId } = request as OffsetCommitRequest;
        if (memberId === '') return;
        for (const record of outcome.records) {
          if (record.kind !== 'offset') continue;
          const { topic, partition } = record;
          const owner = otherOwner(coordinator, groupId, memberId, (topics) =>
            topics.some(
              ({ topicId, partitions }) => world.nameOf(topicId) === topic && partitions.includes(partition),
            ),
          );
          if (owner === undefined) continue;
          violated(
            `${memberId} of ${groupId} commits ${formatTopicPartition(record)}, which is ${owner}'s, on ${coordinator.nodeId}`,
          );
        }
      },
    };
  },
};

function otherOwner(
  { owners }: CoordinatorModel,
  groupId: string,
  memberId: string,
  has: (topics: readonly TopicPartitions[]) => boolean,
): string | undefined {
  for (const [other, { assigned }] of owners.get(groupId) ?? []) {
    if (other !== memberId && has(assigned)) return other;
  }
  return undefined;
}
