/** Which partition a record goes to. Pure but for the sticky choice, whose randomness comes in. */
import { below, type Random } from '@millrace/core';
import { murmur2 } from '@millrace/records';

export interface PartitionerInput {
  readonly topic: string;
  /** Serialized. */
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly partitionCount: number;
  /** Whether the partition has a leader to write to at the moment. */
  isAvailable(partition: number): boolean;
}

export interface Partitioner {
  /** An integer in 0 .. partitionCount-1. Called once for each record without an explicit partition. */
  partition(input: PartitionerInput): number;
  /** A batch of the partition is closed: time to move on, for partitioners that stick to one. */
  batchClosed?(topic: string, partition: number): void;
}

/** The rule alone, for partitioners that need not know when a batch is closed. */
export type PartitionRule = (input: PartitionerInput) => number;

export function asPartitioner(partitioner: Partitioner | PartitionRule): Partitioner {
  return typeof partitioner === 'function' ? { partition: partitioner } : partitioner;
}

/** Kafka's rule for keyed records, whatever the client: murmur2 of the key, sign bit off, modulo the partitions. */
export function partitionOfKey(key: Uint8Array, partitionCount: number): number {
  return (murmur2(key) & 0x7fffffff) % partitionCount;
}

/** Keyed records by `partitionOfKey`; the others fill one partition's batch at a time. */
export function defaultPartitioner(random: Random): Partitioner {
  const stuckTo = new Map<string, number>();
  return {
    partition(input) {
      if (input.key !== null) return partitionOfKey(input.key, input.partitionCount);
      const current = stuckTo.get(input.topic);
      if (current !== undefined && current < input.partitionCount && input.isAvailable(current))
        return current;
      const next = availableFrom(below(random, input.partitionCount), input);
      stuckTo.set(input.topic, next);
      return next;
    },
    batchClosed(topic, partition) {
      if (stuckTo.get(topic) === partition) stuckTo.delete(topic);
    },
  };
}

/** Keyed records by `partitionOfKey`; the others in turn. */
export function roundRobinPartitioner(): Partitioner {
  const turns = new Map<string, number>();
  return {
    partition(input) {
      if (input.key !== null) return partitionOfKey(input.key, input.partitionCount);
      const turn = turns.get(input.topic) ?? 0;
      const partition = availableFrom(turn % input.partitionCount, input);
      turns.set(input.topic, partition + 1);
      return partition;
    },
  };
}

/** The first available partition from `start` on, going round; `start` itself if none is. */
function availableFrom(start: number, { partitionCount, isAvailable }: PartitionerInput): number {
  for (let i = 0; i < partitionCount; i++) {
    const candidate = (start + i) % partitionCount;
    if (isAvailable(candidate)) return candidate;
  }
  return start;
}
