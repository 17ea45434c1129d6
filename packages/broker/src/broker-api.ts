/**
 * The broker's use cases as one typed interface: what the gRPC services and the Kafka listener adapt to.
 * Shapes mirror proto/millrace/v1/broker.proto. Only types; a decision never stands here or in an adapter.
 */
import type { Loan, NodeId, TopicId } from '@millrace/core';
import type { MetadataImage } from '@millrace/metadata';
import type { ProducedFormats } from '@millrace/records';
import type {
  AlterConfigsRequest,
  AlterConfigsResponse,
  ChangeVoterRequest,
  ChangeVoterResponse,
  ConfigEntry,
  CreatePartitionsRequest,
  CreatePartitionsResponse,
  CreateTopicsRequest,
  CreateTopicsResponse,
  DeleteTopicsRequest,
  DeleteTopicsResponse,
  DescribeClusterRequest,
  DescribeClusterResponse,
  DescribeConfigsRequest,
  DescribeConfigsResponse,
  DescribeLogDirsRequest,
  DescribeLogDirsResponse,
  DescribeQuorumResponse,
  ElectLeadersRequest,
  ElectLeadersResponse,
} from './admin-api.ts';
import type { Failure } from './failure.ts';
import type { GroupApi } from './group-api.ts';
import type { ReplicaFetchSession } from './replica-channel.ts';

/** What every request carries besides its content. */
export interface RequestContext {
  /** Time left, in ms; 0 means the broker's own limit, `request.timeout.ms`. */
  readonly timeoutMs: number;
  /** Names the program in logs. */
  readonly clientId: string;
}

/** A request as a whole that cannot be served rejects with a MillraceError; a partition's failure is in its answer. */
export interface BrokerApi {
  /**
   * Appends inside the call, in call order; the promise resolves when `acks` is met and never rejects.
   * With acks=0 it resolves at once, and the answer is not to be sent. The caller may not reuse
   * `records` before it resolves: offsets are written into them in place.
   */
  produce(request: ProduceRequest): Promise<ProduceResponse>;
  /**
   * Back-pressure: undefined while producers may go on; otherwise a promise that resolves when they may.
   * A stream adapter stops reading meanwhile. Who does not gets NODE_OVERLOADED.
   */
  produceRoom(): Promise<void> | undefined;
  /** Long poll. An aborted fetch rejects with CANCELLED and holds nothing. */
  fetch(request: FetchRequest, signal?: AbortSignal): Promise<FetchResponse>;
  /** One for each replication stream that a follower opens; close it when the stream ends. */
  replicaFetchSession(replicaId: NodeId): ReplicaFetchSession;

  describeTopics(request: DescribeTopicsRequest): Promise<DescribeTopicsResponse>;
  listOffsets(request: ListOffsetsRequest): Promise<ListOffsetsResponse>;
  offsetForLeaderEpoch(request: OffsetForLeaderEpochRequest): Promise<OffsetForLeaderEpochResponse>;
  deleteRecords(request: DeleteRecordsRequest): Promise<DeleteRecordsResponse>;
  /** Any replica answers for the producers that it remembers. */
  describeProducers(request: DescribeProducersRequest): Promise<DescribeProducersResponse>;
  initProducerId(request: RequestContext): Promise<InitProducerIdResponse>;

  describeCluster(request: DescribeClusterRequest): Promise<DescribeClusterResponse>;
  describeConfigs(request: DescribeConfigsRequest): Promise<DescribeConfigsResponse>;
  /** What a topic with these overrides has in force, whether it exists or not. They are valid. */
  describeNewTopic(configs: Readonly<Record<string, string>>): readonly ConfigEntry[];
  /** The replicas on this broker alone. */
  describeLogDirs(request: DescribeLogDirsRequest): Promise<DescribeLogDirsResponse>;
  describeQuorum(request: RequestContext): Promise<DescribeQuorumResponse>;
  addVoter(request: ChangeVoterRequest): Promise<ChangeVoterResponse>;
  removeVoter(request: ChangeVoterRequest): Promise<ChangeVoterResponse>;
  createTopics(request: CreateTopicsRequest): Promise<CreateTopicsResponse>;
  deleteTopics(request: DeleteTopicsRequest): Promise<DeleteTopicsResponse>;
  createPartitions(request: CreatePartitionsRequest): Promise<CreatePartitionsResponse>;
  alterConfigs(request: AlterConfigsRequest): Promise<AlterConfigsResponse>;
  electLeaders(request: ElectLeadersRequest): Promise<ElectLeadersResponse>;

