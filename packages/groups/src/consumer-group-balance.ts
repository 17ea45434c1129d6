/**
 * What keeps a consumer group balanced: epochs begin when members, subscriptions or topics change, targets follow from
 * epochs, and members are brought to their targets one by one. Both protocols that members may speak end up here.
 */
import { memberAssignmentRecord, removalRecords } from './consumer-group-records.ts';
import { ConsumerGroupState, type ConsumerMember } from './consumer-group-state.ts';
import { ConsumerGroupStory, nameOf, type Reason } from './consumer-group-story.ts';
import { LEAVE_FOR_A_WHILE_EPOCH } from './consumer-heartbeat-check.ts';
import type { GroupConfig } from './group-config.ts';
import { GroupHistoryLog, partitionsCounted, spanText } from './group-history.ts';
import type { GroupRecord, TopicsView } from './group-record.ts';
import { changedTargets, preferredAssignor, subscribedNames } from './group-target.ts';
import { type MemberAssignment, reconcile } from './member-reconciliation.ts';
import { type MemberDuty, type MemberSession, MemberSessions } from './member-sessions.ts';
import { SubscriptionPatterns } from './subscription-patterns.ts';
import { difference, listOf, type PartitionSet, sameSet, sizeOf } from './topic-partitions.ts';
import { topicsHash } from './topics-hash.ts';

export interface ConsumerGroupOptions {
  readonly config: GroupConfig;
  /** Milliseconds since the Unix epoch, for history and records. All other times never jump. */
  readonly wallMs: () => number;
  /** Of the group's life under the classic protocol, to be continued. */
  readonly history?: GroupHistoryLog | undefined;
}

/** One call's work: what it has written, and why the group must be balanced anew, if it must. */
export interface Turn {
  readonly nowMs: number;
  readonly topics: TopicsView;
  readonly records: GroupRecord[];
  readonly causes: string[];
}

export function turnAt(nowMs: number, topics: TopicsView): Turn {
  return { nowMs, topics, records: [], causes: [] };
}

export class ConsumerGroupBalance {
  readonly state: ConsumerGroupState;
  readonly sessions = new MemberSessions();
  readonly patterns = new SubscriptionPatterns();
  readonly story: ConsumerGroupStory;
  readonly config: GroupConfig;
  readonly #wallMs: () => number;
  /** Members that do not hold all that is meant for them yet, or have not heard of the newest epoch. */
  readonly #unsettled = new Set<string>();
  #unsettledSinceMs = 0;
  /** Of the topics that were last looked at; -1: none yet. */
  #topicsVersion = -1;
  #topicsSeenMs = Number.NEGATIVE_INFINITY;
  /** Partition counts as last looked at, of topics subscribed to. */
  #knownTopics = new Map<string, number>();

  constructor(groupId: string, { config, wallMs, history }: ConsumerGroupOptions) {
    this.state = new ConsumerGroupState(groupId);
    this.config = config;
    this.#wallMs = wallMs;
    this.story = new ConsumerGroupStory(
      history ?? new GroupHistoryLog(config['group.history.max.events']),
      wallMs,
    );
  }

  get isSettled(): boolean {
    return this.#unsettled.size === 0;
  }

  write(turn: Turn, record: GroupRecord): void {
    this.state.apply(record);
    turn.records.push(record);
  }

  // ---- members --------------------------------------------------------------------------------------------------------

  /** A member gives a sign of life. */
  hear(memberId: string, nowMs: number): MemberSession {
    const classic = this.state.members.get(memberId)?.subscription?.classic;
    const timeoutMs = classic?.sessionTimeoutMs ?? this.config['group.consumer.session.timeout.ms'];
    return this.sessions.heard(memberId, nowMs, timeoutMs);
  }

  /** Everybody gets a full session, and full time for what it owes. */
  hearAll(nowMs: number): void {
    for (const { memberId, assignment } of this.state.members.values()) {
      const { duty } = this.hear(memberId, nowMs);
      const owes = duty ?? (assignment.state === 'UNREVOKED_PARTITIONS' ? 'revoke' : undefined);
      if (owes !== undefined) this.demand(memberId, owes, nowMs);
      this.judge(memberId);
    }
    this.#unsettledSinceMs = nowMs;
  }

