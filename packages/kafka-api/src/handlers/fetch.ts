/**
 * Fetch: record batches from an offset on, as they lie in the log. Waits as long as the client allows, and gives the
 * request's memory back meanwhile. What a session leaves out of requests and answers is `FetchSessions`' to know.
 */
import type { BrokerApi, Failure, PartitionFetched } from '@millrace/broker';
import { ERRORS, MillraceError, type TopicId } from '@millrace/core';
import type { MetadataImage } from '@millrace/metadata';
import type { RequestOf, ResponseDraftOf } from '../schemas/api-table.ts';
import {
  type AskedPartition,
  type FetchAnswered,
  type FetchAsked,
  FetchSessions,
} from '../sessions/fetch-sessions-state.ts';
import type { Handler, RequestFacts, Surroundings } from './handler.ts';
import { type KafkaNode, kafkaNode } from './kafka-nodes.ts';
import { errorByName, topicIdOf } from './topic-answers.ts';
import { wireError, wireErrorOf } from './wire-error.ts';

type Request = RequestOf<'fetch'>;
type Response = ResponseDraftOf<'fetch'>;
type PartitionResponse = Response['responses'][number]['partitions'][number];

interface TopicDraft {
  readonly topic: string;
  readonly topicId: TopicId;
  readonly partitions: PartitionResponse[];
}

/** What sessions may remember together: some 50 MB. */
const SESSION_PARTITIONS_MAX = 200_000;
/** As long as Kafka leaves a session unused before another may take its place. */
const SESSION_EVICTION_MS = 120_000;

const FIRST_VERSION_BY_ID = 13;
const FIRST_VERSION_WITH_SESSIONS = 7;
/** From here on an answer that denies leadership tells who leads; from the later one on, where that is. */
const FIRST_VERSION_WITH_LEADERS = 12;
const FIRST_VERSION_WITH_ENDPOINTS = 16;

export function fetchHandler({ broker, clock, random, fetchSessionSlots }: Surroundings): Handler<'fetch'> {
  const limits = {
    slots: fetchSessionSlots,
    partitions: SESSION_PARTITIONS_MAX,
    evictionMs: SESSION_EVICTION_MS,
  };
  const sessions = new FetchSessions(limits, random);
  return {
    handle: async (request, facts) => {
      checkRequest(request, broker);
      const { maxWaitMs, minBytes, maxBytes } = request;
      const image = broker.image();
      const asked = askedIn(request, facts.version, image);
      // Before a wait that may be long.
      facts.memory.release();
      const plan = sessions.plan(asked, (name) => topicIdOf(image, name), clock.nowMs());
      if (typeof plan === 'string') throw new MillraceError(plan);
      const { clientId, connection, memory } = facts;
      const { failure, partitions } = await broker.fetch(
        {
          clientId,
          maxWaitMs: Math.max(maxWaitMs, 0),
          minBytes,
          maxBytes,
          partitions: plan.partitions,
          isFull: true,
          reserve: connection.reserveAnswer,
          lent: memory.lent,
        },
        connection.signal,
      );
      if (failure !== undefined) throw new MillraceError(failure.code, failure.message);
      return answered(plan.answer(partitions, clock.nowMs()), facts, broker);
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

function askedIn(request: Request, version: number, image: MetadataImage): FetchAsked {
  const { sessionId, sessionEpoch, topics, forgottenTopicsData } = request;
  const goesByIds = version >= FIRST_VERSION_BY_ID;
  const partitions: AskedPartition[] = [];
  for (const { topic, topicId: given, partitions: entries } of topics) {
    const topicId = goesByIds ? given : topicIdOf(image, topic);
    for (const {
      partition,
      currentLeaderEpoch,
      fetchOffset,
      partitionMaxBytes,
      lastFetchedEpoch,
    } of entries) {
      partitions.push({
        topic,
        topicId,
        partition,
        leaderEpoch: currentLeaderEpoch,
        fetchOffset,
        partitionMaxBytes,
        lastFetchedEpoch,
      });
    }
  }
  const forgotten = forgottenTopicsData.flatMap(({ topic, topicId, partitions: indexes }) =>
    indexes.map((partition) => ({ topic, topicId, partition })),
  );
  return { sessionId, sessionEpoch, goesByIds, partitions, forgotten };
}

const NO_RECORDS = Buffer.alloc(0);

function answered(
  { sessionId, partitions }: FetchAnswered,
  { version, connection }: RequestFacts,
  broker: BrokerApi,
): Response {
  const leaders = new Set<number>();
  const responses: TopicDraft[] = [];
  let last: TopicDraft | undefined;
  for (const [{ topic, topicId }, fetched] of partitions) {
    if (last === undefined || last.topicId !== topicId || last.topic !== topic) {
      last = { topic, topicId, partitions: [] };
      responses.push(last);
    }
    last.partitions.push(partitionResponse(fetched, version, leaders));
  }
  if (leaders.size === 0 || version < FIRST_VERSION_WITH_ENDPOINTS) return { sessionId, responses };
  const image = broker.image();
  const nodeEndpoints = [...leaders]
    .map((id): KafkaNode | undefined => kafkaNode(image, id, connection.listener))
    .filter((node) => node !== undefined);
  return { sessionId, responses, nodeEndpoints };
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
