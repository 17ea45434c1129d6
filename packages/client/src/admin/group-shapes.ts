/** What admin calls about consumer groups take and give. Shapes only. */
import type { TopicPartition } from '@millrace/core';
import type { AdminOptions } from './admin-shapes.ts';

/** `consumer`: the protocol of KIP-848, which this SDK speaks; `classic`: the one before, or no members at all. */
export type GroupType = 'classic' | 'consumer';

export type GroupState =
  | 'Empty'
  | 'PreparingRebalance'
  | 'CompletingRebalance'
  | 'Assigning'
  | 'Reconciling'
  | 'Stable'
  | 'Dead';

/** Empty or absent lists do not restrict; case does not matter. */
export interface ListGroupsOptions extends AdminOptions {
  readonly states?: readonly string[];
  readonly types?: readonly string[];
}

export interface GroupSummary {
  readonly groupId: string;
  readonly type: GroupType;
  /** `consumer` for groups of consumers; empty where only offsets were committed. */
  readonly protocolType: string;
  readonly state: GroupState;
}

export interface GroupInfo extends GroupSummary {
  readonly coordinator: { readonly host: string; readonly port: number };
  /** Generation of a classic group. */
  readonly epoch: number;
  readonly assignmentEpoch: number;
  /** Chosen protocol of a classic group. */
  readonly assignor: string;
  readonly members: readonly GroupMember[];
}

export interface GroupMember {
  readonly memberId: string;
  /** null for dynamic members. */
  readonly groupInstanceId: string | null;
  readonly rackId: string;
  /** -1 in a classic group. */
  readonly memberEpoch: number;
  readonly type: GroupType;
  readonly clientId: string;
  readonly clientHost: string;
  readonly subscribedTopics: readonly string[];
  /** Empty for none. */
  readonly subscribedTopicRegex: string;
  /** What the member holds. */
  readonly assignment: readonly TopicPartition[];
  /** What it is meant to hold. */
  readonly targetAssignment: readonly TopicPartition[];
}

export interface GroupOffset extends TopicPartition {
  /** The next one to read; null where nothing is committed. */
  readonly offset: bigint | null;
  /** -1 for none. */
  readonly leaderEpoch: number;
  readonly metadata: string;
  /** Milliseconds since the epoch; null where nothing is committed. */
  readonly committedAtMs: number | null;
}

export interface GroupLag extends TopicPartition {
  /** null where nothing is committed. */
  readonly committed: bigint | null;
  /** Of the oldest record that is kept; null where the leader does not tell. */
  readonly logStart: bigint | null;
  /** null where the leader does not tell. */
  readonly logEnd: bigint | null;
  /** Offsets from `committed` to `logEnd`, negative where `committed` lies beyond it; null where either is unknown. */
  readonly lag: bigint | null;
  /** Age of the first record that is left, in ms; 0 where nothing is left, null where that is unknown or `lag` negative. */
  readonly lagMs: number | null;
}

export interface OffsetToAlter extends TopicPartition {
  readonly offset: bigint | number;
  readonly leaderEpoch?: number;
  readonly metadata?: string;
}

export interface GroupHistory {
  readonly groupId: string;
  readonly type: GroupType;
  readonly state: GroupState;
  /** Oldest first. */
  readonly events: readonly GroupEvent[];
  /** How many older ones the coordinator has forgotten. */
  readonly droppedEvents: number;
  readonly members: readonly MemberPause[];
}

export interface GroupEvent {
  /** Milliseconds since the epoch. */
  readonly atMs: number;
  /** `joined`, `left`, `expired`, `assigned`, `revoking`, `offsets-reset`, … */
  readonly kind: string;
  /** Of the group, after the event. */
  readonly epoch: number;
  /** Empty where no single member is concerned. */
  readonly memberId: string;
  readonly clientId: string;
  readonly groupInstanceId: string;
  /** Why, for people. */
  readonly cause: string;
  readonly gained: readonly TopicPartition[];
  readonly lost: readonly TopicPartition[];
  /** How long the member was without what it gained; null where that is not known. */
  readonly withoutMs: number | null;
}

/** How long a member was without partitions that were meant for it. */
export interface MemberPause {
  readonly memberId: string;
  readonly clientId: string;
  readonly rebalances: number;
  /** All waits together. */
  readonly waitedMs: number;
  readonly longestWaitMs: number;
}