  /** The member has its rebalance timeout to do its duty. */
  demand(memberId: string, duty: MemberDuty, nowMs: number): void {
    const timeoutMs = this.state.members.get(memberId)?.subscription?.rebalanceTimeoutMs ?? 0;
    this.sessions.demand(memberId, duty, nowMs + timeoutMs);
  }

  /** A returned static member takes over target and partitions, so that nothing moves. Its subscription is written. */
  replace(old: ConsumerMember, memberId: string, next: GroupRecord, turn: Turn): void {
    const { groupId } = this.state;
    const partitions = listOf(this.state.targetOf(old.memberId));
    const { assigned } = old.assignment;
    for (const record of removalRecords(groupId, old.memberId)) this.write(turn, record);
    this.write(turn, next);
    this.write(turn, { kind: 'target-assignment', groupId, memberId, value: { partitions } });
    const { assignment } = this.state.members.get(memberId)!;
    this.write(turn, memberAssignmentRecord(groupId, memberId, { ...assignment, assigned }));
    this.#unsettled.delete(old.memberId);
    this.judge(memberId);
  }

  remove(member: ConsumerMember, reason: Reason, turn: Turn): void {
    const { memberId, subscription } = member;
    for (const record of removalRecords(this.state.groupId, memberId)) this.write(turn, record);
    this.sessions.delete(memberId);
    this.#unsettled.delete(memberId);
    this.story.removed(member, reason, this.state.epoch, turn.nowMs, turn.topics);
    turn.causes.push(`${nameOf(memberId, subscription)} ${reason.cause}`);
  }

  /** One step of the member towards its target, as far as what it holds by its own word allows. */
  reconcile(memberId: string, owned: PartitionSet | undefined, turn: Turn): MemberAssignment {
    const member = this.state.members.get(memberId)!;
    const before = member.assignment;
    const after = reconcile(before, {
      targetEpoch: this.state.assignmentEpoch,
      target: this.state.targetOf(memberId),
      owned,
      isFree: (topicId, partition) => this.isFree(memberId, topicId, partition),
    });
    const session = this.sessions.get(memberId)!;
    // Also where it is what the member has: it may be about to take what it was given before.
    if (!sameSet(before.assigned, after.assigned)) session.isTold = false;
    else if (owned !== undefined) session.isTold = sameSet(owned, after.assigned);
    if (after !== before) {
      this.write(turn, memberAssignmentRecord(this.state.groupId, memberId, after));
      if (after.state === 'UNREVOKED_PARTITIONS') this.demand(memberId, 'revoke', turn.nowMs);
      else if (session.duty === 'revoke') this.sessions.acquit(memberId);
      const { waitingSinceMs } = session;
      this.story.stepped({ member, before, after, waitingSinceMs, nowMs: turn.nowMs, topics: turn.topics });
      if (after.state === 'STABLE') session.waitingSinceMs = undefined;
      this.settle(memberId, turn.nowMs);
    }
    return after;
  }

  isFree(memberId: string, topicId: string, partition: number): boolean {
    const owner = this.state.ownerOf(topicId, partition);
    return owner === undefined || owner === memberId;
  }

  judge(memberId: string): void {
    const { state, memberEpoch } = this.state.members.get(memberId)!.assignment;
    const isThere = state === 'STABLE' && memberEpoch === this.state.assignmentEpoch;
    if (isThere || memberEpoch === LEAVE_FOR_A_WHILE_EPOCH) this.#unsettled.delete(memberId);
    else this.#unsettled.add(memberId);
  }

