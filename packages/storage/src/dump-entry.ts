/**
 * What the files of a data directory hold, entry by entry, as people look at them. Shapes only. 64-bit values that a
 * damaged file may fill with anything are bigint.
 */
import type { LogRecord } from '@millrace/records';
import type { JournalKind } from './journal-record.ts';

export interface BatchEntry {
  readonly kind: 'batch';
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly count: number;
  readonly baseSequence: number;
  readonly lastSequence: number;
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly partitionLeaderEpoch: number;
  readonly isTransactional: boolean;
  readonly isControl: boolean;
  readonly position: number;
  readonly timestampType: 'create' | 'append';
  readonly maxTimestamp: number;
  readonly sizeBytes: number;
  readonly codec: string;
  readonly crc: number;
  readonly isValid: boolean;
  /** Only if asked for. */
  readonly records?: readonly LogRecord[];
}

export type DumpEntry =
  | BatchEntry
  | { readonly kind: 'offsetIndex'; readonly offset: bigint; readonly position: number }
  | { readonly kind: 'timeIndex'; readonly timestamp: bigint; readonly offset: bigint }
  | {
      readonly kind: 'producer';
      readonly producerId: bigint;
      readonly producerEpoch: number;
      readonly coordinatorEpoch: number;
      readonly currentTxnFirstOffset: bigint;
      readonly lastTimestamp: bigint;
      readonly lastSequence: number;
      readonly lastOffset: bigint;
      readonly offsetDelta: number;
    }
  /** What the journal holds for one partition; the batches of it follow as entries of their own, if asked for. */
  | {
      readonly kind: 'journal';
      readonly position: number;
      readonly record: JournalKind;
      /** Of `begin`: where the records of the file before end. */
      readonly endOfPrevious?: number;
      readonly topicId?: string;
      readonly partition?: number;
      readonly baseOffset?: number;
      readonly lastOffset?: number;
      readonly leaderEpoch?: number;
      readonly roundStart: number;
      readonly sizeBytes: number;
      readonly isValid: boolean;
    }
  /** What follows the last record of a journal file: padding, a torn record, or an earlier use of the file. */
  | { readonly kind: 'unused'; readonly position: number; readonly sizeBytes: number }
  /** A line of a checkpoint or of `partition.metadata`. */
  | { readonly kind: 'line'; readonly text: string }
  /** What cannot be right, and from which byte on. */
  | { readonly kind: 'damage'; readonly position: number; readonly problem: string };
