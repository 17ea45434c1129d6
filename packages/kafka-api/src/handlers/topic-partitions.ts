/** DescribeTopicPartitions: where partitions are led and which replicas may lead them, page by page. */
import { MillraceError } from '@millrace/core';
import { authorizedOperations } from './authorized-operations.ts';
import type { Handler, Surroundings } from './handler.ts';
import { kafkaNodes } from './kafka-nodes.ts';
import { partitionShown } from './metadata.ts';
import { ZERO_UUID } from './topic-answers.ts';
import { pageOf } from './topic-pages.ts';
import { wireError, wireErrorOf } from './wire-error.ts';

/** No answer has more, whatever is asked. */
const PARTITIONS_MAX = 2_000;

export function topicPartitionsHandler({ broker }: Surroundings): Handler<'describeTopicPartitions'> {
  return {
    handle: async ({ topics: asked, responsePartitionLimit, cursor }, { clientId, connection }) => {
      if (cursor !== null && cursor.partitionIndex < 0) {
        throw new MillraceError('INVALID_REQUEST', `there is no partition ${cursor.partitionIndex}`);
      }
      const { listener } = connection;
      const found = await broker.describeTopics({
        timeoutMs: 0,
        clientId,
        listener,
        names: [...new Set(asked.map(({ name }) => name))],
        topicIds: [],
        allowAutoCreate: false,
      });
      const limit = Math.max(1, Math.min(responsePartitionLimit, PARTITIONS_MAX));
      const { topics, next } = pageOf(found.topics, cursor, limit);
      const image = broker.image();
      const live = new Set(kafkaNodes(image, listener).map(({ nodeId }) => nodeId));
      return {
        topics: topics.map(({ failure, name, topicId, internal, partitions }) => ({
          errorCode: wireErrorOf(failure),
          name,
          topicId: topicId === '' ? ZERO_UUID : topicId,
          isInternal: internal,
          partitions: partitions.map((partition) => ({
            ...partitionShown(
              partition,
              image.topics.get(topicId)?.partitions[partition.partition]?.offline ?? [],
              live,
            ),
            eligibleLeaderReplicas: partition.elr,
            lastKnownElr: partition.lastKnownElr,
          })),
          topicAuthorizedOperations: authorizedOperations('topic', failure === undefined),
        })),
        nextCursor: next ?? null,
      };
    },
    refuse: ({ topics }, { code }) => ({
      topics: topics.map(({ name }) => ({ errorCode: wireError(code), name, partitions: [] })),
    }),
  };
}
