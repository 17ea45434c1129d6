/**
 * One group of the consumer protocol (KIP-848): heartbeats and the time go in, records and answers come out. It keeps
 * no durable state but what its records say, and never gives a partition to a member before its last owner let go.
 *
 * It relies on two things: that heartbeats of one member are given to it in the order they were sent, and that no
 * answer is let out before the records of its outcome have committed.
 */

import { describeConsumerGroup } from './consumer-group-description.ts';
import { memberAssignmentRecord, removalRecords, tombstonesOf } from './consumer-group-records.ts';
import {
  ConsumerGroupState,
  type ConsumerMember,
  type MemberSubscription,
  UNASSIGNED,
} from './consumer-group-state.ts';
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
import type { GroupConfig } from './group-config.ts';
import { type GroupEventNote, GroupHistoryLog, spanText } from './group-history.ts';
import type { GroupRecord, TopicsView } from './group-record.ts';
import { changedTargets, preferredAssignor, subscribedNames } from './group-target.ts';
import { type Admission, admitMember, checkOwned } from './member-admission.ts';
import { type MemberAssignment, reconcile } from './member-reconciliation.ts';
import { type MemberSession, MemberSessions } from './member-sessions.ts';
import { isSameSubscription, rebalances, subscriptionOf, subscriptionText } from './member-subscription.ts';
import { describedSet, PartitionMoves } from './partition-moves.ts';
import { SubscriptionPatterns } from './subscription-patterns.ts';
import { difference, listOf, partitionSetOf, sameSet, sizeOf, union } from './topic-partitions.ts';
import { topicsHash } from './topics-hash.ts';

export interface ConsumerGroupOptions {
  readonly config: GroupConfig;
  /** Milliseconds since the Unix epoch, for history and records. All other times never jump. */
  readonly wallMs: () => number;
}

export interface ConsumerHeartbeatOutcome {
  /** Applied already. */
  readonly records: readonly GroupRecord[];
  readonly response: ConsumerGroupHeartbeatResponse;
}

/** One call's work: what it has written, and why the group must be balanced anew, if it must. */
interface Turn {
  readonly nowMs: number;
  readonly topics: TopicsView;
  readonly records: GroupRecord[];
  readonly causes: string[];
}

/** A member that waits for a partition asks so many times more often: what it waits for may come free at any moment. */
const WAITING_PACE = 10;

export class ConsumerGroup {
  readonly groupId: string;
  readonly history: GroupHistoryLog;
  readonly #config: GroupConfig;
  readonly #wallMs: () => number;
  readonly #state: ConsumerGroupState;
  readonly #sessions = new MemberSessions();
  readonly #moves = new PartitionMoves();
  readonly #patterns = new SubscriptionPatterns();
  /** Members that do not hold all that is meant for them yet, or have not heard of the newest epoch. */
  readonly #unsettled = new Set<string>();
  #unsettledSinceMs = 0;
  /** Of the topics that were last looked at; -1: none yet. */
  #topicsVersion = -1;
  #topicsSeenMs = Number.NEGATIVE_INFINITY;
  /** Partition counts as last looked at, of topics subscribed to. */
  #knownTopics = new Map<string, number>();

  constructor(groupId: string, { config, wallMs }: ConsumerGroupOptions) {
    this.groupId = groupId;
    this.#config = config;
    this.#wallMs = wallMs;
    this.#state = new ConsumerGroupState(groupId);
    this.history = new GroupHistoryLog(config['group.history.max.events']);
  }

  get isEmpty(): boolean {
    return this.memberCount === 0;
  }

  get epoch(): number {
    return this.#state.epoch;
  }

  get memberCount(): number {
    return this.#state.members.size;
  }

  isSubscribedTo(topic: string): boolean {
    const { counts, patterns } = this.#state;
    if (counts.names.has(topic)) return true;
    for (const pattern of counts.patterns.keys())
      if (patterns.get(pattern)?.topics.includes(topic)) return true;
    return false;
  }

