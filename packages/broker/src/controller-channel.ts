/**
 * What a broker asks of the active controller and how it follows the metadata log. Shapes mirror
 * proto/millrace/v1/controller.proto. Implementations find the active controller themselves and retry on
 * NOT_CONTROLLER within the request's deadline. Only types.
 */
import type { MillraceError, NodeId } from '@millrace/core';
import type {
  AlterConfigsRequest,
  AlterConfigsResponse,
  ChangeVoterRequest,
  ChangeVoterResponse,
  CreatePartitionsRequest,
  CreatePartitionsResponse,
  CreateTopicsRequest,
  CreateTopicsResponse,
  DeleteTopicsRequest,
  DeleteTopicsResponse,
  DescribeQuorumResponse,
  ElectLeadersRequest,
  ElectLeadersResponse,
} from './admin-api.ts';
import type { PartitionRef, RequestContext } from './broker-api.ts';
import type { Failure } from './failure.ts';

/** Calls reject with a MillraceError when there was no answer or the request as a whole failed. */
export interface ControllerChannel {
  /** Finds the active controller, opens a stream and sends the registration. Returns at once, never throws. */
  openSession(registration: BrokerRegistration, handlers: ControllerSessionHandlers): ControllerSession;
  alterPartitions(request: AlterPartitionsRequest): Promise<AlterPartitionsResponse>;
  allocateProducerIds(request: AllocateProducerIdsRequest): Promise<ProducerIdBlock>;

  createTopics(request: CreateTopicsRequest): Promise<CreateTopicsResponse>;
  deleteTopics(request: DeleteTopicsRequest): Promise<DeleteTopicsResponse>;
  createPartitions(request: CreatePartitionsRequest): Promise<CreatePartitionsResponse>;
  alterConfigs(request: AlterConfigsRequest): Promise<AlterConfigsResponse>;
  electLeaders(request: ElectLeadersRequest): Promise<ElectLeadersResponse>;
  describeQuorum(request: RequestContext): Promise<DescribeQuorumResponse>;
  addVoter(request: ChangeVoterRequest): Promise<ChangeVoterResponse>;
  removeVoter(request: ChangeVoterRequest): Promise<ChangeVoterResponse>;

  /** Reconnects by itself, to any controller, from where it stood. Calls arrive in order. */
  followMetadata(fromOffset: number, follower: MetadataLogFollower): MetadataSubscription;
}

export interface MetadataSubscription {
  close(): void;
}

export interface MetadataLogFollower {
  /** Replaces everything below `nextOffset`. */
  onSnapshot(data: Buffer, nextOffset: number): void;
  /** Committed entries in order; `nextOffset` follows the last of them and may move without entries. */
  onEntries(entries: readonly MetadataLogEntry[], nextOffset: number): void;
  /** Where changes go; -1 while unknown. */
  onController(id: NodeId | -1): void;
}

/** One atomic list of metadata records, encoded. */
export interface MetadataLogEntry {
  readonly offset: number;
  readonly data: Buffer;
}

/** One stream to one controller. Every message sent is answered by one `onState`, in order. */
export interface ControllerSession {
  heartbeat(heartbeat: BrokerHeartbeat): void;
  close(): void;
}

export interface ControllerSessionHandlers {
  /** The first answers the registration. */
  onState(state: BrokerState): void;
  /** The stream broke or never opened; at most once, not after `close`. Whoever wants another opens one. */
  onClosed(error: MillraceError): void;
}

export interface BrokerEndpoint {
  readonly listener: string;
  readonly host: string;
  readonly port: number;
}

export interface BrokerRegistration {
  readonly brokerId: NodeId;
  readonly incarnationId: string;
  readonly directoryId: string;
  readonly endpoints: readonly BrokerEndpoint[];
  readonly rack: string;
  /** Broker epoch of the last clean shutdown, or -1. */
  readonly previousBrokerEpoch: number;
  readonly metadataOffset: number;
  readonly offline: readonly PartitionRef[];
}

export interface BrokerHeartbeat {
  readonly brokerId: NodeId;
  readonly incarnationId: string;
  readonly brokerEpoch: number;
  /** Next offset of the metadata log that this broker has not applied. */
  readonly metadataOffset: number;
  readonly wantsShutdown: boolean;
  /** Partitions whose disk failed on this broker. */
  readonly offline: readonly PartitionRef[];
}

export interface BrokerState {
  readonly failure?: Failure | undefined;
  readonly brokerEpoch: number;
  readonly fenced: boolean;
  /** The broker leads nothing any more and may stop. */
  readonly mayShutDown: boolean;
}

export interface AlterPartitionsRequest {
  readonly timeoutMs: number;
  readonly brokerId: NodeId;
  readonly brokerEpoch: number;
  readonly partitions: readonly PartitionAlteration[];
}

export interface PartitionAlteration extends PartitionRef {
  readonly leaderEpoch: number;
  readonly partitionEpoch: number;
  readonly newIsr: readonly IsrMember[];
  readonly recovering: boolean;
}

export interface IsrMember {
  readonly brokerId: NodeId;
  /** -1 skips the check. */
  readonly brokerEpoch: number;
}

export interface AlterPartitionsResponse {
  readonly partitions: readonly AlteredPartition[];
}

export interface AlteredPartition extends PartitionRef {
  readonly failure?: Failure | undefined;
  readonly leaderId: NodeId | -1;
  readonly leaderEpoch: number;
  readonly partitionEpoch: number;
  readonly isr: readonly NodeId[];
  readonly recovering: boolean;
}

export interface AllocateProducerIdsRequest {
  readonly timeoutMs: number;
  readonly brokerId: NodeId;
  readonly brokerEpoch: number;
}

export interface ProducerIdBlock {
  readonly firstId: number;
  readonly count: number;
}
