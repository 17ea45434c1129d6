/** Unary questions that only a partition's leader can answer: sent to each leader at once, asked again where leaders moved. */
import { MillraceError, type NodeId, type TopicPartition, toMillraceError } from '@millrace/core';
import type { Failure, RequestHeader, UnaryMethod } from '@millrace/protocol';
import { backoffMs } from './backoff.ts';
import { pause } from './cancellation.ts';
import type { Cluster, RequestLimits } from './cluster.ts';
import { errorOfFailure } from './failure.ts';

/** A question with the leader's address in it. */
export interface Addressed<Q> {
  readonly query: Q;
  readonly topicId: string;
  readonly leaderEpoch: number;
}

interface PartitionAnswer {
  readonly topicId: string;
  readonly partition: number;
  readonly failure?: Failure | undefined;
}

export interface LeaderCall<Q, Request, Answer> {
  readonly method: UnaryMethod<Request, { readonly partitions: readonly Answer[] }>;
  readonly make: (header: RequestHeader, entries: readonly Addressed<Q>[]) => Request;
}

/** An answer or an error for each query, in order. Never throws but for the signal. */
export async function askLeadersOnce<Q extends TopicPartition, Request, Answer extends PartitionAnswer>(
  cluster: Cluster,
  queries: readonly Q[],
  call: LeaderCall<Q, Request, Answer>,
  limits: RequestLimits,
): Promise<(Answer | MillraceError)[]> {
  const results: (Answer | MillraceError)[] = queries.map(() => new MillraceError('LEADER_NOT_AVAILABLE'));
  const byLeader = new Map<NodeId, { at: number; addressed: Addressed<Q> }[]>();
  queries.forEach((query, at) => {
    const topic = cluster.metadata.topic(query.topic);
    const leader = topic?.partitions[query.partition];
    if (topic !== undefined && leader === undefined) {
      const text = `topic ${query.topic} has no partition ${query.partition}`;
      results[at] = new MillraceError('UNKNOWN_TOPIC_OR_PARTITION', text);
    }
    if (topic === undefined || leader === undefined || leader.leaderId < 0) return;
    const group = byLeader.get(leader.leaderId) ?? [];
    byLeader.set(leader.leaderId, group);
    group.push({ at, addressed: { query, topicId: topic.topicId, leaderEpoch: leader.leaderEpoch } });
  });
  const asked = Array.from(byLeader, async ([leaderId, group]) => {
    const addressed = group.map((entry) => entry.addressed);
    const answers = await askOne(cluster, leaderId, addressed, call, limits);
    group.forEach(({ at }, i) => {
      results[at] = answers[i]!;
    });
  });
  await Promise.all(asked);
  if (results.some(mayHaveMoved)) cluster.requestRefresh();
  return results;
}

/** A leader that does not answer may not be the leader any more. */
function mayHaveMoved(result: unknown): boolean {
  return result instanceof MillraceError && (result.staleMetadata || result.code === 'REQUEST_TIMED_OUT');
}

/** Every answer, in order. @throws {MillraceError} the first failure that time and new metadata do not cure. */
export async function askLeaders<Q extends TopicPartition, Request, Answer extends PartitionAnswer>(
  cluster: Cluster,
  queries: readonly Q[],
  call: LeaderCall<Q, Request, Answer>,
  limits: RequestLimits,
): Promise<Answer[]> {
  const { timeoutMs = cluster.config.requestTimeoutMs, signal } = limits;
  const partitionCounts = countsOf(queries);
  const deadlineMs = cluster.clock.nowMs() + timeoutMs;
  const answers: (Answer | undefined)[] = queries.map(() => undefined);
  for (let attempt = 0; ; attempt++) {
    const leftMs = Math.max(1, deadlineMs - cluster.clock.nowMs());
    const left = { timeoutMs: leftMs, ...(signal && { signal }) };
    await cluster.topics([...partitionCounts.keys()], { ...left, partitionCounts });
    const open = queries.flatMap((query, at) => (answers[at] === undefined ? [{ query, at }] : []));
    const asked = open.map(({ query }) => query);
    const results = await askLeadersOnce(cluster, asked, call, {
      ...left,
      timeoutMs: Math.min(leftMs, cluster.attemptTimeoutMs),
    });
    let failure: MillraceError | undefined;
    results.forEach((result, i) => {
      if (result instanceof MillraceError) failure = moreSerious(failure, result);
      else answers[open[i]!.at] = result;
    });
    if (failure === undefined) return answers as Answer[];
    const waitMs = backoffMs(attempt, cluster.config, cluster.random);
    const isHopeless = !failure.retriable || failure.code === 'UNKNOWN_TOPIC_OR_PARTITION';
    if (isHopeless || cluster.clock.nowMs() + waitMs >= deadlineMs) throw failure;
    await pause(cluster.clock, waitMs, signal);
  }
}

/** By topic, how many partitions it must have for all of these. */
function countsOf(partitions: readonly TopicPartition[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { topic, partition } of partitions)
    counts.set(topic, Math.max(counts.get(topic) ?? 0, partition + 1));
  return counts;
}

async function askOne<Q extends TopicPartition, Request, Answer extends PartitionAnswer>(
  cluster: Cluster,
  leaderId: NodeId,
  entries: readonly Addressed<Q>[],
  { method, make }: LeaderCall<Q, Request, Answer>,
  { timeoutMs = cluster.config.requestTimeoutMs, signal }: RequestLimits,
): Promise<(Answer | MillraceError)[]> {
  const connection = cluster.connectionTo(leaderId);
  if (connection === undefined) return entries.map(() => new MillraceError('LEADER_NOT_AVAILABLE'));
  try {
    const request = make(cluster.header(0, timeoutMs), entries);
    const { partitions } = await connection.unary(method, request, { timeoutMs, ...(signal && { signal }) });
    return entries.map(({ query, topicId }, i) => {
      const isAnswer = (other: Answer): boolean =>
        other.partition === query.partition && other.topicId === topicId;
      // Answers come in the order of the questions, which matters when a partition is asked about twice.
      const inPlace = partitions[i];
      const answer = inPlace !== undefined && isAnswer(inPlace) ? inPlace : partitions.find(isAnswer);
      if (answer === undefined)
        return new MillraceError('UNKNOWN_SERVER_ERROR', 'the answer lacks the partition');
      return answer.failure === undefined
        ? answer
        : errorOfFailure(answer.failure, `${query.topic}-${query.partition}`);
    });
  } catch (error) {
    return entries.map(() => toMillraceError(error));
  }
}

function moreSerious(first: MillraceError | undefined, second: MillraceError): MillraceError {
  return first === undefined || (first.retriable && !second.retriable) ? second : first;
}
