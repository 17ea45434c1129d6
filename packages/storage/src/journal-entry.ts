/**
 * One thing that a log wants in the journal, and what the journal asks of that log in return. Shapes only: order,
 * durability and bytes on disk are the journal's affair.
 */
import type { Deferred } from '@millrace/core';
import { JOURNAL_HEADER_BYTES, type JournalKind } from './journal-record.ts';

/** A log whose appends go through the journal. */
export interface JournalClient {
  /** 16 bytes. */
  readonly topicIdBytes: Buffer;
  readonly partition: number;
  /** Everything below `nextOffset` is on stable storage. */
  journalFlushed(nextOffset: number): void;
  /**
   * Puts all it has on stable storage by itself, so that the journal may forget it.
   * @returns the offset below which all is there; undefined if nobody knows, because the log failed or is being cut.
   */
  syncForJournal(): Promise<number | undefined>;
}

/** Waits to be journalled. */
export interface JournalEntry {
  readonly client: JournalClient;
  readonly kind: JournalKind;
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly leaderEpoch: number;
  /** Batches, back to back. */
  readonly payload: Buffer | undefined;
  done: Deferred<void> | undefined;
}

/** In the journal's file. */
export function entryBytes({ payload }: JournalEntry): number {
  return JOURNAL_HEADER_BYTES + (payload?.length ?? 0);
}

/** One that only tells of an offset. */
export function offsetEntry(
  client: JournalClient,
  kind: Exclude<JournalKind, 'batches'>,
  offset: number,
  leaderEpoch = -1,
): JournalEntry {
  return {
    client,
    kind,
    baseOffset: offset,
    lastOffset: offset,
    leaderEpoch,
    payload: undefined,
    done: undefined,
  };
}
