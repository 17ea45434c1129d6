/**
 * Whether the sender of a heartbeat is who it says it is, at the epoch it says. A member that missed an answer is let
 * in; one that was replaced, expired, or lives in another time is not. Source: KIP-848 and KIP-345.
 */
import type { ConsumerGroupState, ConsumerMember } from './consumer-group-state.ts';
import { JOIN_EPOCH, LEAVE_FOR_A_WHILE_EPOCH } from './consumer-heartbeat-check.ts';
import type { ConsumerGroupHeartbeatRequest, GroupFailure } from './group-api.ts';
import type { TopicsView } from './group-record.ts';
import { hasPartition, isSubset, partitionSetOf, union } from './topic-partitions.ts';

export interface Admission {
  /** Undefined for one that is new. Present for everybody who does not join. */
  readonly member: ConsumerMember | undefined;
  /** The same static member under its old id. */
  readonly replaces: ConsumerMember | undefined;
}

export function admitMember(
  state: ConsumerGroupState,
  request: ConsumerGroupHeartbeatRequest,
  maxMembers: number,
): Admission | GroupFailure {
  const { memberId, memberEpoch, groupInstanceId } = request;
  const member = state.members.get(memberId);
  const holder = groupInstanceId === undefined ? member : state.memberOfInstance(groupInstanceId);
  if (memberEpoch === JOIN_EPOCH) return admitJoin(state, request, member, holder, maxMembers);
  if (holder === undefined) {
    return {
      code: 'UNKNOWN_MEMBER_ID',
      message: `group ${state.groupId} has no member "${groupInstanceId ?? memberId}"`,
    };
  }
  if (holder.memberId !== memberId) {
    return {
      code: 'FENCED_INSTANCE_ID',
      message: `instance ${groupInstanceId} is member ${holder.memberId} now`,
    };
  }
  const fenced = memberEpoch > 0 ? checkEpoch(holder, request) : undefined;
  return fenced ?? { member: holder, replaces: undefined };
}

function admitJoin(
  state: ConsumerGroupState,
  { memberId, groupInstanceId }: ConsumerGroupHeartbeatRequest,
  member: ConsumerMember | undefined,
  holder: ConsumerMember | undefined,
  maxMembers: number,
): Admission | GroupFailure {
  if (holder !== undefined && holder.memberId !== memberId) {
    if (holder.assignment.memberEpoch !== LEAVE_FOR_A_WHILE_EPOCH) {
      return {
        code: 'UNRELEASED_INSTANCE_ID',
        message: `instance ${groupInstanceId} is still member ${holder.memberId}`,
      };
    }
    if (member !== undefined)
      return { code: 'INVALID_REQUEST', message: `member id ${memberId} is another member's` };
    return { member: undefined, replaces: holder };
  }
  if (member === undefined && state.members.size >= maxMembers) {
    return {
      code: 'GROUP_MAX_SIZE_REACHED',
      message: `group ${state.groupId} has ${state.members.size} members`,
    };
  }
  return { member, replaces: undefined };
}

/** The epoch before is taken too, if the member holds nothing beyond what it would hold had it missed the answer. */
function checkEpoch(
  { assignment }: ConsumerMember,
  { memberId, memberEpoch, topicPartitions }: ConsumerGroupHeartbeatRequest,
): GroupFailure | undefined {
  if (memberEpoch === assignment.memberEpoch) return undefined;
  const fenced: GroupFailure = {
    code: 'FENCED_MEMBER_EPOCH',
    message: `member ${memberId} is at epoch ${assignment.memberEpoch}, not ${memberEpoch}`,
  };
  if (memberEpoch !== assignment.previousMemberEpoch || memberEpoch > assignment.memberEpoch) return fenced;
  if (topicPartitions === undefined) return fenced;
  const known = union(assignment.assigned, assignment.pendingRevocation);
  return isSubset(partitionSetOf(topicPartitions), known) ? undefined : fenced;
}

/** A member can only hold what exists, or existed when it was given to it. */
export function checkOwned(
  { member }: Admission,
  { topicPartitions }: ConsumerGroupHeartbeatRequest,
  topics: TopicsView,
): GroupFailure | undefined {
  for (const { topicId, partitions } of topicPartitions ?? []) {
    const count = topics.byId(topicId)?.partitionCount ?? 0;
    const strange = partitions.find(
      (partition) =>
        partition >= count &&
        !hasPartition(member?.assignment.assigned ?? new Map(), topicId, partition) &&
        !hasPartition(member?.assignment.pendingRevocation ?? new Map(), topicId, partition),
    );
    if (strange !== undefined) {
      return {
        code: 'INVALID_REQUEST',
        message: `there is no partition ${strange} of topic ${topicId.slice(0, 50)}`,
      };
    }
  }
  return undefined;
}
