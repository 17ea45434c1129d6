/** What a consumer asks about offsets, as users get the answers: bigints, null for nothing, in the order of the question. */
import { formatTopicPartition, type TopicPartition } from '@millrace/core';
import { checkPartitions, checkTimestamp } from '../check-arguments.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { askLeaders } from '../cluster/leader-calls.ts';
import { type OffsetSpec, offsetLookup } from '../cluster/offset-lookup.ts';
import { fetchCommitted } from '../group/group-positions.ts';
import type { CommittedPartition, PartitionLag } from '../group/group-shapes.ts';
import type { OffsetAndTimestamp, RequestOptions } from './consumer-record.ts';

const NOBODY = { memberId: '', memberEpoch: -1 };

export async function offsetsForTimes<Q extends TopicPartition & { readonly timestampMs: number }>(
  cluster: Cluster,
  queries: readonly Q[],
  options: RequestOptions,
): Promise<(TopicPartition & { readonly found: OffsetAndTimestamp | null })[]> {
  checkPartitions('queries', queries);
  queries.forEach(({ timestampMs }, i) => {
    checkTimestamp(`queries[${i}].timestampMs`, timestampMs);
  });
  const asked = queries.map(({ topic, partition, timestampMs }) => ({
    topic,
    partition,
    at: { timestampMs },
  }));
  const answers = await askLeaders(cluster, asked, offsetLookup, options);
  return asked.map(({ topic, partition }, i) => {
    const { offset, timestamp } = answers[i]!;
    return { topic, partition, found: offset < 0 ? null : { offset: BigInt(offset), timestamp } };
  });
}

export async function offsetsAt(
  cluster: Cluster,
  at: OffsetSpec,
  partitions: readonly TopicPartition[],
  options: RequestOptions,
): Promise<(TopicPartition & { readonly offset: bigint })[]> {
  checkPartitions('partitions', partitions);
  const queries = partitions.map(({ topic, partition }) => ({ topic, partition, at }));
  const answers = await askLeaders(cluster, queries, offsetLookup, options);
  return queries.map(({ topic, partition }, i) => ({
    topic,
    partition,
    offset: BigInt(answers[i]!.offset),
  }));
}

export async function committedOffsets(
  cluster: Cluster,
  groupId: string,
  partitions: readonly TopicPartition[],
  options: RequestOptions,
): Promise<CommittedPartition[]> {
  const found = await fetchCommitted(cluster, groupId, partitions, () => NOBODY, options);
  return found.map(({ topic, partition, offset, leaderEpoch, metadata, committedAtMs }) => ({
    topic,
    partition,
    committed:
      offset < 0 ? null : { offset: BigInt(offset), leaderEpoch, metadata, committedAt: committedAtMs },
  }));
}

/** Of each end: what is between it and the program's own progress, or else what the group has committed. */
export function lagsOf(
  ends: readonly (TopicPartition & { readonly offset: bigint })[],
  progressOf: (partition: TopicPartition) => number | undefined,
  committed: readonly CommittedPartition[],
): PartitionLag[] {
  const found = new Map(committed.map((entry) => [formatTopicPartition(entry), entry.committed]));
  return ends.map(({ topic, partition, offset: endOffset }) => {
    const known = progressOf({ topic, partition });
    const other = found.get(formatTopicPartition({ topic, partition }))?.offset ?? null;
    const offset = known === undefined ? other : BigInt(known);
    const lag = offset === null ? null : endOffset > offset ? endOffset - offset : 0n;
    return { topic, partition, offset, endOffset, lag };
  });
}
