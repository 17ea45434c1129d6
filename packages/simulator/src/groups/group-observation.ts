/**
 * What happens in groups, told to whoever judges it: what coordinators decide, what of it commits, what they show, what
 * members are given and what they were told is committed. Only types.
 */
import type { NodeId } from '@millrace/core';
import type {
  GroupOutcome,
  GroupRecord,
  GroupRequestName,
  GroupRequests,
  OffsetFetchRequest,
  OffsetFetchResponse,
  TopicPartitions,
} from '@millrace/groups';
import type { CommittedGroups } from './committed-groups.ts';

/** What a member has in the coordinator's eyes. */
export interface Ownership {
  readonly assigned: readonly TopicPartitions[];
  readonly pendingRevocation: readonly TopicPartitions[];
}

/** One coordinator: of one partition of the topic of offsets, on one node, for one epoch. */
export interface CoordinatorModel {
  readonly nodeId: NodeId;
  /** Of the topic of offsets; undefined before it has seen any group. */
  readonly index: number | undefined;
  /** It was told that all below has committed. */
  readonly committedTo: number;
  /** By group and member; ahead of the log, as the coordinator itself. */
  readonly owners: ReadonlyMap<string, ReadonlyMap<string, Ownership>>;
  /** Of its replica at this moment; undefined where nobody knows. */
  highWatermark(): number | undefined;
  /** Its replica does not lead any more, or another one has taken over since. */
  isOver(): boolean;
}

export interface GroupStep<N extends GroupRequestName = GroupRequestName> {
  readonly name: N;
  readonly request: GroupRequests[N]['request'];
  readonly outcome: GroupOutcome;
}

/** A record of the topic of offsets that has committed, for the first time that anybody saw it. */
export interface CommittedRecord {
  readonly index: number;
  readonly offset: number;
  readonly record: GroupRecord;
}

/** A member's own view of a partition. */
export interface Holder {
  readonly groupId: string;
  /** Of this consumer alone. */
  readonly clientId: string;
  /** `topic-partition`, with how often the group had thrown it out before it was given the partition. */
  readonly since: ReadonlyMap<string, number>;
  /**
   * Of a static member of the classic protocol: the last generation that it has joined. Its group may go on without it, and
   * keeps its place, until its session ends.
   */
  readonly staticGeneration?: number | undefined;
  /** It lives, and would process a record of the partition now. */
  believes(partition: string): boolean;
}

export interface CommitAck {
  readonly groupId: string;
  readonly clientId: string;
  readonly partition: string;
  readonly offset: number;
}

/** All is over, and was read once more. */
export interface GroupEnd {
  readonly groupId: string;
  /** As a client reads it; -1 for nothing. */
  readonly committed: ReadonlyMap<string, number>;
  /** Of each partition the offsets that the last reader found. */
  readonly readable: ReadonlyMap<string, readonly number[]>;
}

/** All optional: a judge listens to what it needs. Called in the middle of things; nothing may be changed. */
export interface GroupJudge {
  stepped?(coordinator: CoordinatorModel, step: GroupStep): void;
  /** After anything that may have changed who owns what. */
  changed?(coordinator: CoordinatorModel, groupIds: ReadonlySet<string>): void;
  /** The coordinator was told that all below `offset` has committed. */
  advanced?(coordinator: CoordinatorModel, offset: number): void;
  committed?(committed: CommittedRecord): void;
  shown?(coordinator: CoordinatorModel, request: OffsetFetchRequest, response: OffsetFetchResponse): void;
  /** A member was told that these are its own now. */
  given?(holder: Holder, partitions: readonly string[], others: readonly Holder[]): void;
  /** A member has finished with a record. */
  processed?(groupId: string, partition: string, offset: number): void;
  acknowledged?(commit: CommitAck): void;
  ended?(end: GroupEnd): void;
}

/** What judges see of the world. */
export interface GroupWorldView {
  readonly truth: CommittedGroups;
  /** Names of topics by id. */
  nameOf(topicId: string): string | undefined;
  /** Highest end that any replica of the partition had; undefined while one of them cannot be looked at. */
  logEndOf(topic: string, partition: number): number | undefined;
}

/** A numbered promise of the design (reliability.md, section 5). */
export interface GroupInvariant {
  readonly number: number;
  readonly name: string;
  /** `violated` does not return. */
  judge(world: GroupWorldView, violated: (text: string) => never): GroupJudge;
}
