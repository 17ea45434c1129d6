/**
 * Requests and answers of cluster administration; shapes mirror proto/millrace/v1/admin.proto. Any broker
 * describes from its own image; changes go through ControllerChannel to the active controller. Only types.
 */
import type { NodeId, TopicId } from '@millrace/core';
import type { BrokerNode, RequestContext } from './broker-api.ts';
import type { Failure } from './failure.ts';

export interface CreateTopicsRequest extends RequestContext {
  readonly topics: readonly NewTopic[];
  readonly validateOnly: boolean;
}

export interface NewTopic {
  readonly name: string;
  /** -1 for the cluster's default; ignored with `assignments`. */
  readonly partitionCount: number;
  readonly replicationFactor: number;
  readonly assignments: readonly ReplicaAssignment[];
  readonly configs: Readonly<Record<string, string>>;
}

export interface ReplicaAssignment {
  readonly partition: number;
  readonly replicas: readonly NodeId[];
}

export interface CreateTopicsResponse {
  readonly topics: readonly CreatedTopic[];
}

export interface CreatedTopic {
  readonly name: string;
  readonly failure?: Failure | undefined;
  readonly topicId: TopicId;
  readonly partitionCount: number;
  readonly replicationFactor: number;
}

export interface DeleteTopicsRequest extends RequestContext {
  readonly names: readonly string[];
  readonly topicIds: readonly TopicId[];
}

export interface DeleteTopicsResponse {
  readonly topics: readonly TopicResult[];
}

export interface TopicResult {
  readonly name: string;
  readonly topicId: TopicId;
  readonly failure?: Failure | undefined;
}

export interface CreatePartitionsRequest extends RequestContext {
  readonly topics: readonly NewPartitions[];
  readonly validateOnly: boolean;
}

export interface NewPartitions {
  readonly name: string;
  /** The new total. */
  readonly totalCount: number;
  /** Of the added partitions, in order; empty lets the controller place them. */
  readonly assignments: readonly ReplicaAssignment[];
}

export interface CreatePartitionsResponse {
  readonly topics: readonly TopicResult[];
}

/** `kind` is "topic", "broker" (name = node id) or "cluster" (name empty: every broker's default). */
export interface ConfigResource {
  readonly kind: string;
  readonly name: string;
}

export interface DescribeConfigsRequest extends RequestContext {
  readonly resources: readonly ConfigResource[];
}

export interface DescribeConfigsResponse {
  readonly resources: readonly ResourceConfigs[];
}

export interface ResourceConfigs {
  readonly resource: ConfigResource;
  readonly failure?: Failure | undefined;
  readonly entries: readonly ConfigEntry[];
}

export interface ConfigEntry {
  readonly name: string;
  readonly value: string;
  readonly source: 'topic' | 'broker' | 'cluster' | 'static' | 'default';
  readonly readOnly: boolean;
  readonly type: string;
  readonly documentation: string;
  /** Every place that has a value, the one in force first, under the name that the setting has there. */
  readonly synonyms: readonly ConfigSynonym[];
}

export interface ConfigSynonym {
  readonly name: string;
  readonly value: string;
  readonly source: ConfigEntry['source'];
}

export interface DescribeLogDirsRequest extends RequestContext {
  /** Undefined: every replica. One that is not here is left out of the answer. */
  readonly partitions: readonly TopicPartitionName[] | undefined;
}

export interface DescribeLogDirsResponse {
  readonly directories: readonly LogDirectory[];
}

export interface LogDirectory {
  readonly path: string;
  /** Of the directory as a whole; a replica that failed alone is only left out. */
  readonly failure?: Failure | undefined;
  /** Of its disk; -1 if the disk does not tell. */
  readonly totalBytes: number;
  /** What may still be written to its disk; -1 if the disk does not tell. */
  readonly usableBytes: number;
  /** Those whose log is open. */
  readonly replicas: readonly ReplicaOnDisk[];
}

export interface ReplicaOnDisk extends TopicPartitionName {
  readonly sizeBytes: number;
  /** Committed records that this replica lacks, as far as it knows. */
  readonly offsetLag: number;
}

export interface AlterConfigsRequest extends RequestContext {
  readonly changes: readonly ConfigChange[];
  readonly validateOnly: boolean;
}

export interface ConfigChange {
  readonly resource: ConfigResource;
  readonly name: string;
  /** Undefined: back to the default. */
  readonly value: string | undefined;
  /**
   * Undefined or `set`: the value. `append` and `subtract`: the list in force, changed by the items of the value.
   * `clear`, with an empty name: takes back every override of the resource that no other change of the request names.
   */
  readonly operation?: string | undefined;
}

export interface AlterConfigsResponse {
  readonly resources: readonly ResourceResult[];
}

export interface ResourceResult {
  readonly resource: ConfigResource;
  readonly failure?: Failure | undefined;
}

export interface ElectLeadersRequest extends RequestContext {
  readonly election: 'preferred' | 'unclean';
  /** Empty: every partition. */
  readonly partitions: readonly TopicPartitionName[];
}

export interface TopicPartitionName {
  readonly topic: string;
  readonly partition: number;
}

export interface ElectLeadersResponse {
  readonly partitions: readonly ElectedPartition[];
}

export interface ElectedPartition extends TopicPartitionName {
  readonly failure?: Failure | undefined;
  readonly leaderId: NodeId | -1;
}

export interface DescribeClusterRequest extends RequestContext {
  /** Whose addresses the answer shows. */
  readonly listener: string;
}

export interface DescribeClusterResponse {
  readonly clusterId: string;
  readonly controllerId: NodeId | -1;
  readonly brokers: readonly BrokerNode[];
  /** Next offset of the metadata log that this answer reflects. */
  readonly metadataOffset: number;
  readonly topicCount: number;
  readonly partitionCount: number;
  readonly leaderlessPartitionCount: number;
  readonly underReplicatedPartitionCount: number;
  readonly underMinIsrPartitionCount: number;
}

export interface DescribeQuorumResponse {
  readonly leaderId: NodeId | -1;
  readonly leaderEpoch: number;
  readonly highWatermark: number;
  readonly voters: readonly QuorumReplica[];
  readonly observers: readonly QuorumReplica[];
}

/** A directory on a node that is to vote, or to vote no longer. */
export interface ChangeVoterRequest extends RequestContext {
  readonly nodeId: NodeId;
  /** Empty: the only directory of the node that can be meant. */
  readonly directoryId: string;
}

export interface ChangeVoterResponse {
  readonly directoryId: string;
}

export interface QuorumReplica {
  readonly nodeId: NodeId;
  readonly directoryId: string;
  /** host:port; empty where it is not known. */
  readonly address: string;
  readonly logEndOffset: number;
  /** Ms since the leader last heard from it; -1 if never or unknown. */
  readonly lastContactMs: number;
  readonly lastCaughtUpMs: number;
}
