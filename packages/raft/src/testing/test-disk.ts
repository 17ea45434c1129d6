/** A disk for one replica under test: writes wait until they are flushed, and a crash loses those that waited. */
import { invariant } from '@millrace/core';
import { BLANK_STATE, type DurableState } from '../durable-state.ts';
import type { RaftEffect } from '../raft-effect.ts';
import type { Entry, Voter } from '../raft-message.ts';

export type Write = Extract<RaftEffect, { kind: 'persist' | 'saveSnapshot' }>;

export class TestDisk {
  state: DurableState = BLANK_STATE;
  pending: Write[] = [];

  /** Makes the oldest `count` writes durable. @returns the id of the last one, or undefined if none waited. */
  flush(count = this.pending.length): number | undefined {
    const writes = this.pending.splice(0, count);
    for (const write of writes) this.state = apply(this.state, write);
    return writes.at(-1)?.id;
  }

  /** A log of one entry for each term, as an earlier life of the cluster may have left it. */
  prepare(term: number, terms: readonly number[], voters: readonly Voter[]): void {
    const entries = terms.map((entryTerm, i): Entry => {
      return { index: i + 1, term: entryTerm, kind: 'data', data: Buffer.from(String(i + 1)) };
    });
    const quorumId = voters[0]?.directoryId ?? '';
    const hardState = { ...this.state.hardState, term, voters, quorumId };
    this.state = { ...this.state, entries, hardState };
  }

  crash(): void {
    this.pending = [];
  }

  termAt(index: number): number | undefined {
    const { logStart, entries } = this.state;
    return index === logStart.index ? logStart.term : entries[index - logStart.index - 1]?.term;
  }
}

function apply(state: DurableState, write: Write): DurableState {
  if (write.kind === 'saveSnapshot') {
    const { snapshot, compactTo, compactTerm } = write;
    invariant(compactTo >= state.logStart.index, 'compaction goes forward', { compactTo });
    const entries = state.entries.filter(({ index }) => index > compactTo);
    return { ...state, snapshot, logStart: { index: compactTo, term: compactTerm }, entries };
  }
  let { hardState, snapshot, logStart, entries } = state;
  if (write.installSnapshot !== undefined) {
    snapshot = write.installSnapshot;
    logStart = { index: snapshot.index, term: snapshot.term };
    entries = [];
  }
  const { truncateFrom } = write;
  if (truncateFrom !== undefined) entries = entries.filter(({ index }) => index < truncateFrom);
  for (const entry of write.entries ?? []) {
    invariant(entry.index === logStart.index + entries.length + 1, 'the log on disk has no gaps', {
      index: entry.index,
    });
    entries = [...entries, entry];
  }
  if (write.hardState !== undefined) hardState = write.hardState;
  return { hardState, snapshot, logStart, entries };
}
