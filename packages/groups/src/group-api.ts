/**
 * What members, committers and operators ask of a group's coordinator, and what they are told. Shapes follow Kafka's
 * requests, so that both doors can carry them; only types, no decision.
 */
import type { ErrorCode, TopicId } from '@millrace/core';

/** Why a request, or one entry of it, was refused. */
export interface GroupFailure {
  readonly code: ErrorCode;
  /** For people. */
  readonly message: string;
}

/** Who asks. */
export interface GroupCaller {
  readonly clientId: string;
  /** The address the request came from; empty inside a process. */
  readonly clientHost: string;
}

// ---- classic protocol -------------------------------------------------------------------------------------------

export interface JoinGroupRequest extends GroupCaller {
  readonly groupId: string;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  /** Empty for a member that has none yet. */
  readonly memberId: string;
  /** Undefined for a dynamic member (KIP-345). */
  readonly groupInstanceId: string | undefined;
  /** `consumer` for consumers. */
  readonly protocolType: string;
  /** In the member's order of preference. */
  readonly protocols: readonly JoinGroupProtocol[];
  /** Whether the answer MEMBER_ID_REQUIRED may be given (KIP-394). */
  readonly requiresKnownMemberId: boolean;
  /** Whether the answer may say `skipAssignment` (KIP-814); undefined: yes. */
  readonly supportsSkippingAssignment?: boolean | undefined;
  /** Why it joins, for the history (KIP-800). */
  readonly reason: string;
}

export interface JoinGroupProtocol {
  readonly name: string;
  /** `ConsumerProtocolSubscription`, version first, where the protocol type is `consumer`; opaque otherwise. */
  readonly metadata: Buffer;
}

export interface JoinGroupResponse {
  readonly failure?: GroupFailure | undefined;
  readonly generationId: number;
  readonly protocolType: string | undefined;
  readonly protocolName: string | undefined;
  readonly leader: string;
  /** With MEMBER_ID_REQUIRED the id to join again with. */
  readonly memberId: string;
  readonly skipAssignment: boolean;
  /** For the leader only. */
  readonly members: readonly JoinGroupMember[];
}

export interface JoinGroupMember {
  readonly memberId: string;
  readonly groupInstanceId: string | undefined;
  readonly metadata: Buffer;
}

export interface SyncGroupRequest extends GroupCaller {
  readonly groupId: string;
  readonly generationId: number;
  readonly memberId: string;
  readonly groupInstanceId: string | undefined;
  /** Undefined where the caller's version does not send them. */
  readonly protocolType: string | undefined;
  readonly protocolName: string | undefined;
  /** From the leader only. */
  readonly assignments: readonly SyncGroupAssignment[];
}

export interface SyncGroupAssignment {
  readonly memberId: string;
  /** `ConsumerProtocolAssignment`, version first, where the protocol type is `consumer`. */
  readonly assignment: Buffer;
}

export interface SyncGroupResponse {
  readonly failure?: GroupFailure | undefined;
  readonly protocolType: string | undefined;
  readonly protocolName: string | undefined;
  readonly assignment: Buffer;
}

export interface HeartbeatRequest extends GroupCaller {
  readonly groupId: string;
  readonly generationId: number;
  readonly memberId: string;
  readonly groupInstanceId: string | undefined;
}

export interface HeartbeatResponse {
  readonly failure?: GroupFailure | undefined;
}

export interface LeaveGroupRequest extends GroupCaller {
  readonly groupId: string;
  readonly members: readonly LeavingMember[];
}

export interface LeavingMember {
  /** Empty for a static member that is named by its instance id alone. */
  readonly memberId: string;
  readonly groupInstanceId: string | undefined;
  readonly reason: string;
}

export interface LeaveGroupResponse {
  readonly failure?: GroupFailure | undefined;
  readonly members: readonly {
    readonly memberId: string;
    readonly groupInstanceId: string | undefined;
    readonly failure?: GroupFailure | undefined;
  }[];
}

// ---- consumer protocol (KIP-848) ----------------------------------------------------------------------------------

