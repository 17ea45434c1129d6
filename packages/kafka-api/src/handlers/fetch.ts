/**
 * Fetch: record batches from an offset on, as they lie in the log. Waits as long as the client allows, and gives the
 * request's memory back meanwhile. What a session leaves out of requests and answers is `FetchSessions`' to know.
 */
import type { BrokerApi, Failure, PartitionFetch, PartitionFetched } from '@millrace/broker';
import { ERRORS, MillraceError, type TopicId } from '@millrace/core';
import type { MetadataImage } from '@millrace/metadata';
import type { RequestOf, ResponseDraftOf } from '../schemas/api-table.ts';
import type { Handler, RequestFacts, Surroundings } from './handler.ts';
import { type KafkaNode, kafkaNode } from './kafka-nodes.ts';
import { errorByName, topicIdOf } from './topic-answers.ts';
import { wireError, wireErrorOf } from './wire-error.ts';

type Request = RequestOf<'fetch'>;
type Response = ResponseDraftOf<'fetch'>;
type TopicResponse = Response['responses'][number];
type PartitionResponse = TopicResponse['partitions'][number];

const FIRST_VERSION_BY_ID = 13;
const FIRST_VERSION_WITH_SESSIONS = 7;
/** From here on an answer that denies leadership tells who leads; from the later one on, where that is. */
const FIRST_VERSION_WITH_LEADERS = 12;
const FIRST_VERSION_WITH_ENDPOINTS = 16;

export function fetchHandler({ broker }: Surroundings): Handler<'fetch'> {
  return {
    handle: async (request, facts) => {
      checkRequest(request, broker);
      facts.release();
      const topics = asked(request, facts.version, broker.image());
      const fetched = await broker.fetch(
        {
          clientId: facts.clientId,
          maxWaitMs: Math.max(request.maxWaitMs, 0),
          minBytes: request.minBytes,
          maxBytes: request.maxBytes,
          partitions: topics.flatMap(({ partitions }) => partitions),
          isFull: true,
        },
        facts.connection.signal,
      );
      if (fetched.failure !== undefined) return refused(request, fetched.failure, facts);
      return answered(topics, fetched.partitions, facts, broker);
    },
    refuse: refused,
  };
}

/** @throws {MillraceError} for what no consumer may ask. */
function checkRequest({ clusterId, replicaId, replicaState }: Request, broker: BrokerApi): void {
  if (clusterId !== null && clusterId !== broker.clusterId) {
    throw new MillraceError('INCONSISTENT_CLUSTER_ID', 'the request is meant for another cluster');
  }
  // -2 is a consumer as well, one that looks for faults.
  if (replicaId >= 0 || replicaState.replicaId >= 0) {
    throw new MillraceError('INVALID_REQUEST', 'replicas do not fetch in this protocol');
  }
}

function refused({ topics }: Request, fault: Failure, { version }: RequestFacts): Response {
  if (version >= FIRST_VERSION_WITH_SESSIONS) return { errorCode: wireError(fault.code), responses: [] };
  return {
    responses: topics.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map(({ partition }) => ({
        partitionIndex: partition,
        errorCode: wireError(fault.code),
        highWatermark: -1,
        abortedTransactions: null,
        records: NO_RECORDS,
      })),
    })),
  };
}

interface AskedTopic {
  readonly topic: string;
  readonly topicId: TopicId;
  readonly partitions: readonly PartitionFetch[];
}

function asked({ topics }: Request, version: number, image: MetadataImage): AskedTopic[] {
  return topics.map(({ topic, topicId: given, partitions }) => {
    const topicId = version < FIRST_VERSION_BY_ID ? topicIdOf(image, topic) : given;
    return {
      topic,
      topicId: given,
      partitions: partitions.map((entry) => ({
        topicId,
        partition: entry.partition,
        leaderEpoch: entry.currentLeaderEpoch,
        fetchOffset: entry.fetchOffset,
        partitionMaxBytes: entry.partitionMaxBytes,
        lastFetchedEpoch: entry.lastFetchedEpoch,
      })),
    };
  });
}

const NO_RECORDS = Buffer.alloc(0);

function answered(
  topics: readonly AskedTopic[],
  fetched: readonly PartitionFetched[],
  { version, connection }: RequestFacts,
  broker: BrokerApi,
): Response {
  const leaders = new Set<number>();
  let next = 0;
  const responses = topics.map(({ topic, topicId, partitions }): TopicResponse => {
    const answers = partitions.map(() => partitionResponse(fetched[next++]!, version, leaders));
    return { topic, topicId, partitions: answers };
  });
  if (leaders.size === 0 || version < FIRST_VERSION_WITH_ENDPOINTS) return { responses };
  const image = broker.image();
  const nodeEndpoints = [...leaders]
    .map((id): KafkaNode | undefined => kafkaNode(image, id, connection.listener))
    .filter((node) => node !== undefined);
  return { responses, nodeEndpoints };
}

function partitionResponse(
  fetched: PartitionFetched,
  version: number,
  leaders: Set<number>,
): PartitionResponse {
  const { failure, divergingEpoch, divergingEndOffset, currentLeaderId, currentLeaderEpoch } = fetched;
  const answer: PartitionResponse = {
    partitionIndex: fetched.partition,
    errorCode: version < FIRST_VERSION_BY_ID ? errorByName(failure) : wireErrorOf(failure),
    highWatermark: fetched.highWatermark,
    lastStableOffset: fetched.lastStableOffset,
    logStartOffset: fetched.logStartOffset,
    abortedTransactions: null,
    records: fetched.records,
  };
  if (divergingEpoch >= 0) {
    return { ...answer, divergingEpoch: { epoch: divergingEpoch, endOffset: divergingEndOffset } };
  }
  if (version < FIRST_VERSION_WITH_LEADERS || currentLeaderId === -1) return answer;
  if (!pointsToLeader(answer.errorCode)) return answer;
  leaders.add(currentLeaderId);
  return { ...answer, currentLeader: { leaderId: currentLeaderId, leaderEpoch: currentLeaderEpoch } };
}

/** Whoever is refused for these looks for the leader next. */
function pointsToLeader(errorCode: number): boolean {
  return errorCode === ERRORS.NOT_LEADER_OR_FOLLOWER.wire || errorCode === ERRORS.FENCED_LEADER_EPOCH.wire;
}
