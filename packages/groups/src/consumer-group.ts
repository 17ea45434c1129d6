/**
 * One group of the consumer protocol (KIP-848): heartbeats and the time go in, records and answers come out. It keeps
 * no durable state but what its records say, and never gives a partition to a member before its last owner let go.
 *
 * It relies on two things: that requests of one member are given to it in the order they were sent, and that no
 * answer is let out before the records of its outcome have committed.
 */
import { ClassicMembers } from './classic-members.ts';
import {
  ConsumerGroupBalance,
  type ConsumerGroupOptions,
  type Turn,
  turnAt,
} from './consumer-group-balance.ts';
import { describeConsumerGroup } from './consumer-group-description.ts';
import { memberAssignmentRecord, tombstonesOf } from './consumer-group-records.ts';
import { type ConsumerMember, UNASSIGNED } from './consumer-group-state.ts';
import { nameOf, type Reason, withReason } from './consumer-group-story.ts';
import {
  checkConsumerHeartbeat,
  JOIN_EPOCH,
  LEAVE_EPOCH,
  LEAVE_FOR_A_WHILE_EPOCH,
} from './consumer-heartbeat-check.ts';
import type {
  ConsumerGroupHeartbeatRequest,
  ConsumerGroupHeartbeatResponse,
  DescribedGroup,
  GroupFailure,
  GroupListing,
  GroupStateName,
} from './group-api.ts';
import { type GroupHistoryLog, spanText } from './group-history.ts';
import type { GroupRecord, TopicsView } from './group-record.ts';
import { preferredAssignor } from './group-target.ts';
import { type Admission, admitMember, checkOwned } from './member-admission.ts';
import type { MemberSession } from './member-sessions.ts';
import { isSameSubscription, rebalances, subscriptionOf, subscriptionText } from './member-subscription.ts';
import { listOf, partitionSetOf, sizeOf } from './topic-partitions.ts';

export interface ConsumerHeartbeatOutcome {
  /** Applied already. */
  readonly records: readonly GroupRecord[];
  readonly response: ConsumerGroupHeartbeatResponse;
}

/** A member that waits for a partition asks so many times more often: what it waits for may come free at any moment. */
const WAITING_PACE = 10;

export class ConsumerGroup {
  readonly type = 'consumer';
  readonly groupId: string;
  /** Members that speak the classic protocol in this group. */
  readonly classic: ClassicMembers;
  readonly #balance: ConsumerGroupBalance;

