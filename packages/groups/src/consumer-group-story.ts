/**
 * Tells the history of a consumer group in words: every event with its cause, who it concerns, and how long members
 * and partitions waited. Decides nothing, and nothing is decided by what it knows.
 */
import type { ConsumerMember, MemberSubscription } from './consumer-group-state.ts';
import type { GroupEventKind } from './group-api.ts';
import { type GroupEventNote, type GroupHistoryLog, spanText } from './group-history.ts';
import type { TopicsView } from './group-record.ts';
import type { MemberAssignment } from './member-reconciliation.ts';
import { subscriptionText } from './member-subscription.ts';
import { describedSet, PartitionMoves } from './partition-moves.ts';
import { difference, union } from './topic-partitions.ts';

/** A cause, and the kind of event that it brings about. */
export interface Reason {
  readonly kind: GroupEventKind;
  readonly cause: string;
}

export interface ReconciliationStep {
  readonly member: ConsumerMember;
  readonly before: MemberAssignment;
  readonly after: MemberAssignment;
  /** Since when something is meant for the member that it does not hold. */
  readonly waitingSinceMs: number | undefined;
  readonly nowMs: number;
  readonly topics: TopicsView;
}

export class ConsumerGroupStory {
  readonly history: GroupHistoryLog;
  readonly #wallMs: () => number;
  readonly #moves = new PartitionMoves();

  constructor(history: GroupHistoryLog, wallMs: () => number) {
    this.history = history;
    this.#wallMs = wallMs;
  }

  group(kind: GroupEventKind, epoch: number, cause: string): void {
    this.history.note({ kind, epoch, cause }, this.#wallMs());
  }

  member(memberId: string, subscription: MemberSubscription | undefined, note: GroupEventNote): void {
    const { clientId, groupInstanceId } = subscription ?? {};
    this.history.note({ ...note, memberId, clientId, groupInstanceId }, this.#wallMs());
  }

  /** Somebody who is no member. */
  refused(note: GroupEventNote): void {
    this.history.note(note, this.#wallMs());
  }

  /** @param epoch of the group, before it is balanced anew for the member. */
  subscribed(memberId: string, subscription: MemberSubscription, epoch: number): void {
    const cause = subscriptionText(subscription);
    this.member(memberId, subscription, { kind: 'subscription-changed', epoch, cause });
  }

  stepped({ member, before, after, waitingSinceMs, nowMs, topics }: ReconciliationStep): void {
    const { memberId, subscription } = member;
    const epoch = after.memberEpoch;
    this.released(memberId, before, after, nowMs);
    if (after.state === 'UNREVOKED_PARTITIONS') {
      const cause = `has ${spanText(subscription?.rebalanceTimeoutMs ?? 0)} to give up what is meant for others`;
      const lost = describedSet(after.pendingRevocation, topics);
      this.member(memberId, subscription, { kind: 'revoking', epoch, cause, lost });
    }
    const gained = difference(after.assigned, before.assigned);
    if (gained.size === 0) return;
    const withoutMs = nowMs - (waitingSinceMs ?? nowMs);
    this.history.waited(memberId, subscription?.clientId ?? '', withoutMs);
    const cause = this.#moves.taken(gained, nowMs);
    const note = { kind: 'assigned', epoch, cause, gained: describedSet(gained, topics), withoutMs } as const;
    this.member(memberId, subscription, note);
  }

  /** What the member held and does not hold any more is free from now on. */
  released(
    memberId: string,
    before: MemberAssignment,
    after: MemberAssignment | undefined,
    nowMs: number,
  ): void {
    const held = union(before.assigned, before.pendingRevocation);
    const holds = after === undefined ? new Map() : union(after.assigned, after.pendingRevocation);
    this.#moves.released(difference(held, holds), memberId, nowMs);
  }

  removed(member: ConsumerMember, reason: Reason, epoch: number, nowMs: number, topics: TopicsView): void {
    const { memberId, subscription, assignment } = member;
    this.released(memberId, assignment, undefined, nowMs);
    const lost = describedSet(union(assignment.assigned, assignment.pendingRevocation), topics);
    this.member(memberId, subscription, { ...reason, epoch, lost });
    this.history.memberGone(memberId);
  }

  topicsSeen(topics: TopicsView): void {
    this.#moves.forgetTopics((topicId) => topics.byId(topicId) !== undefined);
  }
}

/** How people know a member. */
export function nameOf(memberId: string, subscription: MemberSubscription | undefined): string {
  const clientId = subscription?.clientId ?? '';
  return clientId === '' ? memberId : `${clientId} (${memberId})`;
}

export function withReason(cause: string, reason: string): string {
  // A client may say no more than what it does.
  return reason === '' || reason === cause ? cause : `${cause}: ${reason}`;
}
