/**
 * The life of one classic group: Empty, PreparingRebalance (members join), CompletingRebalance (the leader assigns),
 * Stable. Owns generations and deadlines. Every member that waits is answered exactly once, by whatever ends its wait;
 * every change is noted with its cause. Source: Kafka's group protocol (KIP-62, KIP-134, KIP-345, KIP-394).
 */
import { invariant, MINUTE_MS } from '@millrace/core';
import { failureOf, joinFailure, NO_BYTES, syncFailure } from './classic-answers.ts';
import { type ClassicMember, loadedMember, metadataFor, seen } from './classic-member.ts';
import { noteMoves } from './classic-moves.ts';
import { classicGroupRecord } from './classic-record.ts';
import { ClassicRoster } from './classic-roster.ts';
import type { GroupEventKind, GroupFailure, GroupStateName, JoinGroupResponse } from './group-api.ts';
import type { GroupConfig } from './group-config.ts';
import { type GroupEventNote, GroupHistoryLog, spanText } from './group-history.ts';
import type { ClassicGroupRecord } from './group-record.ts';
import type { OutcomeDraft } from './outcome-draft.ts';

export type ClassicState = Extract<
  GroupStateName,
  'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable'
>;

/** A client whose first join is never picked up has gone; without a bound it would hold the group up for ever. */
const NEW_MEMBER_WAIT_MS = 5 * MINUTE_MS;

interface JoinPhase {
  readonly startedAtMs: number;
  endsAtMs: number;
  /** The first rebalance of an empty group waits for more members: how much longer it may, and whether one came. */
  initial: { remainingMs: number; hasNewMember: boolean } | undefined;
}

export class ClassicRebalance {
  readonly groupId: string;
  readonly history: GroupHistoryLog;
  readonly roster = new ClassicRoster();
  readonly config: GroupConfig;
  readonly #wallMs: () => number;
  #state: ClassicState = 'Empty';
  #stateAtMs = -1;
  #generation = 0;
  #protocolType: string | undefined;
  #protocolName: string | undefined;
  #join: JoinPhase | undefined;
  /** Until when members may ask for their part of the generation. */
  #syncEndsAtMs = Number.POSITIVE_INFINITY;
  /** When members lost what they had, for how long they waited. */
  #movingSinceMs = 0;
  /** Not later than the earliest deadline; exact after a tick. */
  #dueMs = Number.POSITIVE_INFINITY;

  constructor(groupId: string, config: GroupConfig, wallMs: () => number, history?: GroupHistoryLog) {
    this.groupId = groupId;
    this.config = config;
    this.#wallMs = wallMs;
    this.history = history ?? new GroupHistoryLog(config['group.history.max.events']);
  }

  get state(): ClassicState {
    return this.#state;
  }

  /** Wall time at which the state was reached; -1 unknown. */
  get stateAtMs(): number {
    return this.#stateAtMs;
  }

  get generation(): number {
    return this.#generation;
  }

  /** Undefined for a group that has only ever held offsets. */
  get protocolType(): string | undefined {
    return this.#protocolType;
  }

  get protocolName(): string | undefined {
    return this.#protocolName;
  }

  get dueMs(): number {
    return this.#dueMs;
  }

  // ---- what members do ----------------------------------------------------------------------------------------------

  /** The first member names the type of the group. */
  adopt(protocolType: string): void {
    this.#protocolType = protocolType;
  }

