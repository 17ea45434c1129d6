/**
 * One member's side of the consumer protocol (KIP-848): what the next heartbeat says, and what an answer or a refusal
 * means. Pure. Never claims a partition that it was not told it may have, and never reuses an epoch after a fence.
 */
import type { MillraceError } from '@millrace/core';
import type {
  ConsumerGroupHeartbeatRequest,
  ConsumerGroupHeartbeatResponse,
  TopicPartitions,
} from '@millrace/protocol';

export interface Subscription {
  readonly topics: readonly string[];
  /** Of whole topic names, in RE2's language; empty for none. */
  readonly pattern: string;
}

/** What does not change while a consumer lives. */
export interface MemberIdentity {
  readonly memberId: string;
  /** Undefined for a dynamic member. */
  readonly groupInstanceId: string | undefined;
  readonly rackId: string | undefined;
  readonly serverAssignor: string | undefined;
  readonly rebalanceTimeoutMs: number;
}

/** `out`: not in the group and not on the way into it. */
export type MembershipPhase = 'out' | 'joining' | 'member';

/** What to do about a refused heartbeat. `rejoin`: everything that was held is lost. */
export type RefusalVerdict = 'retry' | 'wait' | 'rejoin' | 'fail' | 'ignore';

export type HeartbeatBody = Omit<ConsumerGroupHeartbeatRequest, 'header' | 'groupId'>;

/** A heartbeat under way. */
export interface SentHeartbeat {
  readonly body: HeartbeatBody;
  readonly incarnation: number;
  readonly sentAtMs: number;
  readonly subscription: Subscription;
  readonly heldVersion: number;
}

/** A partition as the group knows it: topics that are created again are others. */
export type GroupPartitionKey = string;

function groupPartitionKey(topicId: string, partition: number): GroupPartitionKey {
  return `${topicId}:${partition}`;
}

export function fromGroupPartitionKey(key: GroupPartitionKey): { topicId: string; partition: number } {
  const at = key.lastIndexOf(':');
  return { topicId: key.slice(0, at), partition: Number(key.slice(at + 1)) };
}

const JOIN_EPOCH = 0;
const LEAVE_EPOCH = -1;
const LEAVE_FOR_A_WHILE_EPOCH = -2;
/** Until a coordinator says how often it wants to hear of its members. */
const FIRST_INTERVAL_MS = 1_000;

export class MembershipState {
  readonly identity: MemberIdentity;
  #phase: MembershipPhase = 'out';
  #epoch = JOIN_EPOCH;
  /** Counts lives in the group: what was begun in an earlier one means nothing in this one. */
  #incarnation = 0;
  #subscription: Subscription = { topics: [], pattern: '' };
  #target: ReadonlySet<GroupPartitionKey> | undefined;
  readonly #held = new Set<GroupPartitionKey>();
  #heldVersion = 0;
  /** What was let go, and in which version: until the coordinator has heard of it, somebody else may be given it. */
  readonly #lettingGo = new Map<GroupPartitionKey, number>();
  /** What the coordinator surely knows; undefined where an answer may be lost. */
  #acknowledged: Pick<SentHeartbeat, 'subscription' | 'heldVersion'> | undefined;
  #heartbeatIntervalMs = FIRST_INTERVAL_MS;
  /** When the last heartbeat left that was answered, and how long the coordinator waits for the next: 0 unknown. */
  #heardOfAtMs = 0;
  #sessionTimeoutMs = 0;

  constructor(identity: MemberIdentity) {
    this.identity = identity;
  }

  get phase(): MembershipPhase {
    return this.#phase;
  }

  get epoch(): number {
    return this.#epoch;
  }

  get incarnation(): number {
    return this.#incarnation;
  }

  get heartbeatIntervalMs(): number {
    return this.#heartbeatIntervalMs;
  }

  /**
   * Whether the group may have gone on without this member, for all that it can tell itself: a process that was stopped
   * finds what was its own handled by others.
   */
  isOverdue(nowMs: number): boolean {
    return this.#sessionTimeoutMs > 0 && nowMs - this.#heardOfAtMs > this.#sessionTimeoutMs;
  }

  /** What the member may have; undefined before the first answer. */
  get target(): ReadonlySet<GroupPartitionKey> | undefined {
    return this.#target;
  }

