/** From a topic's settings to the numbers its logs need. Only translation; defaults stand with the settings. */
import { DAY_MS } from '@millrace/core';
import type { TopicConfig } from '@millrace/metadata';
import type { LogConfig } from '@millrace/storage';

/** As Kafka's `producer.id.expiration.ms`. */
const PRODUCER_ID_EXPIRATION_MS = DAY_MS;

export function topicLogConfig(topic: TopicConfig): LogConfig {
  const isDeleted = topic['cleanup.policy'].includes('delete');
  return {
    segmentBytes: topic['segment.bytes'],
    segmentMs: topic['segment.ms'],
    segmentJitterMs: topic['segment.jitter.ms'],
    indexIntervalBytes: topic['index.interval.bytes'],
    segmentIndexBytes: topic['segment.index.bytes'],
    retentionMs: isDeleted ? topic['retention.ms'] : -1,
    retentionBytes: isDeleted ? topic['retention.bytes'] : -1,
    maxMessageBytes: topic['max.message.bytes'],
    timestampType: topic['message.timestamp.type'] === 'LogAppendTime' ? 'append' : 'create',
    timestampBeforeMaxMs: topic['message.timestamp.before.max.ms'],
    timestampAfterMaxMs: topic['message.timestamp.after.max.ms'],
    durability: topic.durability,
    fileDeleteDelayMs: topic['file.delete.delay.ms'],
    producerIdExpirationMs: PRODUCER_ID_EXPIRATION_MS,
    preallocate: topic.preallocate,
  };
}
