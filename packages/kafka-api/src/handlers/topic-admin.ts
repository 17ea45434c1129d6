/** Topics as administrators change them: CreateTopics, DeleteTopics, CreatePartitions. Any broker passes it on. */
import { type BrokerApi, type CreatedTopic, type Failure, failure } from '@millrace/broker';
import type { TopicId } from '@millrace/core';
import type { RequestOf, ResponseDraftOf } from '../schemas/api-table.ts';
import { wireSource } from './config-words.ts';
import type { Handler, Handlers, Surroundings } from './handler.ts';
import { errorByName, ZERO_UUID } from './topic-answers.ts';
import { NO_ERROR, wireError, wireErrorOf } from './wire-error.ts';

type NewTopic = RequestOf<'createTopics'>['topics'][number];
type WireCreated = ResponseDraftOf<'createTopics'>['topics'][number];
type NamedTopic = { readonly name: string | null; readonly topicId: TopicId };
type WireDeleted = ResponseDraftOf<'deleteTopics'>['responses'][number];

/** From here on a topic to be deleted may be named by its id. */
const FIRST_DELETION_BY_ID = 6;
/** Clients of earlier versions do not know that deletion may be disabled. */
const FIRST_WITH_DISABLED = 3;
const NOT_GIVEN = -1;

export function topicAdminHandlers(
  around: Surroundings,
): Pick<Handlers, 'createTopics' | 'deleteTopics' | 'createPartitions'> {
  return {
    createTopics: createHandler(around),
    deleteTopics: deleteHandler(around),
    createPartitions: growHandler(around),
  };
}

function createHandler({ broker }: Surroundings): Handler<'createTopics'> {
  return {
    handle: async ({ topics, timeoutMs, validateOnly }, { clientId }) => {
      const faults = topics.map(faultOf);
      const asked = topics.filter((_topic, i) => faults[i] === undefined);
      const answer = await broker.createTopics({
        timeoutMs: Math.max(timeoutMs, 0),
        clientId,
        validateOnly,
        topics: asked.map((topic) => ({
          name: topic.name,
          partitionCount: topic.numPartitions,
          replicationFactor: topic.replicationFactor,
          assignments: topic.assignments.map(({ partitionIndex, brokerIds }) => ({
            partition: partitionIndex,
            replicas: brokerIds,
          })),
          configs: configsOf(topic),
        })),
      });
      let next = 0;
      return {
        topics: topics.map((topic, i) => {
          const fault = faults[i];
          return fault === undefined
            ? created(broker, topic, answer.topics[next++]!)
            : notCreated(topic.name, fault);
        }),
      };
    },
    refuse: ({ topics }, fault) => ({ topics: topics.map(({ name }) => notCreated(name, fault)) }),
  };
}

function faultOf({ numPartitions, replicationFactor, assignments, configs }: NewTopic): Failure | undefined {
  if (assignments.length > 0 && (numPartitions !== NOT_GIVEN || replicationFactor !== NOT_GIVEN)) {
    const what = numPartitions === NOT_GIVEN ? 'a replication factor' : 'a number of partitions';
    return failure('INVALID_REQUEST', `${what} and an assignment of replicas exclude each other`);
  }
  const empty = configs.find(({ value }) => value === null);
  if (empty !== undefined) return failure('INVALID_CONFIG', `${empty.name} has no value`);
  const names = new Set(configs.map(({ name }) => name));
  if (names.size < configs.length) return failure('INVALID_REQUEST', 'a config key is named twice');
  return undefined;
}

function configsOf({ configs }: NewTopic): Record<string, string> {
  return Object.fromEntries(configs.map(({ name, value }) => [name, value ?? '']));
}

function created(broker: BrokerApi, topic: NewTopic, answer: CreatedTopic): WireCreated {
  if (answer.failure !== undefined) return notCreated(topic.name, answer.failure);
  return {
    name: topic.name,
    topicId: answer.topicId === '' ? ZERO_UUID : answer.topicId,
    errorCode: NO_ERROR,
    errorMessage: null,
    numPartitions: answer.partitionCount,
    replicationFactor: answer.replicationFactor,
    configs: broker.describeNewTopic(configsOf(topic)).map(({ name, value, readOnly, source }) => ({
      name,
      value,
      readOnly,
      configSource: wireSource(source),
      isSensitive: false,
    })),
  };
}