  /** As `judge`; tells when the member was the last one. */
  settle(memberId: string, nowMs: number): void {
    if (this.isSettled) return;
    this.judge(memberId);
    if (!this.isSettled) return;
    const span = spanText(nowMs - this.#unsettledSinceMs);
    this.story.group('stable', this.state.epoch, `all members hold what is meant for them, after ${span}`);
  }

  // ---- topics and targets ---------------------------------------------------------------------------------------------

  /** Whether topics that are subscribed to changed since they were last looked at; cheap where nothing did. */
  lookAtTopics(turn: Turn): void {
    const { nowMs, topics } = turn;
    const { counts, metadataHash, epoch, members } = this.state;
    const isFirst = this.#topicsVersion === -1;
    const refreshMs = this.config['group.consumer.regex.refresh.interval.ms'];
    if (topics.version === this.#topicsVersion && nowMs - this.#topicsSeenMs < refreshMs) return;
    this.#topicsVersion = topics.version;
    this.#topicsSeenMs = nowMs;
    this.story.topicsSeen(topics);
    for (const pattern of counts.patterns.keys()) this.#resolve(pattern, turn);
    if (members.size === 0 || this.hashOf(topics) === metadataHash) return;
    const cause = isFirst ? 'topics changed while no coordinator watched' : this.#topicChanges(topics);
    turn.causes.push(cause);
    this.story.group('topics-changed', epoch, cause);
  }

  /** Begins a new epoch where there is a cause for one, and computes what it means for whom. */
  rebalance(turn: Turn): void {
    const { topics, causes } = turn;
    const { state } = this;
    if (causes.length > 0) {
      this.#keepPatterns(turn);
      const value = { epoch: state.epoch + 1, metadataHash: this.hashOf(topics) };
      this.write(turn, { kind: 'consumer-group-epoch', groupId: state.groupId, value });
      this.#rememberTopics(topics);
    }
    if (state.assignmentEpoch === state.epoch) return;
    const assignor = preferredAssignor(state, this.config['group.consumer.assignors']);
    const moved = this.#retarget(assignor, turn);
    if (this.isSettled) this.#unsettledSinceMs = turn.nowMs;
    for (const memberId of state.members.keys()) this.judge(memberId);
    if (state.members.size === 0) return;
    const cause = causes.join('; ') || 'the target was older than the group';
    this.story.group(
      'rebalance-started',
      state.epoch,
      `${cause}: ${partitionsCounted(moved)} ${moved === 1 ? 'finds' : 'find'} another member (${assignor})`,
    );
  }

  #retarget(assignor: string, turn: Turn): number {
    const { groupId, epoch } = this.state;
    let moved = 0;
    for (const [memberId, target] of changedTargets(this.state, turn.topics, assignor)) {
      const gained = difference(target, this.state.targetOf(memberId));
      moved += sizeOf(gained);
      const session = this.sessions.get(memberId);
      if (gained.size > 0 && session !== undefined) session.waitingSinceMs ??= turn.nowMs;
      const value = { partitions: listOf(target) };
      this.write(turn, { kind: 'target-assignment', groupId, memberId, value });
    }
    this.write(turn, { kind: 'target-epoch', groupId, value: { assignmentEpoch: epoch } });
    return moved;
  }

  /** Resolves patterns that are new and forgets those that nobody uses any more. */
  #keepPatterns(turn: Turn): void {
    const { counts, patterns, groupId } = this.state;
    for (const pattern of counts.patterns.keys()) if (!patterns.has(pattern)) this.#resolve(pattern, turn);
    for (const pattern of patterns.keys()) {
      if (!counts.patterns.has(pattern)) {
        this.write(turn, { kind: 'resolved-pattern', groupId, pattern, value: undefined });
      }
    }
    this.patterns.keepOnly((pattern) => counts.patterns.has(pattern));
  }

  #resolve(pattern: string, turn: Turn): void {
    const names = this.patterns.resolve(pattern, turn.topics);
    const known = this.state.patterns.get(pattern)?.topics;
    const isSame = known?.length === names.length && known.every((name, at) => name === names[at]);
    if (isSame) return;
    const value = { topics: names, version: turn.topics.version, resolvedAtMs: this.#wallMs() };
    this.write(turn, { kind: 'resolved-pattern', groupId: this.state.groupId, pattern, value });
  }

  /** Of the topics that members subscribe to, as they are now. */
  hashOf(topics: TopicsView): bigint {
    return topicsHash(subscribedNames(this.state), topics, this.state.counts.racks.size > 0);
  }

  #rememberTopics(topics: TopicsView): void {
    this.#knownTopics = new Map();
    for (const name of subscribedNames(this.state)) {
      const count = topics.byName(name)?.partitionCount;
      if (count !== undefined) this.#knownTopics.set(name, count);
    }
  }

  #topicChanges(topics: TopicsView): string {
    const changes: string[] = [];
    for (const name of new Set([...subscribedNames(this.state), ...this.#knownTopics.keys()])) {
      const before = this.#knownTopics.get(name);
      const after = topics.byName(name)?.partitionCount;
      const was = before === undefined ? '' : `, ${before} before`;
      if (before !== after) changes.push(`${name} has ${after ?? 'no'} partitions${was}`);
    }
    return changes.length === 0 ? 'topics were made anew or their replicas moved' : changes.join('; ');
  }
}
