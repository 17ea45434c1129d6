/** Taking a snapshot, and what follows once one is durable (Q30, Q31). Never compacts before the snapshot is on disk. */
import { invariant } from '@millrace/core';
import type { RaftState } from './raft-state.ts';

/** The state machine handed over its state after `index`. A save that is still under way goes first. */
export function onSnapshotTaken(state: RaftState, index: number, data: Buffer): void {
  const newest = state.snapshot?.index ?? 0;
  if (index <= newest || state.pendingSave !== undefined || state.pendingInstall !== undefined) return;
  invariant(index <= state.emittedIndex, 'a snapshot holds only what was committed', {
    index,
    emitted: state.emittedIndex,
  });
  const term = state.log.termAt(index);
  invariant(term !== undefined, 'a snapshot ends inside the log', { index });
  const compactTo = Math.max(state.log.startIndex, index - state.config.retainedEntries);
  const compactTerm = state.log.termAt(compactTo)!;
  const snapshot = { index, term, voters: state.voterSets.at(index).voters, data };
  const id = ++state.lastPersistId;
  state.pendingPersists.push({ id, durableIndex: state.log.lastIndex });
  state.pendingSave = { persistId: id, snapshot, compactTo };
  state.out.push({ kind: 'saveSnapshot', id, snapshot, compactTo, compactTerm });
}

/** After more became durable: compacts behind a saved snapshot, hands an installed one to the state machine. */
export function completeSnapshots(state: RaftState): void {
  const { pendingSave, pendingInstall, durablePersistId } = state;
  if (pendingSave !== undefined && pendingSave.persistId <= durablePersistId) {
    state.pendingSave = undefined;
    state.snapshot = pendingSave.snapshot;
    state.voterSets.compactTo(pendingSave.snapshot.index);
    // An install may have moved the log past it meanwhile.
    if (pendingSave.compactTo > state.log.startIndex) state.log.compactTo(pendingSave.compactTo);
  }
  if (pendingInstall !== undefined && pendingInstall.persistId <= durablePersistId) {
    const { snapshot } = pendingInstall;
    invariant(snapshot.index > state.emittedIndex, 'a restore never goes back', {
      index: snapshot.index,
      emitted: state.emittedIndex,
    });
    state.pendingInstall = undefined;
    state.snapshot = snapshot;
    state.emittedIndex = snapshot.index;
    state.out.push({ kind: 'restore', snapshot });
  }
}