  readonly groups: GroupApi;

  /** The metadata that this broker has applied. */
  image(): MetadataImage;
  /** As in the data directory; adapters refuse requests that name another. */
  readonly clusterId: string;
}

export interface PartitionRef {
  readonly topicId: TopicId;
  readonly partition: number;
}

export interface ProduceRequest extends RequestContext {
  /** 0, 1 or -1; anything else is answered INVALID_REQUIRED_ACKS. */
  readonly acks: number;
  /** Each of them once, or the request is answered INVALID_REQUEST. */
  readonly partitions: readonly PartitionProduce[];
}

export interface PartitionProduce extends PartitionRef {
  /** -1 skips the check. */
  readonly leaderEpoch: number;
  /** One record batch. The broker writes its base offset and leader epoch in place. */
  readonly records: Buffer;
  /** What `records` may be instead of a batch of today: it is made one once the partition is known to take it. */
  readonly formats?: ProducedFormats | undefined;
  /**
   * A producer of which the partition knows nothing begins with whatever sequence its batch brings, as Kafka has it since
   * KIP-360: the topic may be a new one of an old name. Left out, a log of which nothing was deleted takes only sequence 0
   * from it. Who sets it must see to it that no batch overtakes its refused predecessor, and gives up that a producer
   * hears of it when all that it had acknowledged is lost.
   */
  readonly mayBeginAnywhere?: boolean;
}

export interface ProduceResponse {
  readonly partitions: readonly PartitionProduced[];
  /** The request as a whole was refused; `partitions` is empty then. */
  readonly failure?: Failure | undefined;
}

export interface PartitionProduced extends PartitionRef {
  readonly failure?: Failure | undefined;
  /** Of the first record; a duplicate gets the original's. -1 with a failure. */
  readonly baseOffset: number;
  /** -1 unless the topic stamps records on append. */
  readonly logAppendTimeMs: number;
  readonly logStartOffset: number;
  /** -1 for none; meant for NOT_LEADER_OR_FOLLOWER and FENCED_LEADER_EPOCH. */
  readonly currentLeaderId: NodeId | -1;
  readonly currentLeaderEpoch: number;
}

export interface FetchRequest {
  readonly clientId: string;
  readonly maxWaitMs: number;
  readonly minBytes: number;
  /** Soft: the first batch of the first partition that has one is returned even if larger. */
  readonly maxBytes: number;
  readonly partitions: readonly PartitionFetch[];
  /** Every partition is answered, in the order of the request, also one without news. */
  readonly isFull?: boolean;
  /**
   * Asked before every read, with what it may bring at most: how much there is room for, which counts as taken until
   * the next call. Called with 0 for a wait in which nothing is held. Soft, as `maxBytes` is.
   */
  readonly reserve?: ((bytes: number) => number) | undefined;
  /**
   * Gets the memory that the answer's records lie in: for who knows when nobody looks at them any more, and then gives it
   * back. Without it that memory is left to be collected.
   */
  readonly lent?: Loan[] | undefined;
}

export interface PartitionFetch extends PartitionRef {
  /** -1 skips the check. */
  readonly leaderEpoch: number;
  readonly fetchOffset: number;
  readonly partitionMaxBytes: number;
  /** -1 skips the check for divergence. */
  readonly lastFetchedEpoch: number;
}

export interface FetchResponse {
  readonly failure?: Failure | undefined;
  /** Only partitions with records, a divergence or a failure, unless the request is full. */
  readonly partitions: readonly PartitionFetched[];
}

export interface PartitionFetched extends PartitionRef {
  readonly failure?: Failure | undefined;
  readonly highWatermark: number;
  readonly lastStableOffset: number;
  readonly logStartOffset: number;
  /** -1 unless the log diverged below the fetch offset. */
  readonly divergingEpoch: number;
  readonly divergingEndOffset: number;
  readonly currentLeaderId: NodeId | -1;
  readonly currentLeaderEpoch: number;
  /** Whole batches, back to back; the first may begin before the fetch offset. Not to be changed. */
  readonly records: Buffer;
}

