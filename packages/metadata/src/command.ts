/**
 * What the controller can be asked, and how it answers. Shapes mirror proto/millrace/v1 in camelCase. An item that
 * fails carries a `failure`; a request that fails as a whole is thrown as a MillraceError.
 */
import type { ErrorCode, NodeId, TopicId } from '@millrace/core';
import type { ConfigResource } from './config-resource.ts';
import type { Endpoint } from './record.ts';

export interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
}

export interface PartitionRef {
  readonly topicId: TopicId;
  readonly partition: number;
}

export interface BrokerRegistration {
  readonly brokerId: NodeId;
  /** One life of the process; random at start. */
  readonly incarnationId: string;
  readonly directoryId: string;
  readonly endpoints: readonly Endpoint[];
  /** Empty if none. */
  readonly rack: string;
  /** Broker epoch of the last clean shutdown; -1 after an unclean one or on a first start. */
  readonly previousBrokerEpoch: number;
}

export interface BrokerHeartbeat {
  readonly brokerId: NodeId;
  readonly brokerEpoch: number;
  /** `image.offset` of the broker's image: the next offset of the metadata log that it will apply. */
  readonly metadataOffset: number;
  readonly wantsShutdown: boolean;
  /** All replicas on this broker whose disk failed; a replica that is absent here is back. */
  readonly offline: readonly PartitionRef[];
}

export interface BrokerState {
  readonly brokerEpoch: number;
  readonly fenced: boolean;
  /** Leads nothing any more, and everyone else knows. */
  readonly mayShutDown: boolean;
}

export interface IsrMember {
  readonly brokerId: NodeId;
  /** -1 skips the check. */
  readonly brokerEpoch: number;
}

export interface PartitionAlteration extends PartitionRef {
  readonly leaderEpoch: number;
  readonly partitionEpoch: number;
  readonly newIsr: readonly IsrMember[];
  readonly recovering: boolean;
}

export interface AlterPartitionsRequest {
  readonly brokerId: NodeId;
  readonly brokerEpoch: number;
  readonly partitions: readonly PartitionAlteration[];
}

/** The partition after the change, or, with a failure, what the controller knows of it (-1 and empty if nothing). */
export interface AlteredPartition extends PartitionRef {
  readonly failure?: Failure;
  readonly leaderId: number;
  readonly leaderEpoch: number;
  readonly partitionEpoch: number;
  readonly isr: readonly NodeId[];
  readonly recovering: boolean;
}

export interface AlterPartitionsResponse {
  readonly partitions: readonly AlteredPartition[];
}

export interface AllocateProducerIdsRequest {
  readonly brokerId: NodeId;
  readonly brokerEpoch: number;
}

export interface AllocateProducerIdsResponse {
  readonly firstId: number;
  readonly count: number;
}

export interface ReplicaAssignment {
  readonly partition: number;
  readonly replicas: readonly NodeId[];
}

export interface NewTopic {
  readonly name: string;
  /** -1: the cluster's default. Ignored, as is the next, when there are assignments. */
  readonly partitionCount: number;
  readonly replicationFactor: number;
  readonly assignments?: readonly ReplicaAssignment[];
  readonly configs?: Readonly<Record<string, string>>;
}

export interface CreateTopicsRequest {
  readonly topics: readonly NewTopic[];
  readonly validateOnly?: boolean;
}

export interface CreatedTopic {
  readonly name: string;
  readonly failure?: Failure;
  /** Empty with a failure or after `validateOnly`. */
  readonly topicId: TopicId;
  readonly partitionCount: number;
  readonly replicationFactor: number;
}

export interface CreateTopicsResponse {
  readonly topics: readonly CreatedTopic[];
}

export interface DeleteTopicsRequest {
  readonly names?: readonly string[];
  readonly topicIds?: readonly TopicId[];
}

export interface TopicResult {
  readonly name: string;
  readonly topicId: TopicId;
  readonly failure?: Failure;
}

export interface DeleteTopicsResponse {
  readonly topics: readonly TopicResult[];
}

export interface NewPartitions {
  readonly name: string;
  /** The new total. */
  readonly totalCount: number;
  /** Of the added partitions, in order; empty lets the controller place them. */
  readonly assignments?: readonly ReplicaAssignment[];
}

export interface CreatePartitionsRequest {
  readonly topics: readonly NewPartitions[];
  readonly validateOnly?: boolean;
}

export interface CreatePartitionsResponse {
  readonly topics: readonly TopicResult[];
}

export interface ConfigChange {
  readonly resource: ConfigResource;
  readonly name: string;
  /** Absent: back to the default. */
  readonly value?: string;
  /** Absent: set. */
  readonly operation?: ConfigOperation;
}

/**
 * `append` and `subtract` change the list in force by the items of the value. `clear`, with an empty name, takes back
 * every override of the resource that no other change of the request names.
 */
export type ConfigOperation = (typeof CONFIG_OPERATIONS)[number];
export const CONFIG_OPERATIONS = ['set', 'append', 'subtract', 'clear'] as const;

export interface AlterConfigsRequest {
  readonly changes: readonly ConfigChange[];
  readonly validateOnly?: boolean;
}

export interface ResourceResult {
  readonly resource: ConfigResource;
  readonly failure?: Failure;
}

export interface AlterConfigsResponse {
  readonly resources: readonly ResourceResult[];
}

export interface ElectLeadersRequest {
  readonly election: 'preferred' | 'unclean';
  /** Empty or absent: every partition. */
  readonly partitions?: readonly { readonly topic: string; readonly partition: number }[];
}

export interface ElectedPartition {
  readonly topic: string;
  readonly partition: number;
  readonly failure?: Failure;
  readonly leaderId: number;
}

export interface ElectLeadersResponse {
  readonly partitions: readonly ElectedPartition[];
}
