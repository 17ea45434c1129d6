/** The consumer that users hold. */
import { MillraceError, type TopicPartition } from '@millrace/core';
import type { CloseOptions } from '../producer/producer-record.ts';
import type {
  ConsumerBatch,
  ConsumerRecord,
  OffsetAndTimestamp,
  PollOptions,
  RequestOptions,
} from './consumer-record.ts';

const unsupported = () => new MillraceError('UNSUPPORTED_VERSION');

/** Reads partitions that are assigned to it by hand. One reader at a time: `poll` and `for await` do not mix concurrently. */
export class Consumer<K = Buffer, V = Buffer> implements AsyncDisposable, AsyncIterable<ConsumerBatch<K, V>> {
  /** Replaces the assignment. Kept partitions keep their positions. */
  assign(_partitions: readonly TopicPartition[]): void {
    throw unsupported();
  }

  /** Assigns every partition the topics have now. @throws UNKNOWN_TOPIC_OR_PARTITION, CONNECTION_FAILED. */
  assignTopics(_topics: readonly string[], _options?: RequestOptions): Promise<readonly TopicPartition[]> {
    throw unsupported();
  }

  assignment(): readonly TopicPartition[] {
    throw unsupported();
  }

  /** The next record read is the first one at or after `offset`. */
  seek(_partition: TopicPartition, _offset: bigint | number): void {
    throw unsupported();
  }

  /** Of all assigned partitions unless some are given; takes effect when next read. */
  seekToBeginning(_partitions?: readonly TopicPartition[]): void {
    throw unsupported();
  }

  seekToEnd(_partitions?: readonly TopicPartition[]): void {
    throw unsupported();
  }

  /** To the first record that is at least as new; to the end if none is. */
  seekToTimestamp(_timestampMs: number, _partitions?: readonly TopicPartition[]): void {
    throw unsupported();
  }

  /** The offset that is read next; asks the cluster if that is not decided yet. */
  position(_partition: TopicPartition, _options?: RequestOptions): Promise<bigint> {
    throw unsupported();
  }

  /** Stops reading these, or all assigned; what was fetched is kept. */
  pause(_partitions?: readonly TopicPartition[]): void {
    throw unsupported();
  }

  resume(_partitions?: readonly TopicPartition[]): void {
    throw unsupported();
  }

  paused(): readonly TopicPartition[] {
    throw unsupported();
  }

  /** By partition: the first record at least as new as `timestampMs`, or null. In the order asked. */
  offsetsForTimes(
    _queries: readonly (TopicPartition & { readonly timestampMs: number })[],
    _options?: RequestOptions,
  ): Promise<(TopicPartition & { readonly found: OffsetAndTimestamp | null })[]> {
    throw unsupported();
  }

  beginningOffsets(
    _partitions: readonly TopicPartition[],
    _options?: RequestOptions,
  ): Promise<(TopicPartition & { readonly offset: bigint })[]> {
    throw unsupported();
  }

  /** High watermarks: the offsets that the next records visible to readers will have. */
  endOffsets(
    _partitions: readonly TopicPartition[],
    _options?: RequestOptions,
  ): Promise<(TopicPartition & { readonly offset: bigint })[]> {
    throw unsupported();
  }

  /** The next records of any partition, at most `maxRecords`; empty after `timeoutMs`. */
  poll(_options?: PollOptions): Promise<ConsumerRecord<K, V>[]> {
    throw unsupported();
  }

  /** Batches as they arrive, until `signal` aborts (which throws CANCELLED) or the consumer closes (which ends the loop). */
  batches(_options?: { readonly signal?: AbortSignal }): AsyncIterableIterator<ConsumerBatch<K, V>> {
    throw unsupported();
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<ConsumerBatch<K, V>> {
    return this.batches();
  }

  /** Idempotent; ends a running loop. */
  close(_options?: CloseOptions): Promise<void> {
    throw unsupported();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
