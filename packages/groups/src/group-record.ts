/**
 * The records of `__consumer_offsets`: one kind for each of Kafka's, with the fields that Millrace uses. A key without
 * a value removes (`value: undefined`). Bytes are in `group-record-codec.ts`; this module only names them.
 * Source: Kafka's `group-coordinator/src/main/resources/common/message/*.json` (key versions in brackets).
 */
import type { TopicId } from '@millrace/core';
import type { CommitSequence, TopicPartitions } from './group-api.ts';

export type GroupRecord =
  | OffsetRecord
  | ClassicGroupRecord
  | ConsumerGroupEpochRecord
  | MemberSubscriptionRecord
  | TargetEpochRecord
  | TargetAssignmentRecord
  | MemberAssignmentRecord
  | ResolvedPatternRecord;

/** OffsetCommitKey [0, 1]. */
export interface OffsetRecord {
  readonly kind: 'offset';
  readonly groupId: string;
  readonly topic: string;
  readonly partition: number;
  readonly value:
    | {
        readonly offset: number;
        readonly leaderEpoch: number;
        readonly metadata: string;
        readonly committedAtMs: number;
        /** -1: the broker's retention holds. */
        readonly expiresAtMs: number;
        /** The topic that was read; undefined where whoever wrote it did not say. */
        readonly topicId?: TopicId | undefined;
        /** Known to the coordinator that took the commit, and not stored: its successor hears nothing that it was sent. */
        readonly sequence?: CommitSequence | undefined;
      }
    | undefined;
}

/** GroupMetadataKey [2]. */
export interface ClassicGroupRecord {
  readonly kind: 'classic-group';
  readonly groupId: string;
  readonly value:
    | {
        readonly protocolType: string;
        readonly generation: number;
        readonly protocol: string | undefined;
        readonly leader: string | undefined;
        /** When the group reached its state; -1 unknown. */
        readonly stateAtMs: number;
        readonly members: readonly ClassicMemberValue[];
      }
    | undefined;
}

export interface ClassicMemberValue {
  readonly memberId: string;
  readonly groupInstanceId: string | undefined;
  readonly clientId: string;
  readonly clientHost: string;
  readonly rebalanceTimeoutMs: number;
  readonly sessionTimeoutMs: number;
  readonly subscription: Buffer;
  readonly assignment: Buffer;
}

/** ConsumerGroupMetadataKey [3]. */
export interface ConsumerGroupEpochRecord {
  readonly kind: 'consumer-group-epoch';
  readonly groupId: string;
  /** `metadataHash` (tagged 0, KIP-1101) summarises the topics that the epoch was made for; 0 unknown. */
  readonly value: { readonly epoch: number; readonly metadataHash: bigint } | undefined;
}

/** ConsumerGroupMemberMetadataKey [5]. */
export interface MemberSubscriptionRecord {
  readonly kind: 'member-subscription';
  readonly groupId: string;
  readonly memberId: string;
  readonly value:
    | {
        readonly groupInstanceId: string | undefined;
        readonly rackId: string | undefined;
        readonly clientId: string;
        readonly clientHost: string;
        readonly subscribedTopicNames: readonly string[];
        readonly subscribedTopicRegex: string | undefined;
        readonly rebalanceTimeoutMs: number;
        readonly serverAssignor: string | undefined;
        /** Tagged field 0: of a member that uses the classic protocol in a consumer group. */
        readonly classic:
          | {
              readonly sessionTimeoutMs: number;
              readonly protocols: readonly { readonly name: string; readonly metadata: Buffer }[];
            }
          | undefined;
      }
    | undefined;
}

/** ConsumerGroupTargetAssignmentMetadataKey [6]. */
export interface TargetEpochRecord {
  readonly kind: 'target-epoch';
  readonly groupId: string;
  readonly value: { readonly assignmentEpoch: number } | undefined;
}

/** ConsumerGroupTargetAssignmentMemberKey [7]. */
export interface TargetAssignmentRecord {
  readonly kind: 'target-assignment';
  readonly groupId: string;
  readonly memberId: string;
  readonly value: { readonly partitions: readonly TopicPartitions[] } | undefined;
}

/** State numbers are Kafka's. */
export const MEMBER_STATE_WIRE = {
  STABLE: 1,
  UNREVOKED_PARTITIONS: 2,
  UNRELEASED_PARTITIONS: 3,
  UNKNOWN: 127,
} as const;
export type MemberState = keyof typeof MEMBER_STATE_WIRE;

/** ConsumerGroupCurrentMemberAssignmentKey [8]. */
export interface MemberAssignmentRecord {
  readonly kind: 'member-assignment';
  readonly groupId: string;
  readonly memberId: string;
  readonly value:
    | {
        readonly memberEpoch: number;
        readonly previousMemberEpoch: number;
        readonly state: MemberState;
        readonly assigned: readonly TopicPartitions[];
        readonly pendingRevocation: readonly TopicPartitions[];
      }
    | undefined;
}

/** ConsumerGroupRegularExpressionKey [16]. */
export interface ResolvedPatternRecord {
  readonly kind: 'resolved-pattern';
  readonly groupId: string;
  readonly pattern: string;
  readonly value:
    | {
        readonly topics: readonly string[];
        /** Metadata version that it was resolved against. */
        readonly version: number;
        readonly resolvedAtMs: number;
      }
    | undefined;
}

/** What the coordinator knows of the cluster's topics. A new view is given whenever metadata changes them. */
export interface TopicsView {
  /** Grows with every change of topics or partition counts. */
  readonly version: number;
  byName(name: string): TopicView | undefined;
  byId(topicId: TopicId): TopicView | undefined;
  /** Internal topics are not among them. */
  names(): Iterable<string>;
}

export interface TopicView {
  readonly topicId: TopicId;
  readonly name: string;
  readonly partitionCount: number;
  /** Racks that hold a replica of the partition; empty where unknown. */
  racksOf(partition: number): readonly string[];
}
