/** Metadata: where partitions are led, and where brokers listen for the kind of client that asks. */
import type { BrokerApi, PartitionDescription, TopicDescription } from '@millrace/broker';
import { MillraceError, type TopicId } from '@millrace/core';
import type { MetadataImage } from '@millrace/metadata';
import type { RequestOf, ResponseDraftOf } from '../schemas/api-table.ts';
import { authorizedOperations } from './authorized-operations.ts';
import type { Handler, RequestFacts, Surroundings } from './handler.ts';
import { controllerAmong, kafkaNodes } from './kafka-nodes.ts';
import { ZERO_UUID } from './topic-answers.ts';
import { NO_ERROR, wireError, wireErrorOf } from './wire-error.ts';

type Request = RequestOf<'metadata'>;
type Response = ResponseDraftOf<'metadata'>;
type Topic = Response['topics'][number];

/** How long the topics that exist are kept waiting for one that is to be created. */
const AUTO_CREATE_TIMEOUT_MS = 5_000;
/** From here on a topic may be asked for by its id alone. */
const FIRST_VERSION_BY_ID = 12;

export function metadataHandler({ broker }: Surroundings): Handler<'metadata'> {
  return {
    handle: async (request, facts) => {
      const { controllerId, topics } = await found(broker, request, facts);
      const image = broker.image();
      const brokers = kafkaNodes(image, facts.connection.listener);
      const live = new Set(brokers.map(({ nodeId }) => nodeId));
      return {
        brokers,
        clusterId: broker.clusterId,
        controllerId: controllerAmong(brokers, controllerId),
        topics: topics.map((topic) =>
          described(topic, image, live, request.includeTopicAuthorizedOperations),
        ),
        clusterAuthorizedOperations: authorizedOperations(
          'cluster',
          request.includeClusterAuthorizedOperations,
        ),
      };
    },
    refuse: ({ topics }, { code }, { version }) => ({
      brokers: [],
      topics: (topics ?? []).map(({ name, topicId }) => ({
        errorCode: wireError(code),
        name: version < FIRST_VERSION_BY_ID ? (name ?? '') : name,
        topicId,
        partitions: [],
      })),
    }),
  };
}

interface Found {
  readonly controllerId: number;
  readonly topics: readonly TopicDescription[];
}

async function found(broker: BrokerApi, request: Request, facts: RequestFacts): Promise<Found> {
  const { clientId, connection, version } = facts;
  const context = { timeoutMs: 0, clientId, listener: connection.listener };
  const asked = request.topics;
  // The oldest version has no null, and says with an empty list what later ones say with it.
  const isEverything = asked === null || (version === 0 && asked.length === 0);
  if (!isEverything && asked.length === 0) {
    const { controllerId } = await broker.describeCluster(context);
    return { controllerId, topics: [] };
  }
  const names: string[] = [];
  const topicIds: TopicId[] = [];
  for (const { name, topicId } of isEverything ? [] : asked) {
    if (version < FIRST_VERSION_BY_ID && (name === null || topicId !== ZERO_UUID)) {
      throw new MillraceError('INVALID_REQUEST', `version ${version} asks for topics by name`);
    }
    if (name !== null && topicId === ZERO_UUID) names.push(name);
    else topicIds.push(topicId);
  }
  const described = { ...context, names, topicIds, allowAutoCreate: false };
  if (!request.allowAutoTopicCreation || names.length === 0) return await broker.describeTopics(described);
  try {
    const timeoutMs = AUTO_CREATE_TIMEOUT_MS;
    return await broker.describeTopics({ ...described, timeoutMs, allowAutoCreate: true });
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error;
    // Without a controller nothing is created, yet topics that exist are to be found: a client asks for all at once.
    return await broker.describeTopics(described);
  }
}

function described(
  { topicId, name, failure, internal, partitions }: TopicDescription,
  image: MetadataImage,
  live: ReadonlySet<number>,
  tellsOperations: boolean,
): Topic {
  const details = image.topics.get(topicId)?.partitions;
  return {
    errorCode: wireErrorOf(failure),
    // Who asked by an id may be told that there is no name.
    name: failure?.code === 'UNKNOWN_TOPIC_ID' ? null : name,
    topicId: topicId === '' ? ZERO_UUID : topicId,
    isInternal: internal,
    partitions: partitions.map((partition) =>
      partitionShown(partition, details?.[partition.partition]?.offline ?? [], live),
    ),
    topicAuthorizedOperations: authorizedOperations('topic', tellsOperations),
  };
}

/** What every API that shows partitions says of one. @param failed replicas whose disk failed. */
export function partitionShown(
  partition: PartitionDescription,
  failed: readonly number[],
  live: ReadonlySet<number>,
) {
  return {
    errorCode: partition.leaderId === -1 ? wireError('LEADER_NOT_AVAILABLE') : NO_ERROR,
    partitionIndex: partition.partition,
    leaderId: partition.leaderId,
    leaderEpoch: partition.leaderEpoch,
    replicaNodes: partition.replicas,
    isrNodes: partition.isr,
    offlineReplicas: offline(partition, failed, live),
  };
}

function offline(
  { replicas }: PartitionDescription,
  failed: readonly number[],
  live: ReadonlySet<number>,
): readonly number[] {
  if (failed.length === 0 && replicas.every((id) => live.has(id))) return [];
  return replicas.filter((id) => !live.has(id) || failed.includes(id));
}
