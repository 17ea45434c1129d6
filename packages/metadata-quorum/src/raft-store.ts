/** The durable home of hard state, log and snapshot, as the Raft driver sees it. One contract, tested for every implementation. */
import type { DurableState, Entry, HardState, Snapshot } from '@millrace/raft';

/** One atomic change, applied in the order of the fields. */
export interface RaftStoreWrite {
  /** Replaces snapshot and whole log. */
  readonly installSnapshot?: Snapshot | undefined;
  /** Removes entries from this index on. */
  readonly truncateFrom?: number | undefined;
  /** Continue the log without a gap. */
  readonly entries?: readonly Entry[] | undefined;
  readonly hardState?: HardState | undefined;
}

/**
 * Methods are called one at a time. A rejected write leaves it unknown what is stored: the node stops,
 * nobody retries (a failed fsync may have dropped the pages that it failed on).
 */
export interface RaftStore {
  /** @throws {MillraceError} LOG_DAMAGED if anything that was durable is missing or altered. */
  load(): Promise<DurableState>;
  /** Durable, as a whole, when it resolves. */
  write(change: RaftStoreWrite): Promise<void>;
  /** Durable when it resolves; then entries up to `compactTo`, whose entry had `compactTerm`, are gone. */
  saveSnapshot(snapshot: Snapshot, compactTo: number, compactTerm: number): Promise<void>;
  close(): Promise<void>;
}