  /** A member that is new to the group and whose join waits with `joinToken` already. */
  admit(member: ClassicMember, cause: string, nowMs: number, out: OutcomeDraft): void {
    this.roster.add(member);
    this.roster.leaderId ??= member.memberId;
    this.#holdSession(member, nowMs);
    if (this.#join?.initial !== undefined) this.#join.initial.hasNewMember = true;
    if (this.#generation === 0 && this.roster.size === 1) this.note('created', 'the first member joined');
    this.note('joined', cause, member);
    this.#beginOrContinue(`${labelOf(member)} joined`, nowMs, out);
  }

  /** A member joins again and waits; an older join of it is answered, because its connection has gone. */
  await(member: ClassicMember, token: number, cause: string, nowMs: number, out: OutcomeDraft): void {
    this.#answerJoin(member, failureOf('REBALANCE_IN_PROGRESS', 'a later join took over'), out);
    this.roster.waitForJoin(member, token);
    member.lastSeenMs = nowMs;
    this.#holdSession(member, nowMs);
    this.#beginOrContinue(cause, nowMs, out);
  }

  /** Takes a member out; the caller goes on with `continueWithout`. */
  drop(
    member: ClassicMember,
    kind: GroupEventKind,
    cause: string,
    why: GroupFailure,
    out: OutcomeDraft,
  ): void {
    this.release(member, why, out);
    this.roster.remove(member);
    this.history.memberGone(member.memberId);
    this.note(kind, cause, member);
  }

  /** Answers whatever the member waits for. */
  release(member: ClassicMember, why: GroupFailure, out: OutcomeDraft): void {
    this.#answerJoin(member, why, out);
    this.#answerSync(member, why, out);
  }

  /** Members or pending ids have gone. */
  continueWithout(cause: string, nowMs: number, out: OutcomeDraft): void {
    if (this.#state === 'Stable' || this.#state === 'CompletingRebalance') this.begin(cause, nowMs, out);
    else this.#completeIfAllJoined(nowMs, out);
  }

  /** The leader has assigned: everybody who waits gets its part, once the record has committed. */
  assign(assignments: ReadonlyMap<string, Buffer>, nowMs: number, out: OutcomeDraft): void {
    invariant(this.#state === 'CompletingRebalance', 'a generation is assigned once', { state: this.#state });
    const before = new Map<string, Buffer>();
    for (const member of this.roster.members()) {
      before.set(member.memberId, member.assignment);
      member.assignment = assignments.get(member.memberId) ?? NO_BYTES;
    }
    this.#enter('Stable');
    out.write(classicGroupRecord(this));
    noteMoves(this, before, this.#movingSinceMs, nowMs);
    for (const member of this.roster.members()) this.answerAssignment(member, nowMs, out);
  }

  /** The member's part, to the sync that waits, if one does. */
  answerAssignment(member: ClassicMember, nowMs: number, out: OutcomeDraft): void {
    const token = member.syncToken;
    if (token === undefined) return;
    member.syncToken = undefined;
    member.owesSync = false;
    this.seen(member, nowMs);
    this.history.waited(member.memberId, member.clientId, nowMs - this.#movingSinceMs);
    out.answer(token, {
      protocolType: this.#protocolType,
      protocolName: this.#protocolName,
      assignment: member.assignment,
    });
  }

  /** A sync waits for the leader; an older one of the same member is answered. */
  awaitAssignment(member: ClassicMember, token: number, out: OutcomeDraft): void {
    this.#answerSync(member, failureOf('REBALANCE_IN_PROGRESS', 'a later sync took over'), out);
    member.syncToken = token;
    member.owesSync = false;
    // Bounded by the end of the sync phase: the leader is dropped then, and everybody joins again.
    member.sessionEndMs = Number.POSITIVE_INFINITY;
  }

  /** A sign of life. */
  seen(member: ClassicMember, nowMs: number): void {
    seen(member, nowMs);
    if (member.joinToken !== undefined || member.syncToken !== undefined)
      member.sessionEndMs = Number.POSITIVE_INFINITY;
    this.#due(member.sessionEndMs);
  }

  /** An id is given out that must come back before `nowMs + waitMs`. */
  promise(memberId: string, waitMs: number, nowMs: number): void {
    this.roster.addPending(memberId, nowMs + waitMs);
    this.#due(nowMs + waitMs);
  }

  // ---- rounds -------------------------------------------------------------------------------------------------------

  /** A new round: everybody joins again. */
  begin(cause: string, nowMs: number, out: OutcomeDraft): void {
    const wasEmpty = this.#state === 'Empty';
    if (this.#state === 'CompletingRebalance') this.#abandonAssignment(out);
    if (this.#state === 'Stable' || wasEmpty) this.#movingSinceMs = nowMs;
    this.#enter('PreparingRebalance');
    this.#syncEndsAtMs = Number.POSITIVE_INFINITY;
    const rebalanceTimeoutMs = this.roster.longestRebalanceTimeoutMs();
    const delayMs = wasEmpty ? this.config['group.initial.rebalance.delay.ms'] : 0;
    const isDelayed = delayMs > 0;
    this.#join = {
      startedAtMs: nowMs,
      endsAtMs: nowMs + (isDelayed ? delayMs : rebalanceTimeoutMs),
      initial: isDelayed
        ? { remainingMs: Math.max(rebalanceTimeoutMs - delayMs, 0), hasNewMember: false }
        : undefined,
    };
    this.#due(this.#join.endsAtMs);
    this.note('rebalance-started', cause);
    this.#completeIfAllJoined(nowMs, out);
  }

  #beginOrContinue(cause: string, nowMs: number, out: OutcomeDraft): void {
    if (this.#state === 'PreparingRebalance') this.#completeIfAllJoined(nowMs, out);
    else this.begin(cause, nowMs, out);
  }

  /**
   * Members that wait for the leader join again. What they were assigned last is kept: a cooperative member holds on to it
   * until it hears otherwise, and a group that moves now must not give that away.
   */
  #abandonAssignment(out: OutcomeDraft): void {
    for (const member of this.roster.members()) {
      member.owesSync = false;
      this.#answerSync(member, failureOf('REBALANCE_IN_PROGRESS'), out);
    }
  }

  #completeIfAllJoined(nowMs: number, out: OutcomeDraft): void {
    if (this.#join === undefined || this.#join.initial !== undefined) return;
    if (this.roster.isComplete) this.#completeJoin(nowMs, out);
  }

  #endJoinPhase(join: JoinPhase, nowMs: number, out: OutcomeDraft): void {
    const { initial } = join;
    if (initial?.hasNewMember === true && initial.remainingMs > 0) {
      const delayMs = Math.min(this.config['group.initial.rebalance.delay.ms'], initial.remainingMs);
      join.initial = { remainingMs: initial.remainingMs - delayMs, hasNewMember: false };
      join.endsAtMs = nowMs + delayMs;
      return;
    }
    this.#dropAbsent(join, nowMs, out);
    if (this.roster.size > 0 && !this.roster.electLeader()) {
      // Only static members are left and all are away; their sessions say for how long.
      join.endsAtMs = nowMs + this.roster.longestRebalanceTimeoutMs();
      return;
    }
    this.#completeJoin(nowMs, out);
  }

  #dropAbsent(join: JoinPhase, nowMs: number, out: OutcomeDraft): void {
    const cause = `did not join within ${spanText(nowMs - join.startedAtMs)} (rebalance timeout)`;
    for (const member of [...this.roster.members()]) {
      if (member.joinToken !== undefined || member.groupInstanceId !== undefined) continue;
      this.drop(member, 'expired', cause, failureOf('UNKNOWN_MEMBER_ID'), out);
    }
  }

  #completeJoin(nowMs: number, out: OutcomeDraft): void {
    this.#join = undefined;
    this.#generation++;
    if (this.roster.size === 0) {
      this.#protocolName = undefined;
      this.#enter('Empty');
      out.write(classicGroupRecord(this));
      this.note('stable', 'no members are left');
      return;
    }
    this.roster.electLeader();
    this.#protocolName = this.roster.electProtocol();
    invariant(this.#protocolName !== undefined, 'members share a protocol', { groupId: this.groupId });
    this.#enter('CompletingRebalance');
    this.#syncEndsAtMs = nowMs + this.roster.longestRebalanceTimeoutMs();
    this.#due(this.#syncEndsAtMs);
    for (const member of this.roster.members()) {
      member.isNew = false;
      const token = this.roster.takeJoin(member);
      // A static member that is away knows of no generation: its session alone says for how long.
      member.owesSync = token !== undefined;
      if (token !== undefined) out.answer(token, this.joinedAs(member));
      if (token !== undefined) this.seen(member, nowMs);
    }
  }

  /** The current generation as this member is told of it. */
  joinedAs(member: ClassicMember): JoinGroupResponse {
    const isLeader = member.memberId === this.roster.leaderId;
    return {
      generationId: this.#generation,
      protocolType: this.#protocolType,
      protocolName: this.#protocolName,
      leader: this.roster.leaderId ?? '',
      memberId: member.memberId,
      skipAssignment: false,
      members: isLeader ? this.#membersForLeader() : [],
    };
  }

  #membersForLeader(): JoinGroupResponse['members'] {
    return [...this.roster.members()].map((member) => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      metadata: metadataFor(member, this.#protocolName),
    }));
  }

  // ---- time ---------------------------------------------------------------------------------------------------------

  tick(nowMs: number, out: OutcomeDraft): void {
    if (nowMs < this.#dueMs) return;
    this.#expirePending(nowMs, out);
    this.#expireSessions(nowMs, out);
    if (this.#join !== undefined && this.#join.endsAtMs <= nowMs) this.#endJoinPhase(this.#join, nowMs, out);
    if (this.#syncEndsAtMs <= nowMs) this.#endSyncPhase(nowMs, out);
    this.#dueMs = this.#earliestDeadline();
  }

  /** A new coordinator, or one that could not answer for a while, gives everybody a full session. */
  renewSessions(nowMs: number): void {
    for (const member of this.roster.members()) this.seen(member, nowMs);
    for (const [memberId, untilMs] of [...this.roster.pending()])
      this.roster.addPending(
        memberId,
        Math.max(untilMs, nowMs + this.config['group.min.session.timeout.ms']),
      );
    const join = this.#join;
    if (join !== undefined && join.initial === undefined)
      join.endsAtMs = Math.max(join.endsAtMs, nowMs + this.roster.longestRebalanceTimeoutMs());
    if (this.#syncEndsAtMs !== Number.POSITIVE_INFINITY)
      this.#syncEndsAtMs = Math.max(this.#syncEndsAtMs, nowMs + this.roster.longestRebalanceTimeoutMs());
  }

  #expirePending(nowMs: number, out: OutcomeDraft): void {
    const late = [...this.roster.pending()].filter(([, untilMs]) => untilMs <= nowMs);
    for (const [memberId] of late) this.roster.takePending(memberId);
    if (late.length > 0) this.#completeIfAllJoined(nowMs, out);
  }

  #expireSessions(nowMs: number, out: OutcomeDraft): void {
    const late = [...this.roster.members()].filter(({ sessionEndMs }) => sessionEndMs <= nowMs);
    for (const member of late) {
      const cause = member.isNew
        ? 'its first join was never picked up'
        : `missed heartbeats for ${spanText(nowMs - member.lastSeenMs)} (session timeout)`;
      this.drop(member, 'expired', cause, failureOf('UNKNOWN_MEMBER_ID'), out);
    }
    if (late.length > 0) this.continueWithout(`${labelsOf(late)} expired`, nowMs, out);
  }

  #endSyncPhase(nowMs: number, out: OutcomeDraft): void {
    this.#syncEndsAtMs = Number.POSITIVE_INFINITY;
    const late = [...this.roster.members()].filter(({ owesSync }) => owesSync);
    const cause = 'did not ask for its assignment within the rebalance timeout';
    for (const member of late) this.drop(member, 'expired', cause, failureOf('UNKNOWN_MEMBER_ID'), out);
    if (late.length > 0) this.continueWithout(`${labelsOf(late)} expired`, nowMs, out);
  }

  #earliestDeadline(): number {
    let dueMs = Math.min(this.#syncEndsAtMs, this.#join?.endsAtMs ?? Number.POSITIVE_INFINITY);
    for (const { sessionEndMs } of this.roster.members()) dueMs = Math.min(dueMs, sessionEndMs);
    for (const [, untilMs] of this.roster.pending()) dueMs = Math.min(dueMs, untilMs);
    return dueMs;
  }

  #due(atMs: number): void {
    this.#dueMs = Math.min(this.#dueMs, atMs);
  }

  /** While a join waits its member need not be heard of; a new one may have gone without a trace. */
  #holdSession(member: ClassicMember, nowMs: number): void {
    member.sessionEndMs = member.isNew ? nowMs + NEW_MEMBER_WAIT_MS : Number.POSITIVE_INFINITY;
    this.#due(member.sessionEndMs);
  }

  // ---- records and history ----------------------------------------------------------------------------------------

  /** A record from the log. Assignments hold; whoever was in a round has to join again. */
  apply({ value }: ClassicGroupRecord): void {
    if (value === undefined) return;
    this.#generation = value.generation;
    this.#protocolType = value.protocolType === '' ? undefined : value.protocolType;
    this.#protocolName = value.protocol;
    this.#stateAtMs = value.stateAtMs;
    for (const member of [...this.roster.members()]) this.roster.remove(member);
    for (const member of value.members) this.roster.add(loadedMember(member, value.protocol));
    this.roster.leaderId = value.leader;
    this.#state = value.members.length === 0 ? 'Empty' : 'Stable';
  }

  note(kind: GroupEventKind, cause: string, member?: ClassicMember, moved?: Partial<GroupEventNote>): void {
    const { memberId, clientId, groupInstanceId } = member ?? {};
    const who = { memberId, clientId, groupInstanceId };
    this.history.note({ kind, epoch: this.#generation, cause, ...who, ...moved }, this.#wallMs());
  }

  #enter(state: ClassicState): void {
    this.#state = state;
    this.#stateAtMs = this.#wallMs();
  }

  #answerJoin(member: ClassicMember, why: GroupFailure, out: OutcomeDraft): void {
    const token = this.roster.takeJoin(member);
    if (token !== undefined) out.answer(token, joinFailure(member.memberId, why));
  }

  #answerSync(member: ClassicMember, why: GroupFailure, out: OutcomeDraft): void {
    if (member.syncToken !== undefined) out.answer(member.syncToken, syncFailure(why));
    member.syncToken = undefined;
  }
}

/** How people know a member. */
export function labelOf(member: ClassicMember): string {
  return member.groupInstanceId ?? member.memberId;
}

function labelsOf(members: readonly ClassicMember[]): string {
  const [first] = members;
  return members.length === 1 ? labelOf(first!) : `${members.length} members`;
}
