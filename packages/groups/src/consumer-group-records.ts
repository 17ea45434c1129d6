/** Records of a consumer group that are made in more than one place. */
import type { ConsumerGroupState } from './consumer-group-state.ts';
import type { GroupRecord } from './group-record.ts';
import type { MemberAssignment } from './member-reconciliation.ts';
import { listOf } from './topic-partitions.ts';

export function memberAssignmentRecord(
  groupId: string,
  memberId: string,
  assignment: MemberAssignment,
): GroupRecord {
  const { memberEpoch, previousMemberEpoch, state, assigned, pendingRevocation } = assignment;
  return {
    kind: 'member-assignment',
    groupId,
    memberId,
    value: {
      memberEpoch,
      previousMemberEpoch,
      state,
      assigned: listOf(assigned),
      pendingRevocation: listOf(pendingRevocation),
    },
  };
}

/** The subscription last: without it, what is left of a member counts for nothing. */
export function removalRecords(groupId: string, memberId: string): readonly GroupRecord[] {
  return [
    { kind: 'member-assignment', groupId, memberId, value: undefined },
    { kind: 'target-assignment', groupId, memberId, value: undefined },
    { kind: 'member-subscription', groupId, memberId, value: undefined },
  ];
}

export function tombstonesOf({ groupId, members, patterns }: ConsumerGroupState): readonly GroupRecord[] {
  return [
    ...[...members.keys()].flatMap((memberId) => removalRecords(groupId, memberId)),
    ...[...patterns.keys()].map(
      (pattern): GroupRecord => ({ kind: 'resolved-pattern', groupId, pattern, value: undefined }),
    ),
    { kind: 'target-epoch', groupId, value: undefined },
    { kind: 'consumer-group-epoch', groupId, value: undefined },
  ];
}
