/**
 * Who may join a classic group, and what its join means: a new member, one that comes back with the id it was given
 * (KIP-394), one that joins again, or a static member in the place of its predecessor (KIP-345). Answers at once or
 * leaves the join waiting in the round; never both.
 */
import { formatTopicPartition, type Random, randomUuid } from '@millrace/core';
import { failureOf, joinFailure } from './classic-answers.ts';
import { type ClassicMember, metadataFor, newMember, sameProtocols, termsOf } from './classic-member.ts';
import { type ClassicRebalance, labelOf } from './classic-rebalance.ts';
import { classicGroupRecord } from './classic-record.ts';
import {
  CONSUMER_PROTOCOL_TYPE,
  decodeAssignmentOf,
  decodeSubscriptionOf,
  eachPartition,
} from './consumer-protocol.ts';
import type { GroupFailure, JoinGroupRequest } from './group-api.ts';
import type { RequestToken } from './group-coordinator.ts';
import type { OutcomeDraft } from './outcome-draft.ts';

/** More given-out ids than this, and the oldest is forgotten: who means to join comes back within a round trip. */
const PENDING_IDS_MAX = 1000;

/** One join and what it needs. */
export interface JoinStep {
  readonly request: JoinGroupRequest;
  readonly token: RequestToken;
  readonly nowMs: number;
  readonly random: Random;
  readonly out: OutcomeDraft;
}

export function joinClassicGroup(group: ClassicRebalance, step: JoinStep): void {
  const failure = tryJoin(group, step);
  if (failure !== undefined) step.out.answer(step.token, joinFailure(step.request.memberId, failure));
}

/** Has answered, or left the join waiting, unless it returns why not. */
function tryJoin(group: ClassicRebalance, step: JoinStep): GroupFailure | undefined {
  const { request } = step;
  const known = group.roster.ofInstance(request.groupInstanceId) ?? group.roster.get(request.memberId);
  const refusal = refusalOf(group, request, known);
  if (refusal !== undefined) return refusal;
  if (request.memberId !== '') return joinWithId(group, step, known);
  if (known !== undefined) replaceStatic(group, step, known);
  else if (request.groupInstanceId === undefined && request.requiresKnownMemberId) promiseId(group, step);
  else admitNew(group, step, freshMemberId(step));
  return undefined;
}

/** What forbids any join of this kind, whoever sends it. */
function refusalOf(
  group: ClassicRebalance,
  request: JoinGroupRequest,
  known: ClassicMember | undefined,
): GroupFailure | undefined {
  const { roster, config } = group;
  const isOtherType = roster.size > 0 && request.protocolType !== group.protocolType;
  const names = request.protocols.map(({ name }) => name);
  if (isOtherType || !roster.sharesProtocol(names, known)) return failureOf('INCONSISTENT_GROUP_PROTOCOL');
  const max = config['group.max.size'];
  // Members keep their places against newcomers; where the limit was lowered, the first to come back have them.
  const isFull =
    known === undefined
      ? roster.size >= max
      : roster.size > max && known.joinToken === undefined && roster.joinsWaiting >= max;
  return isFull ? failureOf('GROUP_MAX_SIZE_REACHED') : undefined;
}

function joinWithId(
  group: ClassicRebalance,
  step: JoinStep,
  known: ClassicMember | undefined,
): GroupFailure | undefined {
  const { memberId, groupInstanceId } = step.request;
  if (known === undefined) {
    const wasPromised = groupInstanceId === undefined && group.roster.takePending(memberId);
    if (!wasPromised) return failureOf('UNKNOWN_MEMBER_ID');
    admitNew(group, step, memberId);
    return undefined;
  }
  if (known.memberId !== memberId) return failureOf('FENCED_INSTANCE_ID');
  if (known.groupInstanceId !== groupInstanceId) return failureOf('UNKNOWN_MEMBER_ID');
  rejoin(group, step, known);
  return undefined;
}

/** A member joins again: to begin a round, or because an answer was lost on the way. */
function rejoin(group: ClassicRebalance, step: JoinStep, member: ClassicMember): void {
  const { request, token, nowMs, out } = step;
  const isChanged = !sameProtocols(member.protocols, request.protocols);
  const isLeaderOfStable = group.state === 'Stable' && group.roster.leaderId === member.memberId;
  if (group.state !== 'PreparingRebalance' && !isChanged && !isLeaderOfStable) {
    group.seen(member, nowMs);
    out.answer(token, group.joinedAs(member));
    return;
  }
  const renewed = group.roster.renew(member, termsOf(request));
  const cause = isChanged ? 'subscribes to something else' : 'joined again';
  const reason = withReason(cause, request.reason);
  group.note(isChanged ? 'subscription-changed' : 'rejoined', reason, renewed);
  group.await(renewed, token, `${labelOf(renewed)} ${reason}`, nowMs, out);
}

