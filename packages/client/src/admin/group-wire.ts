/** Groups as they travel, in the shapes of the admin. Pure. */
import type { TopicPartition } from '@millrace/core';
import type {
  CommittedOffset,
  DescribedAssignment,
  DescribedMember,
  ExplainGroupResponse,
  DescribedGroup as WireGroup,
  GroupListing as WireListing,
} from '@millrace/protocol';
import type { Address } from '../cluster/transport.ts';
import type {
  GroupHistory,
  GroupInfo,
  GroupMember,
  GroupOffset,
  GroupState,
  GroupSummary,
  GroupType,
} from './group-shapes.ts';

export function groupSummary({ groupId, type, protocolType, state }: WireListing): GroupSummary {
  return { groupId, type: type as GroupType, protocolType, state: state as GroupState };
}

export function groupInfo(group: WireGroup, { host, port }: Address): GroupInfo {
  const { epoch, assignmentEpoch, assignor, members } = group;
  return {
    ...groupSummary(group),
    coordinator: { host, port },
    epoch,
    assignmentEpoch,
    assignor,
    members: members.map(groupMember),
  };
}

export function groupOffset(committed: CommittedOffset): GroupOffset {
  const { topic, partition, offset, leaderEpoch, metadata, committedAtMs } = committed;
  const isNone = offset < 0;
  return {
    topic,
    partition,
    offset: isNone ? null : BigInt(offset),
    leaderEpoch,
    metadata,
    committedAtMs: isNone ? null : committedAtMs,
  };
}

export function groupHistory(groupId: string, explained: ExplainGroupResponse): GroupHistory {
  const { type, state, events, droppedEvents, members } = explained;
  return {
    groupId,
    type: type as GroupType,
    state: state as GroupState,
    events: events.map(({ gained, lost, withoutMs, ...event }) => ({
      ...event,
      gained: flat(gained),
      lost: flat(lost),
      withoutMs: withoutMs < 0 ? null : withoutMs,
    })),
    droppedEvents,
    members: [...members],
  };
}

function groupMember(member: DescribedMember): GroupMember {
  const { subscribedTopicNames, assignment, targetAssignment, groupInstanceId, ...rest } = member;
  return {
    ...rest,
    type: rest.type as GroupType,
    groupInstanceId: groupInstanceId === '' ? null : groupInstanceId,
    subscribedTopics: subscribedTopicNames,
    assignment: flat(assignment),
    targetAssignment: flat(targetAssignment),
  };
}

/** Sorted by topic and partition. A topic that is gone is known by its id only. */
function flat(assignment: readonly DescribedAssignment[]): TopicPartition[] {
  return assignment
    .flatMap(({ topic, topicId, partitions }) =>
      partitions.map((partition) => ({ topic: topic === '' ? topicId : topic, partition })),
    )
    .sort(byPartition);
}

export function byPartition(one: TopicPartition, other: TopicPartition): number {
  if (one.topic === other.topic) return one.partition - other.partition;
  return one.topic < other.topic ? -1 : 1;
}