  /** Something the coordinator does not know yet and waits for. */
  get hasNews(): boolean {
    if (this.#phase === 'out') return false;
    if (this.#phase === 'joining' || this.#acknowledged === undefined) return true;
    const { subscription, heldVersion } = this.#acknowledged;
    return subscription !== this.#subscription || heldVersion !== this.#heldVersion;
  }

  subscribe(subscription: Subscription): void {
    this.#subscription = subscription;
  }

  /** Begins a new life in the group, holding nothing. */
  join(): void {
    this.#restart('joining');
  }

  /** Out of the group, whether or not the coordinator knows. */
  leave(): void {
    this.#restart('out');
  }

  /** From when the member begins to take them over: who left out what it was given would have given it back. */
  hold(keys: Iterable<GroupPartitionKey>): void {
    for (const key of keys) this.#held.add(key);
    this.#heldVersion++;
  }

  letGo(keys: Iterable<GroupPartitionKey>): void {
    for (const key of keys) {
      if (!this.#held.delete(key)) continue;
      this.#heldVersion++;
      this.#lettingGo.set(key, this.#heldVersion);
    }
  }

  /** Whether the target may be of before this was let go. */
  isLettingGo(key: GroupPartitionKey): boolean {
    return this.#lettingGo.has(key);
  }

  /** The next heartbeat: everything where the coordinator may not know it, and otherwise only what is new. */
  nextHeartbeat(reason: string, nowMs: number): SentHeartbeat {
    const { memberId, groupInstanceId, rackId, serverAssignor, rebalanceTimeoutMs } = this.identity;
    const known = this.#phase === 'joining' ? undefined : this.#acknowledged;
    const isSubscriptionNew = known?.subscription !== this.#subscription;
    const isHeldNew = known?.heldVersion !== this.#heldVersion;
    const { topics, pattern } = this.#subscription;
    const body: HeartbeatBody = {
      memberId,
      memberEpoch: this.#epoch,
      groupInstanceId,
      ...(known === undefined && { rackId, serverAssignor, rebalanceTimeoutMs }),
      ...(isSubscriptionNew && {
        subscribedTopics: { names: [...topics] },
        ...((pattern !== '' || known !== undefined) && { subscribedTopicRegex: pattern }),
      }),
      ...(isHeldNew && { held: { topics: topicsOf(this.#held) } }),
      reason,
    };
    return {
      body,
      incarnation: this.#incarnation,
      sentAtMs: nowMs,
      subscription: this.#subscription,
      heldVersion: this.#heldVersion,
    };
  }

  /** The last heartbeat. `forAWhile` keeps the place of a static member. */
  farewell(reason: string, forAWhile: boolean): HeartbeatBody {
    const { memberId, groupInstanceId } = this.identity;
    const isKept = forAWhile && groupInstanceId !== undefined;
    return { memberId, groupInstanceId, memberEpoch: isKept ? LEAVE_FOR_A_WHILE_EPOCH : LEAVE_EPOCH, reason };
  }

  /** The coordinator is elsewhere than this member thinks: the next heartbeat says everything. */
  doubt(): void {
    this.#acknowledged = undefined;
  }

  /** No answer came: it may have been heard all the same. */
  unanswered(sent: SentHeartbeat): void {
    if (sent.incarnation === this.#incarnation) this.#acknowledged = undefined;
  }

  /** True if there is an assignment to look at. An answer to an earlier life changes nothing. */
  answered(sent: SentHeartbeat, response: ConsumerGroupHeartbeatResponse): boolean {
    if (sent.incarnation !== this.#incarnation || this.#phase === 'out') return false;
    this.#phase = 'member';
    this.#epoch = response.memberEpoch;
    if (response.heartbeatIntervalMs > 0) this.#heartbeatIntervalMs = response.heartbeatIntervalMs;
    this.#heardOfAtMs = sent.sentAtMs;
    this.#sessionTimeoutMs = response.sessionTimeoutMs ?? 0;
    this.#acknowledged = { subscription: sent.subscription, heldVersion: sent.heldVersion };
    for (const [key, version] of this.#lettingGo) {
      if (version <= sent.heldVersion) this.#lettingGo.delete(key);
    }
    if (response.assignment === undefined) return false;
    this.#target = new Set(keysOf(response.assignment.topics));
    return true;
  }

  refused(sent: SentHeartbeat, error: MillraceError): RefusalVerdict {
    if (sent.incarnation !== this.#incarnation || this.#phase === 'out') return 'ignore';
    this.unanswered(sent);
    switch (error.code) {
      case 'FENCED_MEMBER_EPOCH':
      case 'UNKNOWN_MEMBER_ID':
        return 'rejoin';
      // The one before, of the same instance, may have died without leaving: its session ends some time.
      case 'UNRELEASED_INSTANCE_ID':
        return 'wait';
      case 'CANCELLED':
      case 'CLOSED':
        return 'ignore';
      default:
        return error.retriable ? 'retry' : 'fail';
    }
  }

  #restart(phase: MembershipPhase): void {
    this.#phase = phase;
    this.#epoch = JOIN_EPOCH;
    this.#incarnation++;
    this.#target = undefined;
    this.#held.clear();
    this.#lettingGo.clear();
    this.#heldVersion++;
    this.#acknowledged = undefined;
    this.#sessionTimeoutMs = 0;
  }
}

function* keysOf(topics: readonly TopicPartitions[]): Generator<GroupPartitionKey> {
  for (const { topicId, partitions } of topics) {
    for (const partition of partitions) yield groupPartitionKey(topicId, partition);
  }
}

function topicsOf(keys: Iterable<GroupPartitionKey>): TopicPartitions[] {
  const topics = new Map<string, number[]>();
  for (const key of keys) {
    const { topicId, partition } = fromGroupPartitionKey(key);
    const partitions = topics.get(topicId);
    if (partitions === undefined) topics.set(topicId, [partition]);
    else partitions.push(partition);
  }
  return Array.from(topics, ([topicId, partitions]) => ({ topicId, partitions }));
}
