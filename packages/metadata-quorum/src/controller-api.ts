/**
 * What brokers and administrators ask of the active controller. Every promise settles after the change is
 * committed, or rejects NOT_CONTROLLER when this node does not lead or lost the lead meanwhile; in the latter case the
 * change may still be committed, and the caller finds out from its metadata.
 */
import type { NodeId } from '@millrace/core';
import type {
  AllocateProducerIdsRequest,
  AllocateProducerIdsResponse,
  AlterConfigsRequest,
  AlterConfigsResponse,
  AlterPartitionsRequest,
  AlterPartitionsResponse,
  BrokerHeartbeat,
  BrokerRegistration,
  BrokerState,
  CreatePartitionsRequest,
  CreatePartitionsResponse,
  CreateTopicsRequest,
  CreateTopicsResponse,
  DeleteTopicsRequest,
  DeleteTopicsResponse,
  ElectLeadersRequest,
  ElectLeadersResponse,
  MetadataDelta,
  MetadataImage,
} from '@millrace/metadata';
import type { VoterRequest } from './voter-change.ts';

/** Any object that stands for one connection of a broker; the end of an older one does not count against a newer one. */
export type SessionToken = object;

export interface ControllerApi {
  registerBroker(request: BrokerRegistration, session: SessionToken): Promise<{ brokerEpoch: number }>;
  heartbeat(request: BrokerHeartbeat, session: SessionToken): Promise<BrokerState>;
  /** The broker's session stream broke: it is fenced after `broker.disconnect.grace.ms` unless it comes back. */
  brokerDisconnected(brokerId: NodeId, brokerEpoch: number, session: SessionToken): void;
  alterPartitions(request: AlterPartitionsRequest): Promise<AlterPartitionsResponse>;
  allocateProducerIds(request: AllocateProducerIdsRequest): Promise<AllocateProducerIdsResponse>;
  createTopics(request: CreateTopicsRequest): Promise<CreateTopicsResponse>;
  deleteTopics(request: DeleteTopicsRequest): Promise<DeleteTopicsResponse>;
  createPartitions(request: CreatePartitionsRequest): Promise<CreatePartitionsResponse>;
  alterConfigs(request: AlterConfigsRequest): Promise<AlterConfigsResponse>;
  electLeaders(request: ElectLeadersRequest): Promise<ElectLeadersResponse>;
  /** One voter more or less; answered with the directory that it was, once the new set is committed. */
  changeVoters(request: VoterRequest): Promise<{ directoryId: string }>;
}

/** Follows the committed metadata of this node as images. */
export interface MetadataFollower {
  onMetadata(image: MetadataImage, delta: MetadataDelta): void;
}

/** One committed entry of the metadata log that holds records. */
export interface MetadataLogEntry {
  readonly offset: number;
  readonly data: Buffer;
}

/** Follows the committed metadata as bytes, to pass on to another node. */
export interface MetadataLogFollower {
  /** Replaces everything below `nextOffset`. */
  onSnapshot(data: Buffer, nextOffset: number): void;
  /** In order; everything below `nextOffset` is now told. May be empty. */
  onEntries(entries: readonly MetadataLogEntry[], nextOffset: number): void;
}

export type Unsubscribe = () => void;
