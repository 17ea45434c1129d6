/** A Raft store without a disk, for tests and clusters that are thrown away. Survives `close`, so a restart finds its log. */
import { invariant } from '@millrace/core';
import { BLANK_STATE, type DurableState, type Entry, type Snapshot } from '@millrace/raft';
import type { RaftStore, RaftStoreWrite } from './raft-store.ts';

export class MemoryRaftStore implements RaftStore {
  #state: Omit<DurableState, 'entries'> = BLANK_STATE;
  /** Extended in place: a copy for each write would cost as much as the log is long. */
  #entries: Entry[] = [];

  load(): Promise<DurableState> {
    return Promise.resolve({ ...this.#state, entries: [...this.#entries] });
  }

  write({ installSnapshot, truncateFrom, entries, hardState }: RaftStoreWrite): Promise<void> {
    if (installSnapshot !== undefined) {
      const { index, term } = installSnapshot;
      this.#state = { ...this.#state, snapshot: installSnapshot, logStart: { index, term } };
      this.#entries = [];
    }
    if (truncateFrom !== undefined) {
      this.#entries = this.#entries.filter(({ index }) => index < truncateFrom);
    }
    for (const entry of entries ?? []) {
      const next = this.#state.logStart.index + this.#entries.length + 1;
      invariant(entry.index === next, 'a log is stored without gaps', { index: entry.index, next });
      this.#entries.push(entry);
    }
    if (hardState !== undefined) this.#state = { ...this.#state, hardState };
    return Promise.resolve();
  }

  saveSnapshot(snapshot: Snapshot, compactTo: number, compactTerm: number): Promise<void> {
    this.#state = { ...this.#state, snapshot, logStart: { index: compactTo, term: compactTerm } };
    this.#entries = this.#entries.filter(({ index }) => index > compactTo);
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
