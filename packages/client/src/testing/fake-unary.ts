/** The fake cluster's answers to unary calls. For this package's tests only. */
import { MillraceError } from '@millrace/core';
import type {
  AddVoterRequest,
  BrokerNode,
  ConsumerGroupHeartbeatRequest,
  CreatePartitionsRequest,
  CreateTopicsRequest,
  DeleteRecordsRequest,
  DeleteTopicsRequest,
  DescribeTopicsRequest,
  DescribeTopicsResponse,
  FetchOffsetsRequest,
  FindCoordinatorsRequest,
  ListOffsetsRequest,
  PartitionOffset,
  PartitionOffsetQuery,
  TopicDescription,
} from '@millrace/protocol';
import { type FakeCluster, type FakeTopic, failureOf } from './fake-cluster.ts';

export function answerUnary(
  cluster: FakeCluster,
  method: string,
  request: unknown,
  brokerId: number,
): unknown {
  switch (method) {
    case 'FindCoordinators':
      return findCoordinators(cluster, request as FindCoordinatorsRequest);
    case 'ConsumerGroupHeartbeat': {
      const heartbeat = request as ConsumerGroupHeartbeatRequest;
      return cluster.group(heartbeat.groupId).heartbeat(brokerId, heartbeat);
    }
    case 'FetchOffsets': {
      const fetch = request as FetchOffsetsRequest;
      return cluster.group(fetch.groupId).fetchOffsets(brokerId, fetch);
    }
    case 'DescribeTopics':
      return describeTopics(cluster, request as DescribeTopicsRequest);
    case 'InitProducerId':
      return { producerId: cluster.nextProducerId++, producerEpoch: 0 };
    case 'ListOffsets':
      return {
        partitions: (request as ListOffsetsRequest).partitions.map((query) => offsetFor(cluster, query)),
      };
    case 'CreateTopics':
      return createTopics(cluster, request as CreateTopicsRequest);
    case 'DeleteTopics':
      return deleteTopics(cluster, request as DeleteTopicsRequest);
    case 'CreatePartitions':
      return createPartitions(cluster, request as CreatePartitionsRequest);
    case 'DeleteRecords':
      return deleteRecords(cluster, request as DeleteRecordsRequest);
    case 'AddVoter':
      return changeVoter(cluster, (request as AddVoterRequest).nodeId, true);
    case 'RemoveVoter':
      return changeVoter(cluster, (request as AddVoterRequest).nodeId, false);
    case 'DescribeQuorum':
      return describeQuorum(cluster);
    default:
      throw new MillraceError('UNSUPPORTED_VERSION', `the fake cluster does not know ${method}`);
  }
}

function brokers(cluster: FakeCluster): BrokerNode[] {
  return cluster.brokerIds.map((id) => ({
    id,
    host: `broker-${id}`,
    port: 9191,
    rack: '',
    fenced: cluster.down.has(id),
    inControlledShutdown: false,
    brokerEpoch: 1,
  }));
}

function findCoordinators(cluster: FakeCluster, { groupIds }: FindCoordinatorsRequest): unknown {
  return {
    coordinators: groupIds.map((groupId) => {
      const { brokerId } = cluster.group(groupId);
      if (cluster.down.has(brokerId)) return { groupId, failure: failureOf('COORDINATOR_NOT_AVAILABLE') };
      return { groupId, node: brokers(cluster).find(({ id }) => id === brokerId) };
    }),
  };
}

function describeTopics(
  cluster: FakeCluster,
  { names, topicIds }: DescribeTopicsRequest,
): DescribeTopicsResponse {
  const byId = topicIds.map((id) => cluster.topicById(id)?.name ?? '');
  const isForAll = names.length === 0 && topicIds.length === 0;
  const wanted = isForAll ? [...cluster.topics.keys()] : [...names, ...byId];
  return {
    clusterId: 'fake-cluster',
    controllerId: cluster.controllerId,
    brokers: brokers(cluster),
    topics: wanted.map((name) => describeTopic(cluster, name)),
  };
}

function describeTopic(cluster: FakeCluster, name: string): TopicDescription {
  const topic = cluster.topics.get(name);
  if (topic === undefined) {
    return {
      topicId: '',
      name,
      failure: failureOf('UNKNOWN_TOPIC_OR_PARTITION'),
      internal: false,
      partitions: [],
    };
  }
  return {
    topicId: topic.id,
    name,
    internal: false,
    partitions: topic.partitions.map((partition) => ({
      partition: partition.number,
      leaderId: cluster.reportedLeader(name, partition).leaderId,
      leaderEpoch: cluster.reportedLeader(name, partition).leaderEpoch,
      replicas: cluster.brokerIds,
      isr: cluster.brokerIds,
      elr: [],
      lastKnownElr: [],
      partitionEpoch: 0,
    })),
  };
}

