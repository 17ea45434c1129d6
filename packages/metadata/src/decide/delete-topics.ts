/** Topic deletion, by name or by id. A topic that is created again under the name has another id. */
import { MillraceError, type TopicId } from '@millrace/core';
import type { DeleteTopicsRequest, DeleteTopicsResponse, TopicResult } from '../command.ts';
import { clusterConfigOf } from '../effective-config.ts';
import type { MetadataImage } from '../image.ts';
import { isInternalTopic } from '../internal-topic.ts';
import type { MetadataRecord } from '../record.ts';
import { type Decision, type DecisionContext, failureOf } from './decision.ts';

/** @throws {MillraceError} TOPIC_DELETION_DISABLED if `delete.topic.enable` is off. */
export function deleteTopics(
  image: MetadataImage,
  { names = [], topicIds = [] }: DeleteTopicsRequest,
  context: DecisionContext,
): Decision<DeleteTopicsResponse> {
  if (!clusterConfigOf(image, context.scope)['delete.topic.enable']) {
    throw new MillraceError('TOPIC_DELETION_DISABLED');
  }
  const records: MetadataRecord[] = [];
  const seen = new Set<TopicId>();
  const asked = [
    ...names.map((name) => ({ name, topicId: image.topicIds.get(name) ?? '' })),
    ...topicIds.map((topicId) => ({ name: image.topics.get(topicId)?.name ?? '', topicId })),
  ];
  const topics = asked.map(({ name, topicId }): TopicResult => {
    const failure = failureOf(() => {
      if (topicId === '') throw new MillraceError('UNKNOWN_TOPIC_OR_PARTITION', `there is no topic ${name}`);
      if (!image.topics.has(topicId))
        throw new MillraceError('UNKNOWN_TOPIC_ID', `no topic has the id ${topicId}`);
      if (isInternalTopic(name)) {
        throw new MillraceError('INVALID_TOPIC_EXCEPTION', `topic ${name} is internal: it stays`);
      }
      if (seen.has(topicId)) {
        throw new MillraceError('INVALID_REQUEST', `topic ${name} is in the request twice`);
      }
      seen.add(topicId);
      records.push({ kind: 'topicDeleted', topicId });
    });
    return failure === undefined ? { name, topicId } : { name, topicId, failure };
  });
  return { records, reply: { topics } };
}
