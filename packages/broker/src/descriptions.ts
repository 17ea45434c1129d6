/** Answers about the cluster from this broker's image: topics, brokers, settings. Never asks another node. */
import { checkTopicName, type NodeId, toMillraceError } from '@millrace/core';
import {
  type BrokerImage,
  type ConfigScope,
  describeConfig,
  isInternalTopic,
  type MetadataImage,
  type PartitionImage,
  type TopicImage,
  topicByName,
  topicConfigOf,
} from '@millrace/metadata';
import type {
  ConfigEntry,
  ConfigResource,
  DescribeClusterResponse,
  DescribeConfigsResponse,
  ResourceConfigs,
} from './admin-api.ts';
import type {
  BrokerNode,
  DescribeTopicsRequest,
  DescribeTopicsResponse,
  PartitionDescription,
  TopicDescription,
} from './broker-api.ts';
import { type BrokerConfig, brokerConfig } from './broker-config.ts';
import { type Failure, failure, failureOf } from './failure.ts';

export interface View {
  readonly clusterId: string;
  readonly controllerId: NodeId | -1;
  readonly image: MetadataImage;
}

export function describeTopics(view: View, request: DescribeTopicsRequest): DescribeTopicsResponse {
  const { image } = view;
  const isAll = request.names.length === 0 && request.topicIds.length === 0;
  const topics = isAll
    ? [...image.topics.values()].map(describeTopic)
    : [
        // Each once, however often it is named: an answer is thousands of times as long as a name.
        ...Array.from(new Set(request.names), (name) => describeNamed(image, name)),
        ...Array.from(new Set(request.topicIds), (id) => describeIdentified(image, id)),
      ];
  return {
    clusterId: view.clusterId,
    controllerId: view.controllerId,
    brokers: describeBrokers(image, request.listener),
    topics,
  };
}

export function describeCluster(view: View, listener: string): DescribeClusterResponse {
  const { image } = view;
  let leaderless = 0;
  let underReplicated = 0;
  let underMinIsr = 0;
  for (const topic of image.topics.values()) {
    const minimum = topicConfigOf(image, topic.id)['min.insync.replicas'];
    for (const { leader, isr, replicas } of topic.partitions) {
      if (leader === -1) leaderless += 1;
      if (isr.length < replicas.length) underReplicated += 1;
      if (isr.length < Math.min(minimum, replicas.length)) underMinIsr += 1;
    }
  }
  return {
    clusterId: view.clusterId,
    controllerId: view.controllerId,
    brokers: describeBrokers(image, listener),
    metadataOffset: image.offset,
    topicCount: image.topics.size,
    partitionCount: image.partitionCount,
    leaderlessPartitionCount: leaderless,
    underReplicatedPartitionCount: underReplicated,
    underMinIsrPartitionCount: underMinIsr,
  };
}

/** A broker shows its own settings as well, which only its configuration file can change. */
export function describeConfigs(
  image: MetadataImage,
  resources: readonly ConfigResource[],
  scope: ConfigScope,
  config: BrokerConfig,
): DescribeConfigsResponse {
  const nodeEntries = Object.entries(brokerConfig.keys).map(([text, key]): ConfigEntry => {
    const name = text as keyof BrokerConfig;
    const value = brokerConfig.format(name, config[name]);
    const synonyms = [{ name, value, source: 'static' }] as const;
    const { type, doc: documentation } = key;
    return { name, value, source: 'static', readOnly: true, type, documentation, synonyms };
  });
  return { resources: resources.map((resource) => describeResource(image, resource, scope, nodeEntries)) };
}

function describeResource(
  image: MetadataImage,
  resource: ConfigResource,
  scope: ConfigScope,
  nodeEntries: readonly ConfigEntry[],
): ResourceConfigs {
  const refuse = (code: Parameters<typeof failure>[0], message: string): ResourceConfigs => ({
    resource,
    failure: failure(code, message),
    entries: [],
  });
  const { kind, name } = resource;
  try {
    switch (kind) {
      case 'topic':
        if (topicByName(image, name) === undefined) {
          return refuse('UNKNOWN_TOPIC_OR_PARTITION', `there is no topic "${name}"`);
        }
        return { resource, entries: describeConfig(image, { kind, name }, scope) };
      case 'broker': {
        if (!/^\d+$/.test(name) || !image.brokers.has(Number(name))) {
          return refuse('BROKER_ID_NOT_REGISTERED', `there is no broker "${name}"`);
        }
        const isSelf = Number(name) === scope.brokerId;
        const entries = describeConfig(image, { kind, name }, isSelf ? scope : {});
        return { resource, entries: isSelf ? [...entries, ...nodeEntries] : entries };
      }
      case 'cluster':
        return { resource, entries: describeConfig(image, { kind, name: '' }) };
      default:
        return refuse('INVALID_REQUEST', `"${kind}" is none of topic, broker and cluster`);
    }
  } catch (error) {
    const { code, message } = toMillraceError(error);
    return refuse(code, message);
  }
}

function describeNamed(image: MetadataImage, name: string): TopicDescription {
  const topic = topicByName(image, name);
  return topic === undefined ? missing('', name, absence(name)) : describeTopic(topic);
}

/** A name that no topic may have is told apart: waiting for such a topic would be in vain. */
function absence(name: string): Failure {
  try {
    checkTopicName(name);
    return failure('UNKNOWN_TOPIC_OR_PARTITION', `there is no topic "${name}"`);
  } catch (error) {
    return failureOf(error);
  }
}

function describeIdentified(image: MetadataImage, id: string): TopicDescription {
  const topic = image.topics.get(id);
  return topic === undefined ? missing(id, '', failure('UNKNOWN_TOPIC_ID')) : describeTopic(topic);
}

function missing(topicId: string, name: string, fault: Failure): TopicDescription {
  return { topicId, name, failure: fault, internal: false, partitions: [] };
}

function describeTopic({ id, name, partitions }: TopicImage): TopicDescription {
  return {
    topicId: id,
    name,
    internal: isInternalTopic(name),
    partitions: partitions.map(describePartition),
  };
}

function describePartition(image: PartitionImage): PartitionDescription {
  return {
    partition: image.partition,
    leaderId: image.leader,
    leaderEpoch: image.leaderEpoch,
    replicas: image.replicas,
    isr: image.isr,
    elr: image.elr,
    lastKnownElr: image.lastKnownElr,
    partitionEpoch: image.partitionEpoch,
  };
}

function describeBrokers(image: MetadataImage, listener: string): BrokerNode[] {
  return [...image.brokers.values()].map((broker) => describeBroker(broker, listener));
}

/** A broker without the asked listener shows its first address: better than none. */
export function describeBroker(broker: BrokerImage, listener: string): BrokerNode {
  const { endpoints } = broker;
  const endpoint = endpoints.find((candidate) => candidate.listener === listener) ?? endpoints[0];
  return {
    id: broker.id,
    host: endpoint?.host ?? '',
    port: endpoint?.port ?? 0,
    rack: broker.rack,
    fenced: broker.fenced,
    inControlledShutdown: broker.inControlledShutdown,
    brokerEpoch: broker.brokerEpoch,
  };
}
