/** Which partition a log belongs to. The name alone does not tell which topic of that name it was. */
import type { TopicId } from '@millrace/core';

export interface PartitionId {
  readonly topic: string;
  readonly partition: number;
  readonly topicId: TopicId;
}
