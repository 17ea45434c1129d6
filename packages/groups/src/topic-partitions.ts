/**
 * Sets of partitions and their algebra: topics by id, partitions ascending and without duplicates. Values: never
 * changed once made, so that members, targets and records may share them.
 */
import type { TopicId } from '@millrace/core';
import type { TopicPartitions } from './group-api.ts';

/** No topic stands in it with no partition. */
export type PartitionSet = ReadonlyMap<TopicId, readonly number[]>;

export const NO_PARTITIONS: PartitionSet = new Map();

/** The set named by a list, in which topics and partitions may repeat. */
export function partitionSetOf(list: readonly TopicPartitions[]): PartitionSet {
  if (list.length === 0) return NO_PARTITIONS;
  const set = new Map<TopicId, readonly number[]>();
  for (const { topicId, partitions } of list) {
    if (partitions.length > 0) set.set(topicId, ascending([...(set.get(topicId) ?? []), ...partitions]));
  }
  return set;
}

/** As records and answers carry it: topics by id, so that equal sets give equal bytes. */
export function listOf(set: PartitionSet): readonly TopicPartitions[] {
  return [...set]
    .map(([topicId, partitions]) => ({ topicId, partitions }))
    .sort((a, b) => (a.topicId < b.topicId ? -1 : 1));
}

export function sizeOf(set: PartitionSet): number {
  let size = 0;
  for (const partitions of set.values()) size += partitions.length;
  return size;
}

export function hasPartition(set: PartitionSet, topicId: TopicId, partition: number): boolean {
  const partitions = set.get(topicId);
  return partitions !== undefined && indexIn(partitions, partition) >= 0;
}

export function sameSet(a: PartitionSet, b: PartitionSet): boolean {
  if (a === b) return true;
  if (a.size !== b.size) return false;
  for (const [topicId, partitions] of a) {
    const others = b.get(topicId);
    if (others === undefined || others.length !== partitions.length) return false;
    if (!partitions.every((partition, index) => partition === others[index])) return false;
  }
  return true;
}

/** Members of `a` for which `keep` holds; `a` itself where all are kept. */
export function filterSet(
  a: PartitionSet,
  keep: (topicId: TopicId, partition: number) => boolean,
): PartitionSet {
  const kept = new Map<TopicId, readonly number[]>();
  let whole = true;
  for (const [topicId, partitions] of a) {
    const some = partitions.filter((partition) => keep(topicId, partition));
    if (some.length > 0) kept.set(topicId, some);
    whole &&= some.length === partitions.length;
  }
  return whole ? a : kept;
}

export function intersection(a: PartitionSet, b: PartitionSet): PartitionSet {
  return a === b ? a : filterSet(a, (topicId, partition) => hasPartition(b, topicId, partition));
}

export function difference(a: PartitionSet, b: PartitionSet): PartitionSet {
  return a === b ? NO_PARTITIONS : filterSet(a, (topicId, partition) => !hasPartition(b, topicId, partition));
}

export function union(a: PartitionSet, b: PartitionSet): PartitionSet {
  if (a.size === 0) return b;
  if (b.size === 0) return a;
  const both = new Map(a);
  for (const [topicId, partitions] of b) {
    const others = both.get(topicId);
    both.set(topicId, others === undefined ? partitions : ascending([...others, ...partitions]));
  }
  return both;
}

export function intersects(a: PartitionSet, b: PartitionSet): boolean {
  for (const [topicId, partitions] of a) {
    if (partitions.some((partition) => hasPartition(b, topicId, partition))) return true;
  }
  return false;
}

export function isSubset(a: PartitionSet, b: PartitionSet): boolean {
  for (const [topicId, partitions] of a) {
    if (!partitions.every((partition) => hasPartition(b, topicId, partition))) return false;
  }
  return true;
}

function ascending(partitions: number[]): readonly number[] {
  partitions.sort((a, b) => a - b);
  return partitions.filter((partition, index) => index === 0 || partition !== partitions[index - 1]);
}

function indexIn(partitions: readonly number[], partition: number): number {
  let low = 0;
  let high = partitions.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const found = partitions[middle]!;
    if (found === partition) return middle;
    if (found < partition) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}
