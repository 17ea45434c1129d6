/** More partitions for topics that exist. Existing partitions stay as they are; their number never shrinks. */
import { MillraceError } from '@millrace/core';
import type {
  CreatePartitionsRequest,
  CreatePartitionsResponse,
  NewPartitions,
  TopicResult,
} from '../command.ts';
import { type MetadataImage, type TopicImage, topicByName } from '../image.ts';
import { isInternalTopic } from '../internal-topic.ts';
import type { MetadataRecord, PartitionsCreated } from '../record.ts';
import { checkAssignments, chooseReplicas, partitionsCreated } from './assign-replicas.ts';
import { PartitionBudget } from './create-topics.ts';
import { type Decision, type DecisionContext, failureOf } from './decision.ts';

export function createPartitions(
  image: MetadataImage,
  { topics, validateOnly = false }: CreatePartitionsRequest,
  context: DecisionContext,
): Decision<CreatePartitionsResponse> {
  const records: MetadataRecord[] = [];
  const seen = new Set<string>();
  const budget = new PartitionBudget(image, context);
  const results = topics.map((growth): TopicResult => {
    const topic = topicByName(image, growth.name);
    const failure = failureOf(() => {
      if (topic === undefined) {
        throw new MillraceError('UNKNOWN_TOPIC_OR_PARTITION', `there is no topic ${growth.name}`);
      }
      if (isInternalTopic(growth.name)) {
        throw new MillraceError(
          'INVALID_TOPIC_EXCEPTION',
          `topic ${growth.name} is internal: who coordinates a group follows from its number of partitions`,
        );
      }
      if (seen.has(growth.name)) {
        throw new MillraceError('INVALID_REQUEST', `topic ${growth.name} is in the request twice`);
      }
      const created = grow(image, topic, growth, budget, context);
      budget.take(created.replicas.length);
      seen.add(growth.name);
      records.push(created);
    });
    const result = { name: growth.name, topicId: topic?.id ?? '' };
    return failure === undefined ? result : { ...result, failure };
  });
  return { records: validateOnly ? [] : records, reply: { topics: results } };
}

function grow(
  image: MetadataImage,
  topic: TopicImage,
  { totalCount, assignments = [] }: NewPartitions,
  budget: PartitionBudget,
  context: DecisionContext,
): PartitionsCreated {
  const current = topic.partitions.length;
  if (!Number.isSafeInteger(totalCount) || totalCount <= current) {
    throw new MillraceError(
      'INVALID_PARTITIONS',
      `topic ${topic.name} has ${current} partitions; a new total of ${totalCount} would not add any`,
    );
  }
  const added = totalCount - current;
  budget.check(added);
  const factor = topic.partitions[0]!.replicas.length;
  if (assignments.length === 0) {
    return partitionsCreated(image, topic.id, current, chooseReplicas(image, added, factor, context.random));
  }
  if (assignments.length !== added) {
    throw new MillraceError(
      'INVALID_REPLICA_ASSIGNMENT',
      `${added} partitions would be added to topic ${topic.name}, but ${assignments.length} assignments are given`,
    );
  }
  return partitionsCreated(image, topic.id, current, checkAssignments(image, assignments, current, factor));
}