  constructor(groupId: string, options: ConsumerGroupOptions) {
    this.groupId = groupId;
    this.#balance = new ConsumerGroupBalance(groupId, options);
    this.classic = new ClassicMembers(this.#balance);
  }

  get history(): GroupHistoryLog {
    return this.#balance.story.history;
  }

  get isEmpty(): boolean {
    return this.memberCount === 0;
  }

  get memberCount(): number {
    return this.#balance.state.members.size;
  }

  get epoch(): number {
    return this.#balance.state.epoch;
  }

  isSubscribedTo(topic: string): boolean {
    const { counts, patterns } = this.#balance.state;
    if (counts.names.has(topic)) return true;
    for (const pattern of counts.patterns.keys()) {
      if (patterns.get(pattern)?.topics.includes(topic)) return true;
    }
    return false;
  }

  // ---- life ---------------------------------------------------------------------------------------------------------

  /** A replayed record. Records of this group's own outcomes are applied when they are made. */
  apply(record: GroupRecord): void {
    this.#balance.state.apply(record);
  }

  /** All records have been replayed: every member gets a full session. */
  loaded(nowMs: number): void {
    const { state, story } = this.#balance;
    state.dropStrays();
    this.#balance.hearAll(nowMs);
    story.group('loaded', state.epoch, 'a new coordinator read the group from the log');
  }

  /** Heartbeats could not be answered for a while: every member gets a full session. */
  resumed(nowMs: number): void {
    this.#balance.hearAll(nowMs);
  }

  nextTickMs(): number {
    return this.#balance.sessions.nextMs;
  }

  /** Members that were silent, or did not do what they were told to, for too long are members no more. */
  tick(nowMs: number, topics: TopicsView): readonly GroupRecord[] {
    const turn = turnAt(nowMs, topics);
    for (const memberId of this.#balance.sessions.due(nowMs)) {
      const member = this.#balance.state.members.get(memberId);
      if (member !== undefined) this.#balance.remove(member, this.#whyExpired(member, nowMs), turn);
    }
    this.#balance.rebalance(turn);
    return turn.records;
  }

  /** New topics, or topics with more partitions or none, may concern the group. */
  topicsChanged(topics: TopicsView, nowMs: number): readonly GroupRecord[] {
    const turn = turnAt(nowMs, topics);
    this.#balance.lookAtTopics(turn);
    this.#balance.rebalance(turn);
    return turn.records;
  }

  /** Records that remove all the others. Only for a group without members. */
  tombstones(): readonly GroupRecord[] {
    return tombstonesOf(this.#balance.state);
  }

  // ---- heartbeats -----------------------------------------------------------------------------------------------------

  heartbeat(
    request: ConsumerGroupHeartbeatRequest,
    nowMs: number,
    topics: TopicsView,
  ): ConsumerHeartbeatOutcome {
    const { state, config } = this.#balance;
    const turn = turnAt(nowMs, topics);
    const malformed = checkConsumerHeartbeat(request, config) ?? this.#checkPattern(request);
    const admission = malformed ?? admitMember(state, request, config['group.consumer.max.size']);
    const refusal = 'code' in admission ? admission : checkOwned(admission, request, topics);
    if (refusal?.code === 'UNRELEASED_INSTANCE_ID') this.#noteContest(request, nowMs);
    if ('code' in admission || refusal !== undefined)
      return { records: [], response: refusedAs(request, refusal) };
    this.#balance.lookAtTopics(turn);
    if (request.memberEpoch < 0) this.#leave(admission, request, turn);
    else this.#welcome(admission, request, turn);
    this.#balance.rebalance(turn);
    const response = request.memberEpoch < 0 ? farewell(request) : this.#reconcile(request, turn);
    return { records: turn.records, response };
  }

  #checkPattern({ subscribedTopicRegex }: ConsumerGroupHeartbeatRequest): GroupFailure | undefined {
    if (!subscribedTopicRegex) return undefined;
    const problem = this.#balance.patterns.problemOf(subscribedTopicRegex);
    return problem === undefined ? undefined : { code: 'INVALID_REGULAR_EXPRESSION', message: problem };
  }

  /** Once for each member that stands in the way, however often and by however many it is asked. */
  #noteContest(request: ConsumerGroupHeartbeatRequest, nowMs: number): void {
    const { state, story, sessions } = this.#balance;
    const { memberId, clientId, groupInstanceId } = request;
    const holder = state.memberOfInstance(groupInstanceId!)!;
    const session = sessions.get(holder.memberId);
    if (session === undefined || session.isContested) return;
    session.isContested = true;
    const silence = spanText(nowMs - session.lastHeardMs);
    const cause = `instance ${groupInstanceId} is member ${holder.memberId}, last heard ${silence} ago; it has to leave or expire first`;
    story.refused({ kind: 'refused', epoch: state.epoch, cause, memberId, clientId, groupInstanceId });
  }

