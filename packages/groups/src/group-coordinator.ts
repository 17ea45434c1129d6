/**
 * The coordinator of all groups of one partition of `__consumer_offsets`, as a state machine: a request or the time
 * goes in, records to append and answers come out. It never reads a clock, waits, or speaks to anybody; it does not
 * know whether its records commit: the driver lets no answer out before they have (rule P26).
 */
import type { Random } from '@millrace/core';
import type {
  ConsumerGroupHeartbeatRequest,
  ConsumerGroupHeartbeatResponse,
  DeleteGroupResponse,
  DescribedGroup,
  GroupHistory,
  GroupListing,
  HeartbeatRequest,
  HeartbeatResponse,
  JoinGroupRequest,
  JoinGroupResponse,
  LeaveGroupRequest,
  LeaveGroupResponse,
  ListGroupsRequest,
  OffsetCommitRequest,
  OffsetCommitResponse,
  OffsetDeleteRequest,
  OffsetDeleteResponse,
  OffsetFetchRequest,
  OffsetFetchResponse,
  SyncGroupRequest,
  SyncGroupResponse,
} from './group-api.ts';
import type { GroupConfig } from './group-config.ts';
import type { GroupRecord, TopicsView } from './group-record.ts';

/** A request that changes something, by name, with what answers it. */
export interface GroupRequests {
  readonly joinGroup: { readonly request: JoinGroupRequest; readonly response: JoinGroupResponse };
  readonly syncGroup: { readonly request: SyncGroupRequest; readonly response: SyncGroupResponse };
  readonly heartbeat: { readonly request: HeartbeatRequest; readonly response: HeartbeatResponse };
  readonly leaveGroup: { readonly request: LeaveGroupRequest; readonly response: LeaveGroupResponse };
  readonly consumerGroupHeartbeat: {
    readonly request: ConsumerGroupHeartbeatRequest;
    readonly response: ConsumerGroupHeartbeatResponse;
  };
  readonly offsetCommit: { readonly request: OffsetCommitRequest; readonly response: OffsetCommitResponse };
  readonly offsetDelete: { readonly request: OffsetDeleteRequest; readonly response: OffsetDeleteResponse };
  readonly deleteGroup: {
    readonly request: { readonly groupId: string };
    readonly response: DeleteGroupResponse;
  };
}
export type GroupRequestName = keyof GroupRequests;

/** The driver's name for a request that waits; an answer may come from a later step. */
export type RequestToken = number;

export interface GroupAnswer {
  readonly token: RequestToken;
  readonly response: GroupRequests[GroupRequestName]['response'];
}

export interface GroupOutcome {
  /** To be appended as one batch, whole or not at all. They are applied already: the machine runs ahead of the log. */
  readonly records: readonly GroupRecord[];
  /** To be given once `records`, and every record appended before them, have committed. */
  readonly answers: readonly GroupAnswer[];
}

export interface GroupCoordinatorOptions {
  readonly config: GroupConfig;
  /** For member ids and jitter. */
  readonly random: Random;
  /**
   * Milliseconds since the Unix epoch, for what people and records carry (commit times, history). Every `nowMs` below
   * is from a clock that never jumps, so that a corrected wall clock expires nobody.
   */
  readonly wallMs: () => number;
  readonly topics: TopicsView;
}

/**
 * Life: `replay` for every record of the log, `loaded`, then `step`, `tick`, `topicsChanged` in any order. When the
 * broker no longer leads the partition, or an append fails, the driver drops the machine and everything in it.
 */
export interface GroupCoordinator {
  /** A committed record, in the order of the log. */
  replay(offset: number, record: GroupRecord): void;
  /** The log has been read: sessions begin anew (a new coordinator gives everyone a full session). */
  loaded(nowMs: number): GroupOutcome;

  step<N extends GroupRequestName>(
    name: N,
    token: RequestToken,
    request: GroupRequests[N]['request'],
    nowMs: number,
  ): GroupOutcome;
  /** When `tick` is due next; Infinity for never. */
  nextTickMs(): number;
  /** Expires members, ends rebalances, expires offsets. Bounded work; more may be due at once. */
  tick(nowMs: number): GroupOutcome;
  topicsChanged(topics: TopicsView, nowMs: number): GroupOutcome;

  /** Offsets of records appended by the driver for an outcome, so that reads see what is committed only. */
  appended(records: readonly GroupRecord[], baseOffset: number): void;
  /** Every record before `offset` has committed. */
  committed(offset: number): void;
  /** The log took no writes for a while: nobody is to be expired for heartbeats that could not be answered. */
  resumed(nowMs: number): void;

  /** Committed offsets only. */
  fetchOffsets(request: OffsetFetchRequest): OffsetFetchResponse;
  listGroups(request: ListGroupsRequest): readonly GroupListing[];
  describeGroup(groupId: string): DescribedGroup;
  explainGroup(groupId: string): GroupHistory;

  /** For limits and status: what is held. */
  readonly size: { readonly groups: number; readonly members: number; readonly offsets: number };
}