/** A field that is undefined has not changed since the last heartbeat. The first one (epoch 0) carries all. */
export interface ConsumerGroupHeartbeatRequest extends GroupCaller {
  readonly groupId: string;
  /** Chosen by the member: a UUID. Empty for a member that joins and has none, where `awaitsMemberId` says so. */
  readonly memberId: string;
  /** Whether a member that joins without an id is given one, as before version 1 of the heartbeat; undefined: no. */
  readonly awaitsMemberId?: boolean | undefined;
  /** 0 joins, -1 leaves, -2 leaves for a while (static members only). */
  readonly memberEpoch: number;
  readonly groupInstanceId: string | undefined;
  readonly rackId: string | undefined;
  readonly rebalanceTimeoutMs: number | undefined;
  readonly subscribedTopicNames: readonly string[] | undefined;
  /** Empty ends a subscription by pattern. */
  readonly subscribedTopicRegex: string | undefined;
  readonly serverAssignor: string | undefined;
  /** What the member holds and may process; undefined: unchanged. */
  readonly topicPartitions: readonly TopicPartitions[] | undefined;
  /**
   * Why the member leaves, or what slows it, for the history: for example `maxPollIntervalMs exceeded by 12.3 s while
   * handling orders-3@1042`. Empty for nothing.
   */
  readonly reason: string;
}

export interface TopicPartitions {
  readonly topicId: TopicId;
  readonly partitions: readonly number[];
}

export interface ConsumerGroupHeartbeatResponse {
  readonly failure?: GroupFailure | undefined;
  readonly memberId: string;
  readonly memberEpoch: number;
  readonly heartbeatIntervalMs: number;
  /** A member that was not heard for so long is a member no more; undefined in refusals. */
  readonly sessionTimeoutMs?: number | undefined;
  /** Undefined: as it was told before. */
  readonly assignment: readonly TopicPartitions[] | undefined;
}

// ---- offsets --------------------------------------------------------------------------------------------------------

export interface OffsetCommitRequest extends GroupCaller {
  readonly groupId: string;
  /** Generation of a classic group, member epoch of a consumer group; -1 for who commits without being a member. */
  readonly generationIdOrMemberEpoch: number;
  readonly memberId: string;
  readonly groupInstanceId: string | undefined;
  /** How long these offsets are kept from now on, whatever `offsets.retention.minutes` says; undefined: as it says. */
  readonly retentionTimeMs?: number | undefined;
  /** Undefined: whatever arrives last counts. */
  readonly sequence?: CommitSequence | undefined;
  readonly offsets: readonly OffsetToCommit[];
}

/** The place of a commit among those of one sender: what was sent on a connection that broke may arrive late. */
export interface CommitSequence {
  readonly senderId: string;
  /** Grows with every request of the sender. */
  readonly number: number;
}

export interface OffsetToCommit {
  readonly topic: string;
  /** The topic that was read: another one of its name has another. Undefined: whichever has the name now. */
  readonly topicId?: TopicId | undefined;
  readonly partition: number;
  /** The next offset to read; -1 and -2 for none, as clients of Kafka's protocol reset a group to its defaults. */
  readonly offset: number;
  /** Of the record before; -1 for none. */
  readonly leaderEpoch: number;
  readonly metadata: string;
}

export interface OffsetCommitResponse {
  readonly failure?: GroupFailure | undefined;
  /** As many as were asked, in their order, unless the request as a whole failed. */
  readonly offsets: readonly {
    readonly topic: string;
    readonly partition: number;
    readonly failure?: GroupFailure | undefined;
  }[];
}

export interface OffsetFetchRequest {
  readonly groupId: string;
  /** With a member id the epoch is checked as for a commit; empty and -1 for who only looks. */
  readonly memberId: string;
  readonly memberEpoch: number;
  /** Undefined: every offset that the group has committed. */
  readonly partitions: readonly { readonly topic: string; readonly partition: number }[] | undefined;
}

export interface OffsetFetchResponse {
  readonly failure?: GroupFailure | undefined;
  readonly offsets: readonly CommittedOffset[];
}

export interface CommittedOffset {
  readonly topic: string;
  readonly partition: number;
  /** Negative where nothing is committed. */
  readonly offset: number;
  readonly leaderEpoch: number;
  readonly metadata: string;
  /** -1 where nothing is committed. */
  readonly committedAtMs: number;
}

export interface OffsetDeleteRequest {
  readonly groupId: string;
  readonly partitions: readonly { readonly topic: string; readonly partition: number }[];
}

/** Shaped as the answer to a commit. */
export type OffsetDeleteResponse = OffsetCommitResponse;

// ---- operators --------------------------------------------------------------------------------------------------------

