/** Which partitions one answer of DescribeTopicPartitions shows, and where the next one goes on (KIP-966). Pure. */
import type { TopicDescription } from '@millrace/broker';

export interface TopicCursor {
  readonly topicName: string;
  readonly partitionIndex: number;
}

export interface TopicPage {
  readonly topics: readonly TopicDescription[];
  /** The first partition that found no room; undefined if there is none. */
  readonly next: TopicCursor | undefined;
}

/**
 * Topics go by name. A cursor stands for its place whether or not there is such a topic: what was deleted meanwhile
 * is passed over. A topic without partitions, as one that is unknown, takes no room.
 */
export function pageOf(
  all: readonly TopicDescription[],
  cursor: TopicCursor | null,
  partitionLimit: number,
): TopicPage {
  const topics: TopicDescription[] = [];
  let room = partitionLimit;
  const sorted = [...all].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  for (const topic of sorted) {
    if (cursor !== null && topic.name < cursor.topicName) continue;
    const first = topic.name === cursor?.topicName ? cursor.partitionIndex : 0;
    const rest = topic.partitions.slice(first);
    if (rest.length > 0 && room === 0)
      return { topics, next: { topicName: topic.name, partitionIndex: first } };
    const partitions = rest.slice(0, room);
    topics.push({ ...topic, partitions });
    room -= partitions.length;
    if (partitions.length < rest.length) {
      return { topics, next: { topicName: topic.name, partitionIndex: first + partitions.length } };
    }
  }
  return { topics, next: undefined };
}
