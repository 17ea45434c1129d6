/**
 * Kafka asks and answers by topic, the broker by partition: a flat list, answered in its order. Here one becomes the
 * other. A topic that is named and unknown gets an id that no topic has, so the broker finds out that it is unknown.
 */
import { type ErrorCode, MillraceError, type TopicId } from '@millrace/core';
import type { MetadataImage } from '@millrace/metadata';
import { NO_ERROR, wireError } from './wire-error.ts';

const NO_TOPIC: TopicId = '';

/** What the protocol has in place of an id that is not given. */
export const ZERO_UUID: TopicId = 'A'.repeat(22);

export function topicIdOf(image: MetadataImage, name: string): TopicId {
  return image.topicIds.get(name) ?? NO_TOPIC;
}

/** The error of a partition whose topic was named: its client knows nothing of ids. */
export function errorByName(failure: { readonly code: ErrorCode } | undefined): number {
  if (failure === undefined) return NO_ERROR;
  return wireError(failure.code === 'UNKNOWN_TOPIC_ID' ? 'UNKNOWN_TOPIC_OR_PARTITION' : failure.code);
}

interface AskedTopic<Asked> {
  readonly name: string;
  readonly partitions: readonly Asked[];
}

/**
 * To answer for a partition may take a look into its log: once is enough for a request.
 *
 * @throws {MillraceError} INVALID_REQUEST if a partition is named twice.
 */
export function refuseNamedTwice<Asked>(
  topics: readonly AskedTopic<Asked>[],
  numberIn: (asked: Asked) => number,
): void {
  const seen = new Map<string, Set<number>>();
  for (const { name, partitions } of topics) {
    let numbers = seen.get(name);
    if (numbers === undefined) {
      numbers = new Set();
      seen.set(name, numbers);
    }
    for (const asked of partitions) {
      const number = numberIn(asked);
      if (numbers.has(number)) {
        throw new MillraceError('INVALID_REQUEST', `partition ${number} of ${name} is named twice`);
      }
      numbers.add(number);
    }
  }
}

/** One question for each partition. */
export function flatten<Asked, Question>(
  image: MetadataImage,
  topics: readonly AskedTopic<Asked>[],
  question: (topicId: TopicId, asked: Asked) => Question,
): Question[] {
  const questions: Question[] = [];
  for (const { name, partitions } of topics) {
    const topicId = topicIdOf(image, name);
    for (const asked of partitions) questions.push(question(topicId, asked));
  }
  return questions;
}

/** The answers to what `flatten` made, by topic again. */
export function byTopic<Asked, Found, Answer>(
  topics: readonly AskedTopic<Asked>[],
  found: readonly Found[],
  answer: (asked: Asked, found: Found) => Answer,
): { name: string; partitions: Answer[] }[] {
  let next = 0;
  return topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map((asked) => answer(asked, found[next++]!)),
  }));
}

/** The same answer for every partition. */
export function eachByTopic<Asked, Answer>(
  topics: readonly AskedTopic<Asked>[],
  answer: (asked: Asked) => Answer,
): { name: string; partitions: Answer[] }[] {
  return topics.map(({ name, partitions }) => ({ name, partitions: partitions.map(answer) }));
}