export type GroupType = 'classic' | 'consumer';

/** The names that Kafka's tools print, for both types. */
export type GroupStateName =
  | 'Empty'
  | 'PreparingRebalance'
  | 'CompletingRebalance'
  | 'Assigning'
  | 'Reconciling'
  | 'Stable'
  | 'Dead';

export interface GroupListing {
  readonly groupId: string;
  readonly type: GroupType;
  readonly protocolType: string;
  readonly state: GroupStateName;
}

/** Empty lists do not restrict. Compared without regard to case. */
export interface ListGroupsRequest {
  readonly states: readonly string[];
  readonly types: readonly string[];
}

export interface ListGroupsResponse {
  readonly failure?: GroupFailure | undefined;
  readonly groups: readonly GroupListing[];
}

export interface DescribedGroup {
  readonly groupId: string;
  readonly failure?: GroupFailure | undefined;
  readonly type: GroupType;
  readonly protocolType: string;
  readonly state: GroupStateName;
  /** Generation of a classic group, group epoch of a consumer group. */
  readonly epoch: number;
  /** Of the target assignment; the generation in a classic group. */
  readonly assignmentEpoch: number;
  /** Assignor of a consumer group, chosen protocol of a classic one. */
  readonly assignor: string;
  readonly members: readonly DescribedMember[];
}

export interface DescribedMember extends GroupCaller {
  readonly memberId: string;
  readonly groupInstanceId: string | undefined;
  readonly rackId: string;
  /** -1 in a classic group. */
  readonly memberEpoch: number;
  /** A classic member inside a consumer group counts as `classic`. */
  readonly type: GroupType;
  readonly subscribedTopicNames: readonly string[];
  readonly subscribedTopicRegex: string;
  readonly assignment: readonly DescribedAssignment[];
  readonly targetAssignment: readonly DescribedAssignment[];
  /** Raw bytes of the classic protocol; empty in a consumer group. */
  readonly classicMetadata: Buffer;
  readonly classicAssignment: Buffer;
}

export interface DescribedAssignment {
  /** Empty where the metadata no longer knows it. */
  readonly topic: string;
  /** Empty in a classic group, which knows topics by name only. */
  readonly topicId: TopicId;
  readonly partitions: readonly number[];
}

export interface DeleteGroupResponse {
  readonly groupId: string;
  readonly failure?: GroupFailure | undefined;
}

/** What happened to a group and why, oldest first: `group explain`. */
export interface GroupHistory {
  readonly groupId: string;
  readonly failure?: GroupFailure | undefined;
  readonly type: GroupType;
  readonly state: GroupStateName;
  readonly events: readonly GroupEvent[];
  /** Events that the bounded log has dropped. */
  readonly droppedEvents: number;
  readonly members: readonly MemberPause[];
}

export interface GroupEvent {
  readonly atMs: number;
  readonly kind: GroupEventKind;
  /** Epoch or generation after the event. */
  readonly epoch: number;
  /** Empty where no single member is concerned. */
  readonly memberId: string;
  readonly clientId: string;
  readonly groupInstanceId: string;
  /** The cause in words: `missed heartbeats for 45.0 s (session timeout)`, `left: maxPollIntervalMs exceeded …`. */
  readonly cause: string;
  /** What moved to or from the member by this event; empty where nothing did. */
  readonly gained: readonly DescribedAssignment[];
  readonly lost: readonly DescribedAssignment[];
  /** How long the member was without the partitions it gained, in ms; -1 where that is not known. */
  readonly withoutMs: number;
}

export type GroupEventKind =
  | 'created'
  | 'joined'
  | 'rejoined'
  | 'left'
  | 'expired'
  | 'fenced'
  | 'replaced'
  | 'refused'
  | 'subscription-changed'
  | 'topics-changed'
  | 'rebalance-started'
  | 'assigned'
  | 'revoking'
  | 'partitions-moved'
  | 'stable'
  | 'loaded'
  | 'converted'
  | 'offsets-reset'
  | 'offsets-expired'
  | 'deleted';

/** How long each member was without partitions that were meant for it. */
export interface MemberPause {
  readonly memberId: string;
  readonly clientId: string;
  readonly rebalances: number;
  /** Summed and longest time from "meant for it" to "held by it", in ms. */
  readonly waitedMs: number;
  readonly longestWaitMs: number;
}
