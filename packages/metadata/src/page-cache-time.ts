/** Whether a replica's data may be in the page cache only: now, or since a time when its topic was not durable. Pure look-ups. */
import type { TopicId } from '@millrace/core';
import { CLUSTER_RESOURCE, type ConfigResource, configResourceKey } from './config-resource.ts';
import { type ConfigScope, topicConfigOf } from './effective-config.ts';
import { configOverrides, type MetadataImage } from './image.ts';

/** Whether a broker that lives since `brokerEpoch` may hold records of the topic that were never synced. */
export function mayBeUnsynced(
  image: MetadataImage,
  topicId: TopicId,
  brokerEpoch: number,
  scope: ConfigScope,
): boolean {
  if (topicConfigOf(image, topicId, scope).durability === 'page-cache') return true;
  const topic: ConfigResource = { kind: 'topic', name: image.topics.get(topicId)?.name ?? '' };
  const isOwn = configOverrides(image, topic).has('durability');
  return (isOwn ? [topic] : [topic, CLUSTER_RESOURCE]).some((source) => {
    return (image.pageCacheUntil.get(configResourceKey(source)) ?? -1) > brokerEpoch;
  });
}
