/** One replica's log. (Signatures first; the body follows.) */
import type { MillraceError, TopicId } from '@millrace/core';
import type { LogConfig } from './log-config.ts';

export interface PartitionId {
  readonly topic: string;
  readonly partition: number;
  readonly topicId: TopicId;
}

export interface LeaderAppend {
  readonly baseOffset: number;
  readonly lastOffset: number;
  /** The batch was appended before; the offsets are those of the first time. */
  readonly duplicate: boolean;
  /** -1 unless the topic's timestamp type is 'append'. */
  readonly logAppendTimeMs: number;
}

export interface EpochEndOffset {
  readonly epoch: number;
  readonly endOffset: number;
}

export interface TimestampOffset {
  readonly offset: number;
  readonly timestamp: number;
}

export declare class PartitionLog {
  readonly topic: string;
  readonly partition: number;
  readonly topicId: TopicId;
  /** Why the log takes no more requests; undefined while it works. */
  get offline(): MillraceError | undefined;
  /** Called once when the log goes offline after it was opened. */
  onOffline: ((error: MillraceError) => void) | undefined;
  get config(): LogConfig;
  get logStartOffset(): number;
  get logEndOffset(): number;
  /** Everything below is durable in the sense of the topic's durability. Equals logEndOffset for page-cache. */
  get flushedOffset(): number;
  /** Epoch of the last batch or of the last assigned leadership; -1 for none. */
  get lastEpoch(): number;
  get highWatermark(): number;
  get sizeBytes(): number;
  setHighWatermark(offset: number): void;
  /** The buffer belongs to the log afterwards: it is kept in a cache and must not be changed or reused. */
  appendAsLeader(batch: Buffer, leaderEpoch: number): LeaderAppend;
  appendAsFollower(batches: Buffer): { readonly lastOffset: number };
  onFlushed(listener: (flushedOffset: number) => void): void;
  whenFlushed(offset: number): Promise<void>;
  /** The result may share memory with a cache: never change it. */
  read(fromOffset: number, maxBytes: number, upTo: number, minOneBatch?: boolean): Promise<Buffer>;
  endOffsetForEpoch(epoch: number): EpochEndOffset;
  assignEpoch(epoch: number, startOffset: number): void;
  truncateTo(offset: number): Promise<void>;
  truncateFullyAndStartAt(offset: number): Promise<void>;
  /** Moves damaged files aside, starts empty at `startOffset` and comes back online. */
  resetForRepair(startOffset: number): Promise<void>;
  offsetForTimestamp(timestampMs: number): Promise<TimestampOffset | undefined>;
  maxTimestampOffset(): Promise<TimestampOffset | undefined>;
  deleteRecordsBefore(offset: number): Promise<void>;
  setConfig(config: LogConfig): void;
  cleanUp(nowMs: number): Promise<void>;
}