function promiseId(group: ClassicRebalance, step: JoinStep): void {
  const { request, token, nowMs, out } = step;
  const memberId = freshMemberId(step);
  if (group.roster.pendingSize >= PENDING_IDS_MAX) {
    const [oldest] = group.roster.pending();
    group.roster.takePending(oldest![0]);
  }
  group.promise(memberId, request.sessionTimeoutMs, nowMs);
  out.answer(token, joinFailure(memberId, failureOf('MEMBER_ID_REQUIRED')));
}

function admitNew(group: ClassicRebalance, step: JoinStep, memberId: string): void {
  const { request, token, nowMs, out } = step;
  if (group.roster.size === 0) group.adopt(request.protocolType);
  const member = newMember(memberId, request, nowMs);
  member.joinToken = token;
  group.admit(member, withReason('joined', request.reason), nowMs, out);
}

/** A static member started anew, without its old id. Whoever still uses the old one is fenced from now on. */
function replaceStatic(group: ClassicRebalance, step: JoinStep, old: ClassicMember): void {
  const { request, token, nowMs, out } = step;
  const wasLeader = group.roster.leaderId === old.memberId;
  const fenced = failureOf('FENCED_INSTANCE_ID');
  group.release(old, fenced, out);
  group.roster.remove(old);
  group.history.memberGone(old.memberId);
  const member: ClassicMember = {
    ...newMember(freshMemberId(step), request, nowMs),
    assignment: old.assignment,
    owesSync: old.owesSync,
    isNew: false,
  };
  group.roster.add(member);
  if (wasLeader) group.roster.leaderId = member.memberId;
  group.note('replaced', withReason(`took the place of ${old.memberId}`, request.reason), member);
  const isSame = group.roster.electProtocol() === group.protocolName && readsTheSame(group, old, member);
  if (group.state === 'Stable' && isSame && !hasToGiveUp(group, old)) {
    keepPlace(group, step, member, old.memberId);
    return;
  }
  group.await(member, token, `${labelOf(member)} started anew`, nowMs, out);
}

/** Other bytes alone say nothing: a cooperative client that starts anew owns nothing yet, and says so. */
function readsTheSame(group: ClassicRebalance, old: ClassicMember, member: ClassicMember): boolean {
  if (group.protocolType !== CONSUMER_PROTOCOL_TYPE) return true;
  const before = topicsOf(old, group.protocolName);
  const after = topicsOf(member, group.protocolName);
  return before.size === after.size && [...after].every((topic) => before.has(topic));
}

/**
 * A cooperative member that was given less than it owned joins again once it has let go, so that others get the rest in
 * the next round. Who takes its place has nothing to let go of, and nobody would ever begin that round.
 */
function hasToGiveUp({ protocolType, protocolName }: ClassicRebalance, member: ClassicMember): boolean {
  if (protocolType !== CONSUMER_PROTOCOL_TYPE) return false;
  const owned = decodeSubscriptionOf(metadataFor(member, protocolName))?.ownedPartitions ?? [];
  if (owned.length === 0) return false;
  const given = new Set(eachPartition(decodeAssignmentOf(member.assignment) ?? []).map(formatTopicPartition));
  return eachPartition(owned).some((each) => !given.has(formatTopicPartition(each)));
}

function topicsOf(member: ClassicMember, protocol: string | undefined): ReadonlySet<string> {
  return new Set(decodeSubscriptionOf(metadataFor(member, protocol))?.topics);
}

/** Nothing changes for the others: no round, and a leader is told not to assign anew (KIP-814). */
function keepPlace(group: ClassicRebalance, step: JoinStep, member: ClassicMember, oldId: string): void {
  const { request, token, nowMs, out } = step;
  group.seen(member, nowMs);
  out.write(classicGroupRecord(group));
  const answer = group.joinedAs(member);
  const isLeader = answer.leader === member.memberId;
  if (request.supportsSkippingAssignment ?? true) {
    out.answer(token, { ...answer, skipAssignment: isLeader });
    return;
  }
  // An older client would assign anew if it knew that it leads; it is told of its predecessor instead.
  out.answer(token, { ...answer, leader: isLeader ? oldId : answer.leader, members: [] });
}

function freshMemberId({ request, random }: JoinStep): string {
  return `${request.groupInstanceId ?? request.clientId}-${randomUuid(random)}`;
}

function withReason(cause: string, reason: string): string {
  return reason === '' ? cause : `${cause}: ${reason}`;
}
