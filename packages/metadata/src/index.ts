/** Cluster metadata: commands to records to image. Pure. */
export { applyRecords } from './apply.ts';
export {
  BROKER_NAME_OF,
  CLUSTER_ONLY,
  type ClusterConfig,
  clusterConfig,
  RECORDED_IN_METADATA,
} from './cluster-config.ts';
export type {
  AllocateProducerIdsRequest,
  AllocateProducerIdsResponse,
  AlterConfigsRequest,
  AlterConfigsResponse,
  AlteredPartition,
  AlterPartitionsRequest,
  AlterPartitionsResponse,
  BrokerHeartbeat,
  BrokerRegistration,
  BrokerState,
  ConfigChange,
  ConfigOperation,
  CreatedTopic,
  CreatePartitionsRequest,
  CreatePartitionsResponse,
  CreateTopicsRequest,
  CreateTopicsResponse,
  DeleteTopicsRequest,
  DeleteTopicsResponse,
  ElectedPartition,
  ElectLeadersRequest,
  ElectLeadersResponse,
  Failure,
  IsrMember,
  NewPartitions,
  NewTopic,
  PartitionAlteration,
  PartitionRef,
  ReplicaAssignment,
  ResourceResult,
  TopicResult,
} from './command.ts';
export {
  CLUSTER_RESOURCE,
  type ConfigResource,
  type ConfigResourceKey,
  configResourceKey,
  configResourceOf,
} from './config-resource.ts';
export { allocateProducerIds } from './decide/allocate-producer-ids.ts';
export { alterConfigs } from './decide/alter-configs.ts';
export { alterPartitions } from './decide/alter-partitions.ts';
export {
  changePartition,
  type ElectionRules,
  electionRules,
  type PartitionTarget,
} from './decide/change-partition.ts';
export { createPartitions } from './decide/create-partitions.ts';
export { createTopics } from './decide/create-topics.ts';
export {
  checkBrokerEpoch,
  type Decision,
  type DecisionContext,
  type DecisionLimits,
} from './decide/decision.ts';
export { deleteTopics } from './decide/delete-topics.ts';
export { electLeaders, rebalanceLeaders } from './decide/elect-leaders.ts';
export {
  beginShutdown,
  electLeaderless,
  fenceBroker,
  movableLeaderships,
  unfenceBroker,
} from './decide/fence-broker.ts';
export { type HeartbeatReply, heartbeat } from './decide/heartbeat.ts';
export { type RegistrationReply, registerBroker } from './decide/register-broker.ts';
export { deltaBetween, type MetadataDelta } from './delta.ts';
export {
  type ConfigScope,
  type ConfigSource,
  type ConfigSynonym,
  clusterConfigOf,
  describeConfig,
  describeTopicConfig,
  type EffectiveEntry,
  topicConfigByName,
  topicConfigOf,
} from './effective-config.ts';
export { decodeEntry, type EncodedEntry, encodeEntries } from './entry-codec.ts';
export {
  type BrokerImage,
  type ConfigOverrides,
  configOverrides,
  emptyImage,
  isActive,
  type MetadataImage,
  type PartitionImage,
  partitionOf,
  partitionsOf,
  type TopicImage,
  topicByName,
} from './image.ts';
export { isInternalTopic, METADATA_TOPIC, OFFSETS_TOPIC } from './internal-topic.ts';
export { type PlacementBroker, placeReplicas } from './placement.ts';
export {
  type BrokerChanged,
  type BrokerRegistered,
  type ConfigChanged,
  type Endpoint,
  type MetadataRecord,
  NO_LEADER,
  type PartitionChanged,
  type PartitionsCreated,
  type ProducerIdsAllocated,
  type TopicCreated,
  type TopicDeleted,
} from './record.ts';
export { decodeRecords, encodeRecords, RECORDS_VERSION } from './record-codec.ts';
export { checkClusterRules } from './settings-rules.ts';
export { decodeSnapshot, encodeSnapshot } from './snapshot-codec.ts';
export { type TopicConfig, type TopicConfigName, topicConfig } from './topic-config.ts';
