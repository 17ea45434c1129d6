/**
 * Settings of the cluster or of one broker that can change while it runs: what new topics get, and the defaults
 * of topic settings under the names that Kafka's brokers have for them (`log.retention.ms` for `retention.ms`).
 */
import { type ConfigKey, type ConfigOf, configSchema, count, flag } from '@millrace/core';
import { type TopicConfig, type TopicConfigName, topicConfig } from './topic-config.ts';

/** The broker's name for the default of each topic setting. */
export const BROKER_NAME_OF = {
  'cleanup.policy': 'log.cleanup.policy',
  'compression.type': 'compression.type',
  'delete.retention.ms': 'log.cleaner.delete.retention.ms',
  durability: 'log.durability',
  'file.delete.delay.ms': 'log.segment.delete.delay.ms',
  'flush.messages': 'log.flush.interval.messages',
  'flush.ms': 'log.flush.interval.ms',
  'index.interval.bytes': 'log.index.interval.bytes',
  'max.compaction.lag.ms': 'log.cleaner.max.compaction.lag.ms',
  'max.message.bytes': 'message.max.bytes',
  'message.timestamp.after.max.ms': 'log.message.timestamp.after.max.ms',
  'message.timestamp.before.max.ms': 'log.message.timestamp.before.max.ms',
  'message.timestamp.type': 'log.message.timestamp.type',
  'min.cleanable.dirty.ratio': 'log.cleaner.min.cleanable.ratio',
  'min.compaction.lag.ms': 'log.cleaner.min.compaction.lag.ms',
  'min.insync.replicas': 'min.insync.replicas',
  'retention.bytes': 'log.retention.bytes',
  'retention.ms': 'log.retention.ms',
  'segment.bytes': 'log.segment.bytes',
  'segment.index.bytes': 'log.index.size.max.bytes',
  'segment.jitter.ms': 'log.roll.jitter.ms',
  'segment.ms': 'log.roll.ms',
  'unclean.leader.election.enable': 'unclean.leader.election.enable',
} as const satisfies Record<TopicConfigName, string>;

type BrokerNames = typeof BROKER_NAME_OF;
type TopicDefaults = { [T in TopicConfigName as BrokerNames[T]]: ConfigKey<TopicConfig[T]> };

const topicDefaults = Object.fromEntries(
  Object.entries(BROKER_NAME_OF).map(([topicName, brokerName]) => {
    const key = topicConfig.keys[topicName as TopicConfigName];
    return [brokerName, { ...key, doc: `Default of the topic setting ${topicName}. ${key.doc}` }];
  }),
) as unknown as TopicDefaults;

export const clusterConfig = configSchema('cluster', {
  'auto.create.topics.enable': flag({
    default: true,
    doc: 'Create a topic that a client asks for and that does not exist.',
  }),
  'default.replication.factor': count({
    default: 1,
    min: 1,
    max: 2 ** 15 - 1,
    doc: 'Replicas of topics that are created without saying how many.',
  }),
  'delete.topic.enable': flag({ default: true, doc: 'Whether topics can be deleted at all.' }),
  'num.partitions': count({
    default: 1,
    min: 1,
    max: 100_000,
    doc: 'Partitions of topics that are created without saying how many.',
  }),
  ...topicDefaults,
});

export type ClusterConfig = ConfigOf<typeof clusterConfig>;

/** Settings that decide what is committed or who may lead must be the same on every broker. */
export const CLUSTER_ONLY: ReadonlySet<string> = new Set([
  'auto.create.topics.enable',
  'default.replication.factor',
  'delete.topic.enable',
  'log.durability',
  'min.insync.replicas',
  'num.partitions',
  'unclean.leader.election.enable',
]);

/**
 * What counts as committed must not depend on whose file a node reads: these are never taken from a file, only from
 * the metadata, where a new controller records its own file's value once.
 */
export const RECORDED_IN_METADATA: ReadonlySet<string> = new Set(['log.durability', 'min.insync.replicas']);