  // ---- life ---------------------------------------------------------------------------------------------------------

  /** A replayed record. Records of this group's own outcomes are applied when they are made. */
  apply(record: GroupRecord): void {
    this.#state.apply(record);
  }

  /** All records have been replayed: every member gets a full session. */
  loaded(nowMs: number): void {
    this.#state.dropStrays();
    for (const { memberId, assignment } of this.#state.members.values()) {
      const session = this.#hear(memberId, nowMs);
      if (assignment.state === 'UNREVOKED_PARTITIONS') this.#awaitRevocation(memberId, session, nowMs);
      this.#judge(memberId);
    }
    this.#unsettledSinceMs = nowMs;
    this.#note({
      kind: 'loaded',
      epoch: this.#state.epoch,
      cause: 'a new coordinator read the group from the log',
    });
  }

  /** Heartbeats could not be answered for a while: every member gets a full session. */
  resumed(nowMs: number): void {
    for (const { memberId, assignment } of this.#state.members.values()) {
      const session = this.#hear(memberId, nowMs);
      if (assignment.state === 'UNREVOKED_PARTITIONS') this.#awaitRevocation(memberId, session, nowMs);
    }
  }

  nextTickMs(): number {
    return this.#sessions.nextMs;
  }

  /** Members that were silent, or did not give up their partitions, for too long are members no more. */
  tick(nowMs: number, topics: TopicsView): readonly GroupRecord[] {
    const turn = turnAt(nowMs, topics);
    for (const memberId of this.#sessions.due(nowMs)) {
      const member = this.#state.members.get(memberId);
      if (member !== undefined) this.#expire(member, turn);
    }
    this.#rebalance(turn);
    return turn.records;
  }

  /** New topics, or topics with more partitions or none, may concern the group. */
  topicsChanged(topics: TopicsView, nowMs: number): readonly GroupRecord[] {
    const turn = turnAt(nowMs, topics);
    this.#lookAtTopics(turn);
    this.#rebalance(turn);
    return turn.records;
  }

  /** Records that remove all the others. Only for a group without members. */
  tombstones(): readonly GroupRecord[] {
    return tombstonesOf(this.#state);
  }

  // ---- heartbeats -----------------------------------------------------------------------------------------------------

  heartbeat(
    request: ConsumerGroupHeartbeatRequest,
    nowMs: number,
    topics: TopicsView,
  ): ConsumerHeartbeatOutcome {
    const refusal = checkConsumerHeartbeat(request, this.#config) ?? this.#checkPattern(request);
    if (refusal !== undefined) return { records: [], response: this.#refused(request, refusal) };
    const turn = turnAt(nowMs, topics);
    const admission = admitMember(this.#state, request, this.#config['group.consumer.max.size']);
    if ('code' in admission) return { records: [], response: this.#refused(request, admission) };
    const strange = checkOwned(admission, request, topics);
    if (strange !== undefined) return { records: [], response: this.#refused(request, strange) };
    this.#lookAtTopics(turn);
    if (request.memberEpoch < 0) this.#leave(admission, request, turn);
    else this.#welcome(admission, request, turn);
    this.#rebalance(turn);
    const response = request.memberEpoch < 0 ? this.#farewell(request) : this.#reconcile(request, turn);
    return { records: turn.records, response };
  }

  #checkPattern({ subscribedTopicRegex }: ConsumerGroupHeartbeatRequest): GroupFailure | undefined {
    if (!subscribedTopicRegex) return undefined;
    const problem = this.#patterns.problemOf(subscribedTopicRegex);
    return problem === undefined ? undefined : { code: 'INVALID_REGULAR_EXPRESSION', message: problem };
  }

  #welcome(admission: Admission, request: ConsumerGroupHeartbeatRequest, turn: Turn): void {
    const { memberId } = request;
    const isJoin = request.memberEpoch === JOIN_EPOCH;
    const replaced = admission.replaces;
    const before = (replaced ?? admission.member)?.subscription;
    const next = subscriptionOf(request, before);
    if (this.#state.epoch === 0) this.#note({ kind: 'created', epoch: 0, cause: 'the first member joined' });
    if (replaced !== undefined) this.#replace(replaced, memberId, next, turn);
    else if (before === undefined || !isSameSubscription(before, next)) {
      this.#write(turn, { kind: 'member-subscription', groupId: this.groupId, memberId, value: next });
    }
    const session = this.#hear(memberId, turn.nowMs);
    if (request.reason !== '') session.slowness = request.reason;
    if (isJoin) {
      session.isTold = false;
      this.#noteJoin(admission, request, turn);
    }
    const name = nameOf(memberId, next);
    if (before === undefined) turn.causes.push(`${name} joined`);
    else if (rebalances(before, next)) {
      turn.causes.push(`${name} changed its subscription`);
      if (!isJoin) {
        this.#noteOf(memberId, next, {
          kind: 'subscription-changed',
          epoch: this.#state.epoch,
          cause: subscriptionText(next),
        });
      }
    }
  }

  #noteJoin(
    { member, replaces }: Admission,
    { memberId, reason }: ConsumerGroupHeartbeatRequest,
    turn: Turn,
  ): void {
    const { subscription } = this.#state.members.get(memberId)!;
    const silentMs = turn.nowMs - (this.#sessions.get(replaces?.memberId ?? '')?.lastHeardMs ?? turn.nowMs);
    const why = reason === '' ? '' : `: ${reason}`;
    const event =
      replaces !== undefined
        ? ({
            kind: 'replaced',
            cause: `takes the place of ${replaces.memberId}, away for ${spanText(silentMs)}${why}`,
          } as const)
        : member !== undefined
          ? ({
              kind: 'rejoined',
              cause: `began anew with epoch 0, as after being fenced or a lost answer${why}`,
            } as const)
          : ({ kind: 'joined', cause: `${subscriptionText(subscription!)}${why}` } as const);
    this.#noteOf(memberId, subscription, { ...event, epoch: this.#state.epoch });
    if (replaces !== undefined) this.#sessions.delete(replaces.memberId);
  }

  /** The returned static member takes over target and partitions, so that nothing moves. */
  #replace(old: ConsumerMember, memberId: string, subscription: MemberSubscription, turn: Turn): void {
    const { groupId } = this;
    const target = this.#state.targetOf(old.memberId);
    const assignment: MemberAssignment = { ...UNASSIGNED, assigned: old.assignment.assigned };
    for (const record of removalRecords(groupId, old.memberId)) this.#write(turn, record);
    this.#write(turn, { kind: 'member-subscription', groupId, memberId, value: subscription });
    this.#write(turn, {
      kind: 'target-assignment',
      groupId,
      memberId,
      value: { partitions: listOf(target) },
    });
    this.#write(turn, memberAssignmentRecord(groupId, memberId, assignment));
    this.#unsettled.delete(old.memberId);
    this.#judge(memberId);
  }

  #reconcile(request: ConsumerGroupHeartbeatRequest, turn: Turn): ConsumerGroupHeartbeatResponse {
    const { memberId } = request;
    const { assignment: before } = this.#state.members.get(memberId)!;
    const owned = request.topicPartitions === undefined ? undefined : partitionSetOf(request.topicPartitions);
    const after = reconcile(before, {
      targetEpoch: this.#state.assignmentEpoch,
      target: this.#state.targetOf(memberId),
      owned,
      isFree: (topicId, partition) => {
        const owner = this.#state.ownerOf(topicId, partition);
        return owner === undefined || owner === memberId;
      },
    });
    const session = this.#sessions.get(memberId)!;
    if (after !== before) {
      this.#write(turn, memberAssignmentRecord(this.groupId, memberId, after));
      if (!sameSet(before.assigned, after.assigned)) session.isTold = false;
      this.#follow(memberId, before, after, session, turn);
    }
    if (owned !== undefined) session.isTold = sameSet(owned, after.assigned);
    const mustTell = request.memberEpoch === JOIN_EPOCH || !session.isTold;
    const intervalMs = this.#config['group.consumer.heartbeat.interval.ms'];
    return {
      memberId,
      memberEpoch: after.memberEpoch,
      heartbeatIntervalMs:
        after.state === 'UNRELEASED_PARTITIONS' ? Math.ceil(intervalMs / WAITING_PACE) : intervalMs,
      assignment: mustTell ? listOf(after.assigned) : undefined,
    };
  }

  /** Deadlines and history of one step of a member towards its target. */
  #follow(
    memberId: string,
    before: MemberAssignment,
    after: MemberAssignment,
    session: MemberSession,
    turn: Turn,
  ): void {
    const { nowMs, topics } = turn;
    const { subscription } = this.#state.members.get(memberId)!;
    const { memberEpoch: epoch } = after;
    const held = union(after.assigned, after.pendingRevocation);
    this.#moves.released(difference(union(before.assigned, before.pendingRevocation), held), memberId, nowMs);
    if (after.state === 'UNREVOKED_PARTITIONS') {
      this.#awaitRevocation(memberId, session, nowMs);
      const cause = `has ${spanText(session.revokeUntilMs - nowMs)} to give up what epoch ${this.#state.assignmentEpoch} means for others`;
      const lost = describedSet(after.pendingRevocation, topics);
      this.#noteOf(memberId, subscription, { kind: 'revoking', epoch, cause, lost });
    } else session.revokeUntilMs = Number.POSITIVE_INFINITY;
    const gained = difference(after.assigned, before.assigned);
    if (gained.size > 0) {
      const withoutMs = nowMs - (session.waitingSinceMs ?? nowMs);
      this.history.waited(memberId, subscription?.clientId ?? '', withoutMs);
      const cause = this.#moves.taken(gained, nowMs);
      this.#noteOf(memberId, subscription, {
        kind: 'assigned',
        epoch,
        cause,
        gained: describedSet(gained, topics),
        withoutMs,
      });
    }
    if (after.state === 'STABLE') session.waitingSinceMs = undefined;
    if (this.#unsettled.size === 0) return;
    this.#judge(memberId);
    this.#noteStable(nowMs);
  }

  // ---- leaving --------------------------------------------------------------------------------------------------------

  #leave({ member }: Admission, request: ConsumerGroupHeartbeatRequest, turn: Turn): void {
    const { memberId, subscription, assignment } = member!;
    if (request.memberEpoch === LEAVE_EPOCH) {
      const cause = request.reason === '' ? 'left' : `left: ${request.reason}`;
      this.#remove(member!, { kind: 'left', cause }, turn);
      return;
    }
    const away = { ...UNASSIGNED, memberEpoch: LEAVE_FOR_A_WHILE_EPOCH, assigned: assignment.assigned };
    this.#write(turn, memberAssignmentRecord(this.groupId, memberId, away));
    this.#moves.released(assignment.pendingRevocation, memberId, turn.nowMs);
    this.#hear(memberId, turn.nowMs).revokeUntilMs = Number.POSITIVE_INFINITY;
    const span = spanText(this.#config['group.consumer.session.timeout.ms']);
    const why = request.reason === '' ? '' : `: ${request.reason}`;
    const cause = `left for a while; its partitions wait ${span} for it${why}`;
    this.#noteOf(memberId, subscription, { kind: 'left', epoch: this.#state.epoch, cause });
    this.#unsettled.delete(memberId);
    this.#noteStable(turn.nowMs);
  }

  #farewell({ memberId, memberEpoch }: ConsumerGroupHeartbeatRequest): ConsumerGroupHeartbeatResponse {
    return { memberId, memberEpoch, heartbeatIntervalMs: 0, assignment: undefined };
  }

  #expire(member: ConsumerMember, turn: Turn): void {
    const session = this.#sessions.get(member.memberId)!;
    const slow = session.slowness === '' ? '' : `; it last said: ${session.slowness}`;
    const { kind, cause } = this.#whyExpired(member, session, turn.nowMs);
    this.#remove(member, { kind, cause: `${cause}${slow}` }, turn);
  }

  #whyExpired(
    { assignment, subscription }: ConsumerMember,
    { expiresAtMs, lastHeardMs }: MemberSession,
    nowMs: number,
  ): Pick<GroupEventNote, 'kind' | 'cause'> {
    if (expiresAtMs > nowMs) {
      const span = spanText(subscription?.rebalanceTimeoutMs ?? 0);
      const count = sizeOf(assignment.pendingRevocation);
      return {
        kind: 'fenced',
        cause: `did not give up ${count} partitions within ${span} (rebalance timeout)`,
      };
    }
    const silence = spanText(nowMs - lastHeardMs);
    if (assignment.memberEpoch === LEAVE_FOR_A_WHILE_EPOCH) {
      return { kind: 'expired', cause: `did not return within ${silence}` };
    }
    const missed = Math.floor((nowMs - lastHeardMs) / this.#config['group.consumer.heartbeat.interval.ms']);
    return {
      kind: 'expired',
      cause: `missed ${missed} heartbeats in ${silence} of silence (session timeout)`,
    };
  }

  #remove(member: ConsumerMember, event: Pick<GroupEventNote, 'kind' | 'cause'>, turn: Turn): void {
    const { memberId, subscription, assignment } = member;
    const held = union(assignment.assigned, assignment.pendingRevocation);
    for (const record of removalRecords(this.groupId, memberId)) this.#write(turn, record);
    this.#moves.released(held, memberId, turn.nowMs);
    this.#sessions.delete(memberId);
    this.#unsettled.delete(memberId);
    const lost = describedSet(held, turn.topics);
    this.#noteOf(memberId, subscription, { ...event, epoch: this.#state.epoch, lost });
    this.history.memberGone(memberId);
    turn.causes.push(`${nameOf(memberId, subscription)} ${event.cause}`);
  }

  // ---- topics and targets ---------------------------------------------------------------------------------------------

  /** Whether topics that are subscribed to changed since they were last looked at; cheap where nothing did. */
  #lookAtTopics(turn: Turn): void {
    const { nowMs, topics } = turn;
    const { counts, metadataHash, epoch } = this.#state;
    const isFirst = this.#topicsVersion === -1;
    const refreshMs = this.#config['group.consumer.regex.refresh.interval.ms'];
    if (topics.version === this.#topicsVersion && nowMs - this.#topicsSeenMs < refreshMs) return;
    this.#topicsVersion = topics.version;
    this.#topicsSeenMs = nowMs;
    this.#moves.forgetTopics((topicId) => topics.byId(topicId) !== undefined);
    for (const pattern of counts.patterns.keys()) this.#resolve(pattern, turn);
    if (this.isEmpty || this.#hash(topics) === metadataHash) return;
    const cause = isFirst ? 'topics changed while no coordinator watched' : this.#topicChanges(topics);
    turn.causes.push(cause);
    this.#note({ kind: 'topics-changed', epoch, cause });
  }

  /** Resolves patterns that are new and forgets those that nobody uses any more. */
  #keepPatterns(turn: Turn): void {
    const { counts, patterns } = this.#state;
    for (const pattern of counts.patterns.keys()) if (!patterns.has(pattern)) this.#resolve(pattern, turn);
    for (const pattern of patterns.keys()) {
      if (counts.patterns.has(pattern)) continue;
      this.#write(turn, { kind: 'resolved-pattern', groupId: this.groupId, pattern, value: undefined });
    }
    this.#patterns.keepOnly((pattern) => counts.patterns.has(pattern));
  }

  #resolve(pattern: string, turn: Turn): void {
    const names = this.#patterns.resolve(pattern, turn.topics);
    const known = this.#state.patterns.get(pattern)?.topics;
    if (known !== undefined && known.length === names.length && known.every((name, at) => name === names[at]))
      return;
    const value = { topics: names, version: turn.topics.version, resolvedAtMs: this.#wallMs() };
    this.#write(turn, { kind: 'resolved-pattern', groupId: this.groupId, pattern, value });
  }

  #hash(topics: TopicsView): bigint {
    return topicsHash(subscribedNames(this.#state), topics, this.#state.counts.racks.size > 0);
  }

  #topicChanges(topics: TopicsView): string {
    const changes: string[] = [];
    const names = subscribedNames(this.#state);
    for (const name of new Set([...names, ...this.#knownTopics.keys()])) {
      const before = this.#knownTopics.get(name);
      const after = topics.byName(name)?.partitionCount;
      if (before !== after)
        changes.push(
          `${name} has ${after ?? 'no'} partitions${before === undefined ? '' : `, ${before} before`}`,
        );
    }
    return changes.length === 0 ? 'topics were made anew or their replicas moved' : changes.join('; ');
  }

  /** Begins a new epoch where there is a cause for one, and computes what it means for whom. */
  #rebalance(turn: Turn): void {
    const { topics, nowMs, causes } = turn;
    const { groupId } = this;
    const state = this.#state;
    if (causes.length > 0) {
      this.#keepPatterns(turn);
      const value = { epoch: state.epoch + 1, metadataHash: this.#hash(topics) };
      this.#write(turn, { kind: 'consumer-group-epoch', groupId, value });
      this.#knownTopics = new Map();
      for (const name of subscribedNames(state)) {
        const count = topics.byName(name)?.partitionCount;
        if (count !== undefined) this.#knownTopics.set(name, count);
      }
    }
    if (state.assignmentEpoch === state.epoch) return;
    const assignor = preferredAssignor(state, this.#config['group.consumer.assignors']);
    const changed = changedTargets(state, topics, assignor);
    let moved = 0;
    for (const [memberId, target] of changed) {
      const gained = difference(target, state.targetOf(memberId));
      moved += sizeOf(gained);
      const session = this.#sessions.get(memberId);
      if (gained.size > 0 && session !== undefined) session.waitingSinceMs ??= nowMs;
      this.#write(turn, {
        kind: 'target-assignment',
        groupId,
        memberId,
        value: { partitions: listOf(target) },
      });
    }
    this.#write(turn, { kind: 'target-epoch', groupId, value: { assignmentEpoch: state.epoch } });
    if (this.#unsettled.size === 0) this.#unsettledSinceMs = nowMs;
    for (const memberId of state.members.keys()) this.#judge(memberId);
    if (state.members.size === 0) return;
    const cause = `${causes.join('; ') || 'the target was older than the group'}: ${moved} partitions find another member (${assignor})`;
    this.#note({ kind: 'rebalance-started', epoch: state.epoch, cause });
  }

  // ---- questions --------------------------------------------------------------------------------------------------------

  /** Whether this member may commit at this epoch (rule P27). */
  checkCommit(
    memberId: string,
    groupInstanceId: string | undefined,
    epoch: number,
  ): GroupFailure | undefined {
    if (epoch < 0 && memberId === '' && this.isEmpty) return undefined;
    if (groupInstanceId !== undefined) {
      const holder = this.#state.memberOfInstance(groupInstanceId);
      if (holder !== undefined && holder.memberId !== memberId) {
        return {
          code: 'FENCED_INSTANCE_ID',
          message: `instance ${groupInstanceId} is member ${holder.memberId} now`,
        };
      }
    }
    return this.#checkEpoch(memberId, epoch);
  }

  /** Whether this member may read its committed offsets at this epoch; anybody may look without being a member. */
  checkFetch(memberId: string, epoch: number): GroupFailure | undefined {
    return memberId === '' && epoch < 0 ? undefined : this.#checkEpoch(memberId, epoch);
  }

  #checkEpoch(memberId: string, epoch: number): GroupFailure | undefined {
    const member = this.#state.members.get(memberId);
    if (member === undefined)
      return { code: 'UNKNOWN_MEMBER_ID', message: `group ${this.groupId} has no member "${memberId}"` };
    const { memberEpoch } = member.assignment;
    if (memberEpoch === epoch) return undefined;
    return { code: 'STALE_MEMBER_EPOCH', message: `member epoch is ${memberEpoch}, not ${epoch}` };
  }

  describe(topics: TopicsView): DescribedGroup {
    const assignor = preferredAssignor(this.#state, this.#config['group.consumer.assignors']);
    return describeConsumerGroup(this.#state, this.#stateName(), assignor, topics);
  }

  listing(): GroupListing {
    return { groupId: this.groupId, type: 'consumer', protocolType: 'consumer', state: this.#stateName() };
  }

  #stateName(): GroupStateName {
    if (this.isEmpty) return 'Empty';
    if (this.#state.assignmentEpoch < this.#state.epoch) return 'Assigning';
    return this.#unsettled.size > 0 ? 'Reconciling' : 'Stable';
  }

  // ---- small parts --------------------------------------------------------------------------------------------------------

  #write(turn: Turn, record: GroupRecord): void {
    this.#state.apply(record);
    turn.records.push(record);
  }

  #refused(
    { memberId, memberEpoch }: ConsumerGroupHeartbeatRequest,
    failure: GroupFailure,
  ): ConsumerGroupHeartbeatResponse {
    return { failure, memberId, memberEpoch, heartbeatIntervalMs: 0, assignment: undefined };
  }

  #hear(memberId: string, nowMs: number): MemberSession {
    return this.#sessions.heard(memberId, nowMs, this.#config['group.consumer.session.timeout.ms']);
  }

  #awaitRevocation(memberId: string, session: MemberSession, nowMs: number): void {
    const rebalanceTimeoutMs = this.#state.members.get(memberId)?.subscription?.rebalanceTimeoutMs ?? 0;
    this.#sessions.mustRevoke(session, nowMs + rebalanceTimeoutMs);
  }

  #judge(memberId: string): void {
    const { state, memberEpoch } = this.#state.members.get(memberId)!.assignment;
    const isSettled = state === 'STABLE' && memberEpoch === this.#state.assignmentEpoch;
    if (isSettled || memberEpoch === LEAVE_FOR_A_WHILE_EPOCH) this.#unsettled.delete(memberId);
    else this.#unsettled.add(memberId);
  }

  #noteStable(nowMs: number): void {
    if (this.#unsettled.size > 0 || this.isEmpty) return;
    const cause = `all members hold what is meant for them, after ${spanText(nowMs - this.#unsettledSinceMs)}`;
    this.#note({ kind: 'stable', epoch: this.#state.epoch, cause });
  }

  #noteOf(memberId: string, subscription: MemberSubscription | undefined, note: GroupEventNote): void {
    const { clientId, groupInstanceId } = subscription ?? {};
    this.#note({ ...note, memberId, clientId, groupInstanceId });
  }

  #note(note: GroupEventNote): void {
    this.history.note(note, this.#wallMs());
  }
}

function turnAt(nowMs: number, topics: TopicsView): Turn {
  return { nowMs, topics, records: [], causes: [] };
}

function nameOf(memberId: string, subscription: MemberSubscription | undefined): string {
  return subscription === undefined || subscription.clientId === ''
    ? memberId
    : `${subscription.clientId} (${memberId})`;
}
