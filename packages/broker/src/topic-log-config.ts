/** From a topic's settings to the numbers its logs need. Only translation; defaults stand with the settings. */
import { DAY_MS } from '@millrace/core';
import type { TopicConfig } from '@millrace/metadata';
import type { LogConfig } from '@millrace/storage';

/** As Kafka's `producer.id.expiration.ms`. */
const PRODUCER_ID_EXPIRATION_MS = DAY_MS;

export function topicLogConfig(topic: TopicConfig): LogConfig {
  const isDeleted = topic['cleanup.policy'].includes('delete');
  const isCompacted = topic['cleanup.policy'].includes('compact');
  // A record in the active segment cannot be cleaned, so the segment is rolled in time.
  const segmentMs = isCompacted
    ? Math.min(topic['segment.ms'], topic['max.compaction.lag.ms'])
    : topic['segment.ms'];
  return {
    segmentBytes: topic['segment.bytes'],
    segmentMs,
    segmentJitterMs: topic['segment.jitter.ms'],
    indexIntervalBytes: topic['index.interval.bytes'],
    segmentIndexBytes: topic['segment.index.bytes'],
    retentionMs: isDeleted ? topic['retention.ms'] : -1,
    retentionBytes: isDeleted ? topic['retention.bytes'] : -1,
    isCompacted,
    minCleanableDirtyRatio: topic['min.cleanable.dirty.ratio'],
    minCompactionLagMs: topic['min.compaction.lag.ms'],
    maxCompactionLagMs: topic['max.compaction.lag.ms'],
    deleteRetentionMs: topic['delete.retention.ms'],
    maxMessageBytes: topic['max.message.bytes'],
    timestampType: topic['message.timestamp.type'] === 'LogAppendTime' ? 'append' : 'create',
    timestampBeforeMaxMs: topic['message.timestamp.before.max.ms'],
    timestampAfterMaxMs: topic['message.timestamp.after.max.ms'],
    durability: topic.durability,
    fileDeleteDelayMs: topic['file.delete.delay.ms'],
    producerIdExpirationMs: PRODUCER_ID_EXPIRATION_MS,
  };
}
