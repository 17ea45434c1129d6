/**
 * How one member gets from what it holds to what is meant for it, one heartbeat at a time and without waiting for
 * anybody who is not concerned. First it gives up what is not meant for it, and only when it has said so does it get
 * anything new; and a partition only after nobody else holds it. Source: KIP-848, "Assignment process".
 */
import type { TopicId } from '@millrace/core';
import type { MemberState } from './group-record.ts';
import {
  difference,
  filterSet,
  intersection,
  intersects,
  NO_PARTITIONS,
  type PartitionSet,
  sameSet,
  union,
} from './topic-partitions.ts';

export interface MemberAssignment {
  readonly memberEpoch: number;
  /** Accepted too while the answer that told of `memberEpoch` may be lost. */
  readonly previousMemberEpoch: number;
  readonly state: MemberState;
  /** What the member may process. */
  readonly assigned: PartitionSet;
  /** What it must give up; nobody else gets it before the member says that it has. */
  readonly pendingRevocation: PartitionSet;
}

export interface ReconciliationGoal {
  readonly targetEpoch: number;
  readonly target: PartitionSet;
  /** What the member says it holds; undefined: it did not say. */
  readonly owned: PartitionSet | undefined;
  /** Whether no other member holds the partition. */
  readonly isFree: (topicId: TopicId, partition: number) => boolean;
}

/** The member's next assignment; the very `member` where nothing changes. */
export function reconcile(member: MemberAssignment, goal: ReconciliationGoal): MemberAssignment {
  const { owned, targetEpoch } = goal;
  switch (member.state) {
    case 'STABLE':
      return member.memberEpoch === targetEpoch ? member : advance(member, goal);
    case 'UNREVOKED_PARTITIONS':
      return owned === undefined || intersects(owned, member.pendingRevocation)
        ? member
        : advance(member, goal);
    // A state of a later version is treated like a wait: what is free and meant for the member may be given at any time.
    case 'UNRELEASED_PARTITIONS':
    case 'UNKNOWN':
      return advance(member, goal);
  }
}

function advance(member: MemberAssignment, goal: ReconciliationGoal): MemberAssignment {
  const kept = intersection(member.assigned, goal.target);
  const surplus = difference(member.assigned, goal.target);
  if (surplus.size > 0 && (goal.owned === undefined || intersects(goal.owned, surplus))) {
    return { ...member, state: 'UNREVOKED_PARTITIONS', assigned: kept, pendingRevocation: surplus };
  }
  const missing = difference(goal.target, kept);
  const free = filterSet(missing, goal.isFree);
  return settle(member, {
    memberEpoch: goal.targetEpoch,
    previousMemberEpoch:
      member.memberEpoch === goal.targetEpoch ? member.previousMemberEpoch : member.memberEpoch,
    state: free === missing ? 'STABLE' : 'UNRELEASED_PARTITIONS',
    assigned: union(kept, free),
    pendingRevocation: NO_PARTITIONS,
  });
}

function settle(before: MemberAssignment, next: MemberAssignment): MemberAssignment {
  const same =
    before.memberEpoch === next.memberEpoch &&
    before.state === next.state &&
    before.pendingRevocation.size === 0 &&
    sameSet(before.assigned, next.assigned);
  return same ? before : next;
}
