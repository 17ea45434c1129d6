/** A Raft store without a disk, for tests and clusters that are thrown away. Survives `close`, so a restart finds its log. */
import { invariant } from '@millrace/core';
import { BLANK_STATE, type DurableState, type Snapshot } from '@millrace/raft';
import type { RaftStore, RaftStoreWrite } from './raft-store.ts';

export class MemoryRaftStore implements RaftStore {
  #state: DurableState = BLANK_STATE;

  load(): Promise<DurableState> {
    return Promise.resolve(this.#state);
  }

  write(change: RaftStoreWrite): Promise<void> {
    this.#state = applyWrite(this.#state, change);
    return Promise.resolve();
  }

  saveSnapshot(snapshot: Snapshot, compactTo: number, compactTerm: number): Promise<void> {
    const { entries, ...rest } = this.#state;
    this.#state = {
      ...rest,
      snapshot,
      logStart: { index: compactTo, term: compactTerm },
      entries: entries.filter(({ index }) => index > compactTo),
    };
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

function applyWrite(state: DurableState, change: RaftStoreWrite): DurableState {
  const { installSnapshot, truncateFrom, hardState } = change;
  const base =
    installSnapshot === undefined
      ? state
      : {
          ...state,
          snapshot: installSnapshot,
          logStart: { index: installSnapshot.index, term: installSnapshot.term },
          entries: [],
        };
  const kept =
    truncateFrom === undefined ? base.entries : base.entries.filter(({ index }) => index < truncateFrom);
  // One array, extended in place: a copy for each write would cost as much as the log is long.
  const entries = kept as DurableState['entries'][number][];
  for (const entry of change.entries ?? []) {
    invariant(entry.index === base.logStart.index + entries.length + 1, 'a log is stored without gaps', {
      index: entry.index,
    });
    entries.push(entry);
  }
  return { ...base, entries, hardState: hardState ?? base.hardState };
}
