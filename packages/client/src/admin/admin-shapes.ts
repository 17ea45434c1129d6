/** What admin calls take and give. Shapes only. */
import type { MillraceError, NodeId, TopicId, TopicPartition } from '@millrace/core';

export interface AdminOptions {
  /** Limit of the whole call, retries included. Default: the client's `requestTimeoutMs`. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface ValidateOptions extends AdminOptions {
  /** Checks everything and changes nothing. */
  readonly validateOnly?: boolean;
}

export interface NewTopic {
  readonly name: string;
  /** Default: the cluster's `num.partitions`. */
  readonly partitions?: number;
  /** Default: the cluster's `default.replication.factor`. */
  readonly replicationFactor?: number;
  /** Replicas by partition, first the preferred leader; instead of the two above. */
  readonly assignments?: readonly (readonly NodeId[])[];
  /** Topic configuration by Kafka's keys, such as `retention.ms`. */
  readonly configs?: Readonly<Record<string, string | number | boolean>>;
}

export interface CreatedTopic {
  readonly name: string;
  readonly topicId: TopicId;
  readonly partitions: number;
  readonly replicationFactor: number;
}

export interface NewPartitions {
  readonly topic: string;
  /** The new total. */
  readonly totalCount: number;
  /** Replicas of the added partitions, in order. */
  readonly assignments?: readonly (readonly NodeId[])[];
}

export interface PartitionInfo {
  readonly partition: number;
  /** -1 while there is none. */
  readonly leader: NodeId | -1;
  readonly leaderEpoch: number;
  readonly replicas: readonly NodeId[];
  readonly isr: readonly NodeId[];
  readonly elr: readonly NodeId[];
  readonly lastKnownElr: readonly NodeId[];
  readonly partitionEpoch: number;
}

export interface TopicInfo {
  readonly name: string;
  readonly topicId: TopicId;
  readonly isInternal: boolean;
  readonly partitions: readonly PartitionInfo[];
}

export interface BrokerInfo {
  readonly id: NodeId;
  readonly host: string;
  readonly port: number;
  readonly rack: string;
  readonly fenced: boolean;
  readonly inControlledShutdown: boolean;
  readonly brokerEpoch: number;
}

export interface NodeHealth {
  /** `host:port`. */
  readonly address: string;
  /** What the node says of itself, or that it says nothing. */
  readonly status: 'SERVING' | 'NOT_SERVING' | 'UNREACHABLE';
  /** Why it is unreachable. */
  readonly error?: MillraceError;
}

export interface ClusterInfo {
  readonly clusterId: string;
  /** -1 while there is none. */
  readonly controllerId: NodeId | -1;
  readonly brokers: readonly BrokerInfo[];
  /** Offset of the metadata log that this answer reflects. */
  readonly metadataOffset: number;
  readonly topicCount: number;
  readonly partitionCount: number;
  readonly leaderlessPartitionCount: number;
  readonly underReplicatedPartitionCount: number;
  readonly underMinIsrPartitionCount: number;
}

/** The directory where a node has several that can be meant. */
export interface VoterOptions extends AdminOptions {
  readonly directoryId?: string;
}

export interface QuorumReplicaInfo {
  readonly nodeId: NodeId;
  readonly directoryId: string;
  /** host:port where other nodes reach it; empty where it is not known. */
  readonly address: string;
  readonly logEndOffset: number;
  /** Since the leader last heard from it; -1 if never or unknown. */
  readonly lastContactMs: number;
  readonly lastCaughtUpMs: number;
}

export interface QuorumInfo {
  readonly leaderId: NodeId | -1;
  readonly leaderEpoch: number;
  readonly highWatermark: number;
  readonly voters: readonly QuorumReplicaInfo[];
  readonly observers: readonly QuorumReplicaInfo[];
}

/** `name` is a topic's name, a node id, or empty for `cluster` (the default of every broker). */
export interface ConfigResource {
  readonly kind: 'topic' | 'broker' | 'cluster';
  readonly name: string;
}

export interface ConfigEntry {
  readonly name: string;
  readonly value: string;
  /** Where the value comes from. */
  readonly source: 'topic' | 'broker' | 'cluster' | 'static' | 'default';
  readonly readOnly: boolean;
  readonly type: string;
  readonly documentation: string;
}

export interface ResourceConfigs {
  readonly resource: ConfigResource;
  readonly entries: readonly ConfigEntry[];
}

export interface ConfigChange {
  readonly resource: ConfigResource;
  readonly name: string;
  /** null: back to the default. */
  readonly value: string | number | boolean | null;
}

export interface ListedOffset extends TopicPartition {
  /** -1n when no record is as new as asked. */
  readonly offset: bigint;
  /** -1 for the ends. */
  readonly timestamp: number;
  readonly leaderEpoch: number;
}

export interface DeletedRecords extends TopicPartition {
  /** First offset that is left. */
  readonly lowWatermark: bigint;
}

export interface ElectedLeader extends TopicPartition {
  readonly leader: NodeId | -1;
  /** Why this partition kept its leader; absent if it changed. */
  readonly error?: MillraceError;
}
