/** What is promised of a log after recovery, by number (reliability.md, section 5), and how a broken promise is told. */
import type { MillraceError, Random } from '@millrace/core';
import type { PartitionLog } from '@millrace/storage';
import type { BatchFact, LedgerView } from './log-ledger.ts';

export class StorageViolation extends Error {
  readonly invariant: number;
  /** What the storage itself said, if it noticed: then nothing wrong is served. */
  readonly notice: MillraceError | undefined;

  constructor(invariant: number, message: string, notice?: MillraceError) {
    super(`invariant ${invariant}: ${message}`);
    this.invariant = invariant;
    this.notice = notice;
  }
}

/** A log that has just been opened, and what its client knows of it. */
export interface ReopenedLog {
  readonly log: PartitionLog;
  readonly ledger: LedgerView;
  /** All below must be there: what survives this kind of crash. */
  readonly promisedTo: number;
}

/** A log whose contents are known to be right. */
export interface KnownContents {
  readonly log: PartitionLog;
  /** From the one that holds the log start on. */
  readonly batches: readonly BatchFact[];
  readonly random: Random;
  /** In words. */
  readonly range: string;
}

export interface StorageInvariant<View, Found = void> {
  readonly number: number;
  readonly name: string;
  /** `violated` does not return. */
  judge(view: View, violated: (text: string, notice?: MillraceError) => never): Promise<Found>;
}

/** `t-0 from 3 to 17`. */
export function rangeOf({ log, ledger }: Pick<ReopenedLog, 'log' | 'ledger'>): string {
  return `${ledger.topic}-${ledger.partition} from ${log.logStartOffset} to ${log.logEndOffset}`;
}
