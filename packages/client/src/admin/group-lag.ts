/**
 * How far a group is behind, in records and in time. What one partition does not tell, because its leader is away or
 * its topic is gone, is unknown for that partition and hinders no other.
 */
import { formatTopicPartition, MillraceError, type TopicPartition } from '@millrace/core';
import type { PartitionOffset } from '@millrace/protocol';
import { backoffMs } from '../cluster/backoff.ts';
import { pause, throwIfAborted } from '../cluster/cancellation.ts';
import type { Cluster, RequestLimits } from '../cluster/cluster.ts';
import { askLeadersOnce } from '../cluster/leader-calls.ts';
import { type OffsetSpec, offsetLookup } from '../cluster/offset-lookup.ts';
import { Consumer } from '../consumer/consumer.ts';
import type { GroupLag, GroupOffset } from './group-shapes.ts';

/** How long leaders that are away, and records that do not come, are waited for. */
const PATIENCE_MS = 2_000;

/** As much as a usual batch, so that one answer has the first records of many partitions. */
const LOOK_BYTES = 64 * 1024;

export async function lagOf(
  cluster: Cluster,
  offsets: readonly Pick<GroupOffset, 'topic' | 'partition' | 'offset'>[],
  limits: RequestLimits,
): Promise<GroupLag[]> {
  const [starts, ends] = await Promise.all([
    offsetsAt(cluster, offsets, 'earliest', limits),
    offsetsAt(cluster, offsets, 'latest', limits),
  ]);
  const rows = offsets.map(({ topic, partition, offset: committed }, i) => {
    const logStart = starts[i]!;
    const logEnd = ends[i]!;
    const lag = committed === null || logEnd === null ? null : logEnd - committed;
    return { topic, partition, committed, logStart, logEnd, lag };
  });
  const behind = rows.filter(({ lag }) => lag !== null && lag > 0n);
  const times = await firstTimestamps(cluster, behind as readonly Behind[], limits);
  const nowMs = cluster.clock.wallMs();
  return rows.map((row) => {
    const timestamp = times.get(formatTopicPartition(row));
    const ageMs = timestamp === undefined ? null : Math.max(0, nowMs - timestamp);
    return { ...row, lagMs: row.lag === 0n ? 0 : ageMs };
  });
}

interface Behind extends TopicPartition {
  readonly committed: bigint;
  readonly logStart: bigint | null;
}

/** null where the leader does not tell. */
async function offsetsAt(
  cluster: Cluster,
  partitions: readonly TopicPartition[],
  at: OffsetSpec,
  { timeoutMs = cluster.config.requestTimeoutMs, signal }: RequestLimits,
): Promise<(bigint | null)[]> {
  const { clock, config, random } = cluster;
  const startMs = clock.nowMs();
  const found: (bigint | null)[] = partitions.map(() => null);
  let open = partitions.map((partition, i) => ({ partition, i }));
  const isKnown = await knownTopics(cluster, partitions, { timeoutMs, ...(signal && { signal }) });
  open = open.filter(({ partition }) => isKnown.has(partition.topic));
  for (let attempt = 0; open.length > 0; attempt++) {
    const leftMs = Math.max(1, timeoutMs - (clock.nowMs() - startMs));
    const queries = open.map(({ partition: { topic, partition } }) => ({ topic, partition, at }));
    const limits = { timeoutMs: Math.min(leftMs, cluster.attemptTimeoutMs), ...(signal && { signal }) };
    const results = await askLeadersOnce(cluster, queries, offsetLookup, limits);
    throwIfAborted(signal);
    open = open.filter(({ i }, at) => {
      const result: PartitionOffset | MillraceError = results[at]!;
      if (!(result instanceof MillraceError)) found[i] = BigInt(result.offset);
      return result instanceof MillraceError && result.retriable && !isGone(result);
    });
    const waitMs = backoffMs(attempt, config, random);
    const limitMs = Math.min(timeoutMs, PATIENCE_MS);
    if (open.length === 0 || clock.nowMs() - startMs + waitMs >= limitMs) break;
    await pause(clock, waitMs, signal);
  }
  return found;
}

/** Those of the topics that there are. @throws what tells nothing of a single topic. */
async function knownTopics(
  cluster: Cluster,
  partitions: readonly TopicPartition[],
  limits: RequestLimits,
): Promise<Set<string>> {
  const names = [...new Set(partitions.map(({ topic }) => topic))];
  const known = await Promise.all(
    names.map(async (name) => {
      try {
        await cluster.topics([name], limits);
        return [name];
      } catch (error) {
        if (error instanceof MillraceError && isGone(error)) return [];
        throw error;
      }
    }),
  );
  return new Set(known.flat());
}

function isGone({ code }: MillraceError): boolean {
  return code === 'UNKNOWN_TOPIC_OR_PARTITION' || code === 'UNKNOWN_TOPIC_ID';
}

/** By partition, the timestamp of the first record that is left. Absent where none comes in time. */
async function firstTimestamps(
  cluster: Cluster,
  behind: readonly Behind[],
  { timeoutMs = cluster.config.requestTimeoutMs, signal }: RequestLimits,
): Promise<Map<string, number>> {
  const times = new Map<string, number>();
  if (behind.length === 0) return times;
  // What was committed may have been deleted since: the first record that is left is the oldest then.
  const options = { autoOffsetReset: 'earliest', maxPartitionFetchBytes: LOOK_BYTES } as const;
  const consumer = new Consumer(cluster, options, () => {});
  try {
    consumer.assign(behind);
    for (const partition of behind) consumer.seek(partition, startOf(partition));
    const waitMs = Math.min(timeoutMs, PATIENCE_MS);
    while (times.size < behind.length) {
      const limits = { maxRecords: 1, timeoutMs: waitMs, ...(signal && { signal }) };
      const [record] = await consumer.poll(limits);
      if (record === undefined) break;
      const { topic, partition, timestamp } = record;
      consumer.pause([{ topic, partition }]);
      times.set(formatTopicPartition({ topic, partition }), timestamp);
    }
  } catch (error) {
    throwIfAborted(signal);
    cluster.logger.debug({ event: 'lag_unknown', err: error }, 'not every partition tells its lag in time');
  } finally {
    await consumer.close();
  }
  return times;
}

function startOf({ committed, logStart }: Behind): bigint {
  return logStart !== null && logStart > committed ? logStart : committed;
}
