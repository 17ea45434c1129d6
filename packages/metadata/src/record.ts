/**
 * The vocabulary of the metadata log: every change to cluster metadata is one of these records.
 * A record states a fact that was decided; it never asks for a decision, so replaying it can never fail or differ.
 */
import type { NodeId, TopicId } from '@millrace/core';
import type { ConfigResource } from './config-resource.ts';

/** Where a broker listens, by listener name. */
export interface Endpoint {
  readonly listener: string;
  readonly host: string;
  readonly port: number;
}

/** No broker leads the partition. */
export const NO_LEADER = -1;

/** A life of a broker began; it starts fenced. Its broker epoch is the offset of the entry that holds this record. */
export interface BrokerRegistered {
  readonly kind: 'brokerRegistered';
  readonly brokerId: NodeId;
  readonly incarnationId: string;
  readonly directoryId: string;
  readonly endpoints: readonly Endpoint[];
  readonly rack: string;
}

/** A broker was fenced or unfenced, or began its controlled shutdown. Absent fields stay. */
export interface BrokerChanged {
  readonly kind: 'brokerChanged';
  readonly brokerId: NodeId;
  readonly brokerEpoch: number;
  readonly fenced?: boolean;
  readonly inControlledShutdown?: boolean;
}

export interface TopicCreated {
  readonly kind: 'topicCreated';
  readonly topicId: TopicId;
  readonly name: string;
}

/**
 * Partitions `first`, `first + 1`, ... of a topic; item i of each list belongs to partition `first + i`.
 * Many in one record, so that a topic of 10,000 partitions is one small atomic entry.
 */
export interface PartitionsCreated {
  readonly kind: 'partitionsCreated';
  readonly topicId: TopicId;
  readonly first: number;
  readonly replicas: readonly (readonly NodeId[])[];
  readonly isr: readonly (readonly NodeId[])[];
  readonly leaders: readonly number[];
}

/** A partition's state after a change; absent fields stay. The epochs are those after the change. */
export interface PartitionChanged {
  readonly kind: 'partitionChanged';
  readonly topicId: TopicId;
  readonly partition: number;
  readonly leaderEpoch: number;
  readonly partitionEpoch: number;
  readonly isr?: readonly NodeId[];
  readonly elr?: readonly NodeId[];
  readonly lastKnownElr?: readonly NodeId[];
  readonly offline?: readonly NodeId[];
  readonly leader?: number;
  readonly recovering?: boolean;
  /** The leader was elected outside ISR and ELR: acknowledged records may be lost. */
  readonly unclean?: true;
}

export interface TopicDeleted {
  readonly kind: 'topicDeleted';
  readonly topicId: TopicId;
}

/** One override; `null` takes it away. */
export interface ConfigChanged {
  readonly kind: 'configChanged';
  readonly resource: ConfigResource;
  readonly name: string;
  readonly value: string | null;
}

/** Producer ids `firstId` .. `firstId + count - 1` belong to one broker and are never given out again. */
export interface ProducerIdsAllocated {
  readonly kind: 'producerIdsAllocated';
  readonly brokerId: NodeId;
  readonly brokerEpoch: number;
  readonly firstId: number;
  readonly count: number;
}

/** One committed change to cluster metadata. Add a member and the compiler lists every place to update. */
export type MetadataRecord =
  | BrokerRegistered
  | BrokerChanged
  | TopicCreated
  | PartitionsCreated
  | PartitionChanged
  | TopicDeleted
  | ConfigChanged
  | ProducerIdsAllocated;
