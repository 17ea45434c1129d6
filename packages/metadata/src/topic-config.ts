/**
 * Every topic setting, under Kafka's key with Kafka's default, and `durability`, which is ours. What a key means
 * for the log is the storage's business; here are only its type, range and text.
 */
import {
  bytes,
  type ConfigKey,
  type ConfigOf,
  configSchema,
  count,
  DAY_MS,
  flag,
  GiB,
  HOUR_MS,
  KiB,
  MINUTE_MS,
  MiB,
  millis,
  oneOf,
  ratio,
} from '@millrace/core';
import { boundless, choices } from './config-key.ts';

const INT_MAX = 2 ** 31 - 1;

export const topicConfig = configSchema('topic', {
  'cleanup.policy': choices(['delete', 'compact'], {
    default: ['delete'],
    doc: 'What happens to old segments: they are deleted by age and size (delete), thinned to the last record of each key (compact), both, or kept for ever (empty). Internal topics are compacted.',
  }),
  'compression.type': oneOf(['producer', 'uncompressed', 'gzip', 'snappy', 'lz4', 'zstd'], {
    default: 'producer',
    doc: 'Codec of stored batches. "producer" keeps each batch as the producer made it.',
  }),
  durability: oneOf(['fsync', 'page-cache'], {
    default: 'fsync',
    doc: 'When a replica counts as holding a write: "fsync" once it is on stable storage, so that acknowledged writes survive power loss of every node; "page-cache" once the operating system has it, which is what Kafka promises.',
  }),
  'delete.retention.ms': boundless({
    default: DAY_MS,
    doc: 'How long a compacted topic keeps a tombstone after it was first cleaned: a reader that needs longer from the beginning to the end may miss the deletion.',
  }),
  'file.delete.delay.ms': millis({
    default: MINUTE_MS,
    min: 0,
    doc: 'How long a deleted segment file stays on disk for readers that still have it open.',
  }),
  'flush.messages': boundless({
    default: Number.MAX_SAFE_INTEGER,
    min: 1,
    doc: 'Accepted for the sake of programs written for Kafka; when a write is flushed is a matter of durability.',
  }),
  'flush.ms': boundless({
    default: Number.MAX_SAFE_INTEGER,
    doc: 'Accepted for the sake of programs written for Kafka; when a write is flushed is a matter of durability.',
  }),
  'index.interval.bytes': bytes({
    default: 4 * KiB,
    min: 0,
    max: INT_MAX,
    doc: 'One offset index entry for this many bytes of log.',
  }),
  'max.compaction.lag.ms': boundless({
    default: Number.MAX_SAFE_INTEGER,
    min: 1,
    doc: 'A record of a compacted topic is cleaned at the latest this long after it was written, whatever the dirty ratio.',
  }),
  'max.message.bytes': bytes({
    default: MiB + 12,
    min: 0,
    max: INT_MAX,
    doc: 'Largest record batch that a producer may send, in bytes after compression.',
  }),
  'message.timestamp.after.max.ms': boundless({
    default: HOUR_MS,
    doc: 'How far in the future a record of timestamp type CreateTime may lie.',
  }),
  'message.timestamp.before.max.ms': boundless({
    default: Number.MAX_SAFE_INTEGER,
    doc: 'How far in the past a record of timestamp type CreateTime may lie.',
  }),
  'message.timestamp.type': oneOf(['CreateTime', 'LogAppendTime'], {
    default: 'CreateTime',
    doc: "Whose clock a record's timestamp shows: the producer's, or the leader's at append.",
  }),
  'min.cleanable.dirty.ratio': ratio({
    default: 0.5,
    doc: 'Share of a compacted log that must not have been cleaned yet before it is cleaned. Less keeps the log smaller and cleans it more often.',
  }),
  'min.compaction.lag.ms': boundless({
    default: 0,
    doc: 'A record of a compacted topic stays at least this long, even if a newer one has its key. Not above max.compaction.lag.ms.',
  }),
  'min.insync.replicas': count({
    default: 1,
    min: 1,
    max: INT_MAX,
    doc: 'In-sync replicas that must hold a write before acks=all succeeds and readers see it. With 3 replicas use 2: no acknowledged write is lost with one node.',
  }),
  'retention.bytes': boundless({
    default: -1,
    min: -1,
    doc: 'Size of a partition above which its oldest segments are deleted; -1: no limit.',
  }),
  'retention.ms': boundless({
    default: 7 * DAY_MS,
    min: -1,
    doc: 'Age at which segments are deleted, by the newest timestamp in them; -1: never.',
  }),
  'segment.bytes': bytes({
    default: GiB,
    // Kafka 4 refuses less than 1 MiB; tests of rolling and recovery need small segments.
    min: KiB,
    max: INT_MAX,
    doc: 'Size of a segment file. Retention works on whole segments.',
  }),
  'segment.index.bytes': bytes({
    default: 10 * MiB,
    min: 4,
    max: INT_MAX,
    doc: 'Size of an index file at which the segment is rolled.',
  }),
  'segment.jitter.ms': boundless({
    default: 0,
    doc: 'Random time taken off segment.ms, so that not all partitions roll at once.',
  }),
  'segment.ms': boundless({
    default: 7 * DAY_MS,
    min: 1,
    doc: 'Age at which the active segment is rolled even if it is not full.',
  }),
  'unclean.leader.election.enable': flag({
    default: false,
    doc: 'Let a replica outside the in-sync set lead if no other can. Loses acknowledged records; leave it off unless availability matters more.',
  }),
} satisfies Record<string, ConfigKey<unknown>>);

export type TopicConfig = ConfigOf<typeof topicConfig>;
export type TopicConfigName = keyof TopicConfig;