export interface DescribeTopicsRequest extends RequestContext {
  /** Whose addresses the answer shows. */
  readonly listener: string;
  /** Both lists empty: every topic. */
  readonly names: readonly string[];
  readonly topicIds: readonly TopicId[];
  readonly allowAutoCreate: boolean;
}

export interface DescribeTopicsResponse {
  readonly clusterId: string;
  readonly controllerId: NodeId | -1;
  readonly brokers: readonly BrokerNode[];
  readonly topics: readonly TopicDescription[];
}

export interface BrokerNode {
  readonly id: NodeId;
  readonly host: string;
  readonly port: number;
  readonly rack: string;
  readonly fenced: boolean;
  readonly inControlledShutdown: boolean;
  readonly brokerEpoch: number;
}

export interface TopicDescription {
  readonly topicId: TopicId;
  readonly name: string;
  readonly failure?: Failure | undefined;
  readonly internal: boolean;
  readonly partitions: readonly PartitionDescription[];
}

export interface PartitionDescription {
  readonly partition: number;
  readonly leaderId: NodeId | -1;
  readonly leaderEpoch: number;
  readonly replicas: readonly NodeId[];
  readonly isr: readonly NodeId[];
  readonly elr: readonly NodeId[];
  readonly lastKnownElr: readonly NodeId[];
  readonly partitionEpoch: number;
}

/** Values of `PartitionOffsetQuery.timestamp` that are not times. */
export const LATEST_TIMESTAMP = -1;
export const EARLIEST_TIMESTAMP = -2;
export const MAX_TIMESTAMP = -3;

export interface ListOffsetsRequest extends RequestContext {
  readonly partitions: readonly PartitionOffsetQuery[];
}

export interface PartitionOffsetQuery extends PartitionRef {
  readonly leaderEpoch: number;
  /** A time in ms, or LATEST_TIMESTAMP (the high watermark), EARLIEST_TIMESTAMP, MAX_TIMESTAMP. */
  readonly timestamp: number;
}

export interface ListOffsetsResponse {
  readonly partitions: readonly PartitionOffset[];
}

export interface PartitionOffset extends PartitionRef {
  readonly failure?: Failure | undefined;
  /** -1 when no record is as new as asked. */
  readonly offset: number;
  readonly timestamp: number;
  readonly leaderEpoch: number;
}

export interface InitProducerIdResponse {
  readonly producerId: number;
  readonly producerEpoch: number;
}

export interface OffsetForLeaderEpochRequest extends RequestContext {
  readonly partitions: readonly PartitionEpochQuery[];
}

export interface PartitionEpochQuery extends PartitionRef {
  readonly currentLeaderEpoch: number;
  readonly leaderEpoch: number;
}

export interface OffsetForLeaderEpochResponse {
  readonly partitions: readonly PartitionEpochEnd[];
}

export interface PartitionEpochEnd extends PartitionRef {
  readonly failure?: Failure | undefined;
  /** The largest epoch known that is not above the one asked for; -1 if none. */
  readonly leaderEpoch: number;
  readonly endOffset: number;
}

export interface DeleteRecordsRequest extends RequestContext {
  readonly partitions: readonly PartitionDelete[];
}

export interface PartitionDelete extends PartitionRef {
  /** Records before this offset go; -1 means up to the high watermark. */
  readonly beforeOffset: number;
}

export interface DeleteRecordsResponse {
  readonly partitions: readonly PartitionDeleted[];
}

export interface PartitionDeleted extends PartitionRef {
  readonly failure?: Failure | undefined;
  readonly lowWatermark: number;
}

export interface DescribeProducersRequest extends RequestContext {
  readonly partitions: readonly PartitionRef[];
}

export interface DescribeProducersResponse {
  readonly partitions: readonly PartitionProducers[];
}

export interface PartitionProducers extends PartitionRef {
  readonly failure?: Failure | undefined;
  /** In order of last use. */
  readonly producers: readonly ProducerDescription[];
}

export interface ProducerDescription {
  readonly producerId: number;
  readonly producerEpoch: number;
  /** Of the newest batch; -1 for none. */
  readonly lastSequence: number;
  /** The newest time in that batch; -1 for none. */
  readonly lastTimestamp: number;
}