  #welcome(admission: Admission, request: ConsumerGroupHeartbeatRequest, turn: Turn): void {
    const { groupId } = this;
    const { memberId, reason } = request;
    const { state, story } = this.#balance;
    const isJoin = request.memberEpoch === JOIN_EPOCH;
    const before = (admission.replaces ?? admission.member)?.subscription;
    const value = subscriptionOf(request, before);
    if (state.epoch === 0) story.group('created', 0, 'the first member joined');
    const record = { kind: 'member-subscription', groupId, memberId, value } as const;
    if (admission.replaces !== undefined) this.#balance.replace(admission.replaces, memberId, record, turn);
    else if (before === undefined || !isSameSubscription(before, value)) this.#balance.write(turn, record);
    const session = this.#balance.hear(memberId, turn.nowMs);
    session.slowness = reason;
    if (isJoin) {
      session.isTold = false;
      const how = this.#howJoined(admission, request, turn);
      story.member(memberId, value, {
        kind: how.kind,
        cause: withReason(how.cause, reason),
        epoch: state.epoch,
      });
    }
    if (before === undefined) turn.causes.push(`${nameOf(memberId, value)} joined`);
    else if (rebalances(before, value)) {
      turn.causes.push(`${nameOf(memberId, value)} changed its subscription`);
      if (!isJoin) story.subscribed(memberId, value, state.epoch);
    }
  }

  #howJoined(
    { member, replaces }: Admission,
    { memberId }: ConsumerGroupHeartbeatRequest,
    turn: Turn,
  ): Reason {
    const { sessions, state } = this.#balance;
    if (replaces !== undefined) {
      const awayMs = turn.nowMs - (sessions.get(replaces.memberId)?.lastHeardMs ?? turn.nowMs);
      sessions.delete(replaces.memberId);
      const cause = `takes the place of ${replaces.memberId}, away for ${spanText(awayMs)}`;
      return { kind: 'replaced', cause };
    }
    if (member !== undefined) {
      return { kind: 'rejoined', cause: 'began anew with epoch 0, as after being fenced or a lost answer' };
    }
    return { kind: 'joined', cause: subscriptionText(state.members.get(memberId)!.subscription!) };
  }

  #reconcile(request: ConsumerGroupHeartbeatRequest, turn: Turn): ConsumerGroupHeartbeatResponse {
    const { memberId, memberEpoch, rebalanceTimeoutMs, topicPartitions } = request;
    const owned = topicPartitions === undefined ? undefined : partitionSetOf(topicPartitions);
    const member = this.#balance.reconcile(memberId, owned, turn);
    // Who says everything has missed an answer, and does not know what that one told.
    const isWhole = rebalanceTimeoutMs !== undefined && owned !== undefined;
    const { isTold } = this.#balance.sessions.get(memberId)!;
    const mustTell = memberEpoch === JOIN_EPOCH || isWhole || !isTold;
    const intervalMs = this.#balance.config['group.consumer.heartbeat.interval.ms'];
    const waits = member.state === 'UNRELEASED_PARTITIONS';
    return {
      memberId,
      memberEpoch: member.memberEpoch,
      heartbeatIntervalMs: waits ? Math.ceil(intervalMs / WAITING_PACE) : intervalMs,
      sessionTimeoutMs: this.#balance.config['group.consumer.session.timeout.ms'],
      assignment: mustTell ? listOf(member.assigned) : undefined,
    };
  }

  // ---- leaving --------------------------------------------------------------------------------------------------------

  #leave({ member }: Admission, request: ConsumerGroupHeartbeatRequest, turn: Turn): void {
    const { memberId, subscription, assignment } = member!;
    if (request.memberEpoch === LEAVE_EPOCH) {
      this.#balance.remove(member!, { kind: 'left', cause: withReason('left', request.reason) }, turn);
      return;
    }
    const { state, story, config } = this.#balance;
    const away = { ...UNASSIGNED, memberEpoch: LEAVE_FOR_A_WHILE_EPOCH, assigned: assignment.assigned };
    this.#balance.write(turn, memberAssignmentRecord(this.groupId, memberId, away));
    story.released(memberId, assignment, away, turn.nowMs);
    this.#balance.hear(memberId, turn.nowMs);
    this.#balance.sessions.acquit(memberId);
    const span = spanText(config['group.consumer.session.timeout.ms']);
    const cause = withReason(`left for a while; its partitions wait ${span} for it`, request.reason);
    story.member(memberId, subscription, { kind: 'left', epoch: state.epoch, cause });
    this.#balance.settle(memberId, turn.nowMs);
  }

  #whyExpired(member: ConsumerMember, nowMs: number): Reason {
    const session = this.#balance.sessions.get(member.memberId)!;
    const { kind, cause } =
      session.expiresAtMs > nowMs ? whyFenced(member, session) : this.#whySilent(member, session, nowMs);
    const slow = session.slowness === '' ? '' : `; it last said: ${session.slowness}`;
    return { kind, cause: `${cause}${slow}` };
  }

  #whySilent(
    { assignment, subscription }: ConsumerMember,
    { lastHeardMs }: MemberSession,
    nowMs: number,
  ): Reason {
    const silence = spanText(nowMs - lastHeardMs);
    if (assignment.memberEpoch === LEAVE_FOR_A_WHILE_EPOCH) {
      return { kind: 'expired', cause: `did not return within ${silence}` };
    }
    if (subscription?.classic !== undefined) {
      return { kind: 'expired', cause: `sent no heartbeat for ${silence} (session timeout)` };
    }
    const missed = Math.floor(
      (nowMs - lastHeardMs) / this.#balance.config['group.consumer.heartbeat.interval.ms'],
    );
    return {
      kind: 'expired',
      cause: `missed ${missed} heartbeats in ${silence} of silence (session timeout)`,
    };
  }

  // ---- questions ------------------------------------------------------------------------------------------------------

  /** Whether this member may commit at this epoch, or generation of a classic member (rule P27). */
  checkCommit(
    memberId: string,
    groupInstanceId: string | undefined,
    epoch: number,
  ): GroupFailure | undefined {
    if (epoch < 0 && memberId === '' && this.isEmpty) return undefined;
    const holder =
      groupInstanceId === undefined ? undefined : this.#balance.state.memberOfInstance(groupInstanceId);
    if (holder !== undefined && holder.memberId !== memberId) {
      const message = `instance ${groupInstanceId} is member ${holder.memberId} now`;
      return { code: 'FENCED_INSTANCE_ID', message };
    }
    return this.#checkEpoch(memberId, epoch);
  }

  /** Whether this member may read its committed offsets at this epoch; anybody may look without being a member. */
  checkFetch(memberId: string, epoch: number): GroupFailure | undefined {
    return memberId === '' && epoch < 0 ? undefined : this.#checkEpoch(memberId, epoch);
  }

  #checkEpoch(memberId: string, epoch: number): GroupFailure | undefined {
    const member = this.#balance.state.members.get(memberId);
    if (member === undefined) {
      return { code: 'UNKNOWN_MEMBER_ID', message: `group ${this.groupId} has no member "${memberId}"` };
    }
    const { memberEpoch } = member.assignment;
    if (memberEpoch === epoch) return undefined;
    const code = member.subscription?.classic === undefined ? 'STALE_MEMBER_EPOCH' : 'ILLEGAL_GENERATION';
    return { code, message: `member epoch is ${memberEpoch}, not ${epoch}` };
  }

  describe(topics: TopicsView): DescribedGroup {
    const { state, config } = this.#balance;
    const assignor = preferredAssignor(state, config['group.consumer.assignors']);
    return describeConsumerGroup(state, this.#stateName(), assignor, topics);
  }

  listing(): GroupListing {
    return { groupId: this.groupId, type: 'consumer', protocolType: 'consumer', state: this.#stateName() };
  }

  #stateName(): GroupStateName {
    const { state, isSettled } = this.#balance;
    if (this.isEmpty) return 'Empty';
    if (state.assignmentEpoch < state.epoch) return 'Assigning';
    return isSettled ? 'Stable' : 'Reconciling';
  }
}

const DUTY_TEXT = {
  revoke: 'give up its partitions',
  join: 'join again',
  sync: 'ask for its assignment',
} as const;

function whyFenced({ assignment, subscription }: ConsumerMember, { duty }: MemberSession): Reason {
  const span = spanText(subscription?.rebalanceTimeoutMs ?? 0);
  const count = sizeOf(assignment.pendingRevocation);
  const omitted = duty === 'revoke' ? `give up ${count} partitions` : DUTY_TEXT[duty ?? 'revoke'];
  return { kind: 'fenced', cause: `did not ${omitted} within ${span} (rebalance timeout)` };
}

function refusedAs(
  { memberId, memberEpoch }: ConsumerGroupHeartbeatRequest,
  failure: GroupFailure | undefined,
): ConsumerGroupHeartbeatResponse {
  return { failure, memberId, memberEpoch, heartbeatIntervalMs: 0, assignment: undefined };
}

function farewell({ memberId, memberEpoch }: ConsumerGroupHeartbeatRequest): ConsumerGroupHeartbeatResponse {
  return { memberId, memberEpoch, heartbeatIntervalMs: 0, assignment: undefined };
}
