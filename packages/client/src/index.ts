/** The Millrace SDK: producer, consumer, admin. */
export { type ErrorCode, type Logger, MillraceError, type TopicPartition } from '@millrace/core';
export { type CompressionCodec, murmur2, type RecordHeader } from '@millrace/records';
export { Admin } from './admin/admin.ts';
export type {
  AdminOptions,
  BrokerInfo,
  ClusterInfo,
  ConfigChange,
  ConfigEntry,
  ConfigResource,
  CreatedTopic,
  DeletedRecords,
  ElectedLeader,
  ListedOffset,
  NewPartitions,
  NewTopic,
  NodeHealth,
  PartitionInfo,
  QuorumInfo,
  QuorumReplicaInfo,
  ResourceConfigs,
  TopicInfo,
  ValidateOptions,
  VoterOptions,
} from './admin/admin-shapes.ts';
export type {
  GroupEvent,
  GroupHistory,
  GroupInfo,
  GroupLag,
  GroupMember,
  GroupOffset,
  GroupState,
  GroupSummary,
  GroupType,
  ListGroupsOptions,
  MemberPause,
  OffsetToAlter,
} from './admin/group-shapes.ts';
export { clientConfig, consumerConfig, producerConfig } from './client-config.ts';
export type { OffsetSpec } from './cluster/offset-lookup.ts';
export { networkTransport } from './cluster/rpc-transport.ts';
export type { Address, CallOptions, Connection, Transport } from './cluster/transport.ts';
export { Consumer } from './consumer/consumer.ts';
export type {
  ConsumerBatch,
  ConsumerOptions,
  ConsumerRecord,
  OffsetAndTimestamp,
  PollOptions,
  RequestOptions,
} from './consumer/consumer-record.ts';
export type {
  CommittedPartition,
  GroupCallbacks,
  OffsetCommit,
  PartitionLag,
  RunOptions,
  Stall,
  TopicPattern,
} from './group/group-shapes.ts';
export { Millrace, type MillraceOptions } from './millrace.ts';
export {
  defaultPartitioner,
  type Partitioner,
  type PartitionerInput,
  type PartitionRule,
  partitionOfKey,
  roundRobinPartitioner,
} from './producer/partitioner.ts';
export { Producer } from './producer/producer.ts';
export type {
  CloseOptions,
  HeadersInput,
  ProducerOptions,
  ProducerRecord,
  RecordMetadata,
  SendOptions,
} from './producer/producer-record.ts';
export {
  type BytesLike,
  bytes,
  type Deserializer,
  float64,
  int32,
  int64,
  json,
  type Serde,
  type Serializer,
  string,
  uint32,
} from './serializers.ts';
export { systemClock, systemRandom } from './system-clock.ts';