function notCreated(name: string, { code, message }: Failure): WireCreated {
  return { name, errorCode: wireError(code), errorMessage: message, configs: null };
}

function deleteHandler({ broker }: Surroundings): Handler<'deleteTopics'> {
  return {
    handle: async (request, { version, clientId }) => {
      const asked = topicsToDelete(request, version);
      const isByName = ({ name, topicId }: NamedTopic) => name !== null && topicId === ZERO_UUID;
      const isById = ({ name, topicId }: NamedTopic) => name === null && topicId !== ZERO_UUID;
      const answer = await broker.deleteTopics({
        timeoutMs: Math.max(request.timeoutMs, 0),
        clientId,
        names: asked.filter(isByName).map(({ name }) => name!),
        topicIds: asked.filter(isById).map(({ topicId }) => topicId),
      });
      const ambiguous = asked.filter((topic) => !isByName(topic) && !isById(topic));
      const fault = failure('INVALID_REQUEST', 'a topic is named by its name or by its id, by one of both');
      return {
        responses: [
          ...answer.topics.map((topic) => deleted(topic, topic.failure, version)),
          ...ambiguous.map((topic) => deleted(topic, fault, version)),
        ],
      };
    },
    refuse: (request, fault, { version }) => ({
      responses: topicsToDelete(request, version).map((topic) => deleted(topic, fault, version)),
    }),
  };
}

function topicsToDelete(request: RequestOf<'deleteTopics'>, version: number): readonly NamedTopic[] {
  if (version >= FIRST_DELETION_BY_ID) return request.topics;
  return request.topicNames.map((name) => ({ name, topicId: ZERO_UUID }));
}

function deleted({ name, topicId }: NamedTopic, reason: Failure | undefined, version: number): WireDeleted {
  const isUntold = reason?.code === 'TOPIC_DELETION_DISABLED' && version < FIRST_WITH_DISABLED;
  const fault = isUntold ? failure('INVALID_REQUEST', reason.message) : reason;
  const isNameless = version >= FIRST_DELETION_BY_ID && (name === null || name === '');
  return {
    name: isNameless ? null : (name ?? ''),
    topicId: topicId === '' ? ZERO_UUID : topicId,
    errorCode: isNameless ? wireErrorOf(fault) : errorByName(fault),
    errorMessage: fault?.message ?? null,
  };
}

function growHandler({ broker }: Surroundings): Handler<'createPartitions'> {
  return {
    handle: async ({ topics, timeoutMs, validateOnly }, { clientId }) => {
      // Replicas that are named for no partition at all are a mistake; to leave them to the cluster is to say null.
      const isNone = (assignments: readonly object[] | null) => assignments?.length === 0;
      const asked = topics.filter(({ assignments }) => !isNone(assignments));
      const answer = await broker.createPartitions({
        timeoutMs: Math.max(timeoutMs, 0),
        clientId,
        validateOnly,
        topics: asked.map(({ name, count, assignments }) => ({
          name,
          totalCount: count,
          assignments: (assignments ?? []).map(({ brokerIds }, i, { length }) => ({
            partition: count - length + i,
            replicas: brokerIds,
          })),
        })),
      });
      let next = 0;
      const fault = failure('INVALID_REPLICA_ASSIGNMENT', 'the assignment names replicas of no partition');
      return {
        results: topics.map(({ name, assignments }) =>
          grown(name, isNone(assignments) ? fault : answer.topics[next++]!.failure),
        ),
      };
    },
    refuse: ({ topics }, fault) => ({ results: topics.map(({ name }) => grown(name, fault)) }),
  };
}

function grown(name: string, fault: Failure | undefined) {
  return { name, errorCode: wireErrorOf(fault), errorMessage: fault?.message ?? null };
}