function offsetFor(
  cluster: FakeCluster,
  { topicId, partition: number, timestamp }: PartitionOffsetQuery,
): PartitionOffset {
  const partition = cluster.topicById(topicId)?.partitions[number];
  const base = { topicId, partition: number, offset: -1, timestamp: -1, leaderEpoch: -1 };
  if (partition === undefined) return { ...base, failure: failureOf('UNKNOWN_TOPIC_ID') };
  const at = (offset: number, time = -1): PartitionOffset => ({
    ...base,
    offset,
    timestamp: time,
    leaderEpoch: partition.epochBefore(offset),
  });
  if (timestamp === -1) return at(partition.endOffset);
  if (timestamp === -2) return at(partition.startOffset);
  const found = partition.records().find((record) => record.timestamp >= timestamp);
  return found === undefined ? base : at(found.offset, found.timestamp);
}

function createTopics(cluster: FakeCluster, { topics, validateOnly }: CreateTopicsRequest): unknown {
  return {
    topics: topics.map(({ name, partitionCount }) => {
      const none = { name, topicId: '', partitionCount: 0, replicationFactor: 0 };
      if (cluster.topics.has(name)) return { ...none, failure: failureOf('TOPIC_ALREADY_EXISTS') };
      if (validateOnly) return { ...none, partitionCount, replicationFactor: 1 };
      const topic: FakeTopic = cluster.createTopic(name, Math.max(1, partitionCount));
      return { name, topicId: topic.id, partitionCount: topic.partitions.length, replicationFactor: 1 };
    }),
  };
}

function deleteTopics(cluster: FakeCluster, { names }: DeleteTopicsRequest): unknown {
  return {
    topics: names.map((name) => {
      const existed = cluster.topics.delete(name);
      return { name, topicId: '', ...(!existed && { failure: failureOf('UNKNOWN_TOPIC_OR_PARTITION') }) };
    }),
  };
}

function createPartitions(cluster: FakeCluster, { topics, validateOnly }: CreatePartitionsRequest): unknown {
  return {
    topics: topics.map(({ name, totalCount }) => {
      const isGrowth = cluster.topics.get(name)!.partitions.length < totalCount;
      if (isGrowth && !validateOnly) cluster.addPartitions(name, totalCount);
      return { name, topicId: '', ...(!isGrowth && { failure: failureOf('INVALID_PARTITIONS') }) };
    }),
  };
}

function deleteRecords(cluster: FakeCluster, { partitions }: DeleteRecordsRequest): unknown {
  return {
    partitions: partitions.map(({ topicId, partition: number, beforeOffset }) => {
      const partition = cluster.topicById(topicId)!.partitions[number]!;
      partition.startOffset = beforeOffset < 0 ? partition.endOffset : beforeOffset;
      return { topicId, partition: number, lowWatermark: partition.startOffset };
    }),
  };
}

/** As the controller does: an addition waits in vain for nobody here, so what does not observe is refused at once. */
function changeVoter(cluster: FakeCluster, nodeId: number, votes: boolean): unknown {
  if (cluster.controllers.get(nodeId) === votes) {
    throw new MillraceError(votes ? 'DUPLICATE_VOTER' : 'VOTER_NOT_FOUND');
  }
  if (!cluster.controllers.has(nodeId)) throw new MillraceError('VOTER_NOT_FOUND');
  cluster.controllers.set(nodeId, votes);
  return { directoryId: `directory-${nodeId}` };
}

function describeQuorum(cluster: FakeCluster): unknown {
  const replicas = (wanted: boolean) =>
    [...cluster.controllers]
      .filter(([, votes]) => votes === wanted)
      .map(([nodeId]) => ({
        nodeId,
        directoryId: `directory-${nodeId}`,
        address: '',
        logEndOffset: 10,
        lastContactMs: 0,
        lastCaughtUpMs: 0,
      }));
  return {
    leaderId: cluster.controllerId,
    leaderEpoch: 1,
    highWatermark: 10,
    voters: replicas(true),
    observers: replicas(false),
  };
}
