/** What a consumer in a group takes and gives, beyond what any consumer does. */
import type { MillraceError, TopicPartition } from '@millrace/core';
import type { ConsumerBatch, ConsumerRecord } from '../consumer/consumer-record.ts';

/** Every topic that matches, also those created later: text by its whole name, in RE2's language; a RegExp as its `test`. */
export interface TopicPattern {
  readonly pattern: string | RegExp;
}

/** Called one after another, never at the same time. What one throws is thrown at the reader. */
export interface GroupCallbacks {
  /** Positions are known and nothing was read yet: the place to seek. */
  readonly onAssigned?: (partitions: readonly TopicPartition[]) => void | Promise<void>;
  /** Nothing of them is in hand any more; they are given up when this resolves: the place to commit. */
  readonly onRevoked?: (partitions: readonly TopicPartition[]) => void | Promise<void>;
  /** They were taken away, and may be another member's already: nothing can be committed. */
  readonly onLost?: (partitions: readonly TopicPartition[]) => void | Promise<void>;
  /** A handler, or the program between two reads, took longer than `maxPollIntervalMs`: the member has left until it is back. */
  readonly onStalled?: (stall: Stall) => void;
  /**
   * What was done in the background and failed, above all commits. The consumer goes on. UNRELEASED_INSTANCE_ID, once:
   * another member has the groupInstanceId; this one joins when that has left or its session has ended.
   */
  readonly onError?: (error: MillraceError) => void;
}

export interface Stall {
  /** `handler`: the loop, `poll`, or which handler of `run`. Undefined parts: nothing was in hand, and nothing was read. */
  readonly handler: 'loop' | 'poll' | 'eachRecord' | 'eachBatch';
  readonly record: (TopicPartition & { readonly offset: bigint }) | undefined;
  readonly heldMs: number;
  /** For people; in the history of the group as well. */
  readonly message: string;
}

export interface OffsetCommit extends TopicPartition {
  /** The next offset to read: one more than that of the last record finished. */
  readonly offset: bigint | number;
  /** Of the last record finished. */
  readonly leaderEpoch?: number;
  readonly metadata?: string;
}

export interface CommittedPartition extends TopicPartition {
  /** Null where the group has committed nothing. */
  readonly committed: {
    readonly offset: bigint;
    readonly leaderEpoch: number;
    readonly metadata: string;
    /** Milliseconds since the Unix epoch. */
    readonly committedAt: number;
  } | null;
}

export interface PartitionLag extends TopicPartition {
  /** The first offset not finished with; null where nothing is known. */
  readonly offset: bigint | null;
  readonly endOffset: bigint;
  /** In records; null where `offset` is. */
  readonly lag: bigint | null;
}

interface RunLimits {
  /** Partitions handled at the same time, each in order. Default 1. */
  readonly concurrency?: number;
  /** A handler that throws is called again with the same item, so many times, backing off. Default 0. */
  readonly retries?: number;
  /** Ends `run` when what is in hand is finished. The consumer stays as it is. */
  readonly signal?: AbortSignal;
}

/** One of the two handlers. */
export type RunOptions<K, V> = RunLimits &
  (
    | {
        readonly eachRecord: (record: ConsumerRecord<K, V>) => unknown;
        readonly eachBatch?: undefined;
      }
    | {
        readonly eachBatch: (batch: ConsumerBatch<K, V>) => unknown;
        readonly eachRecord?: undefined;
      }
  );
