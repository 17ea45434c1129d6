/** Settings of group coordinators, under Kafka's names where Kafka has them. This table is the only place they exist. */
import {
  bytes,
  type ConfigOf,
  configSchema,
  count,
  DAY_MS,
  KiB,
  list,
  MINUTE_MS,
  MiB,
  millis,
  oneOf,
  SECOND_MS,
} from '@millrace/core';

export const groupConfig = configSchema('groups', {
  'group.consumer.assignors': list({
    default: ['uniform', 'range'],
    doc: 'Assignors that members of consumer groups may choose; the first is the default.',
  }),
  'group.consumer.heartbeat.interval.ms': millis({
    default: 5000,
    min: 10,
    doc: 'How often members of consumer groups are told to send heartbeats.',
  }),
  'group.consumer.max.size': count({
    default: 10_000,
    min: 1,
    doc: 'Members that one consumer group may have.',
  }),
  'group.consumer.migration.policy': oneOf(['bidirectional', 'upgrade', 'downgrade', 'disabled'], {
    default: 'bidirectional',
    doc: 'Which way groups may move between the classic and the consumer protocol while they are in use.',
  }),
  'group.consumer.regex.refresh.interval.ms': millis({
    default: 10 * MINUTE_MS,
    min: 10 * SECOND_MS,
    doc: 'How old a resolved pattern of a subscription may get before it is resolved again. New topics are noticed at once.',
  }),
  'group.consumer.session.timeout.ms': millis({
    default: 45 * SECOND_MS,
    min: 100,
    doc: 'A member of a consumer group that is silent for so long is expired.',
  }),
  'group.history.max.events': count({
    default: 200,
    min: 0,
    doc: 'Events that the coordinator remembers of each group for "group explain".',
  }),
  'group.initial.rebalance.delay.ms': millis({
    default: 3000,
    min: 0,
    doc: 'How long the first rebalance of an empty classic group waits for more members.',
  }),
  'group.max.session.timeout.ms': millis({
    default: 30 * MINUTE_MS,
    min: 100,
    doc: 'Longest session timeout that a member of a classic group may ask for.',
  }),
  'group.max.size': count({ default: 10_000, min: 1, doc: 'Members that one classic group may have.' }),
  'group.min.session.timeout.ms': millis({
    default: 6000,
    min: 10,
    doc: 'Shortest session timeout that a member of a classic group may ask for.',
  }),
  'offset.metadata.max.bytes': bytes({
    default: 4096,
    min: 0,
    doc: 'Longest metadata that may be committed with an offset.',
  }),
  'offsets.batch.max.bytes': bytes({
    default: 900 * KiB,
    min: KiB,
    doc: 'Largest batch that one request may write to __consumer_offsets. Keep it below max.message.bytes of that topic.',
  }),
  'offsets.commit.timeout.ms': millis({
    default: 5000,
    min: 1,
    doc: 'How long a commit waits for the in-sync replicas of its coordinator before REQUEST_TIMED_OUT.',
  }),
  'offsets.retention.check.interval.ms': millis({
    default: 10 * MINUTE_MS,
    min: 10,
    doc: 'How often expired offsets are looked for.',
  }),
  'offsets.retention.minutes': count({
    default: 7 * (DAY_MS / MINUTE_MS),
    min: 1,
    doc: 'Minutes after which the offsets of a group without members expire.',
  }),
  'offsets.topic.num.partitions': count({
    default: 50,
    min: 1,
    doc: 'Partitions of __consumer_offsets, when it is created. A coordinator leads one.',
  }),
  'offsets.topic.replication.factor': count({
    default: 3,
    min: 1,
    max: 32,
    doc: 'Replicas of __consumer_offsets, when it is created. A smaller cluster gets as many as it has nodes.',
  }),
  'offsets.topic.segment.bytes': bytes({
    default: 100 * MiB,
    min: MiB,
    doc: 'Segment size of __consumer_offsets. Smaller segments are compacted sooner and load faster.',
  }),
});

export type GroupConfig = ConfigOf<typeof groupConfig>;
