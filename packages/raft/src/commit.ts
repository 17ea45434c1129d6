/**
 * When an entry counts as committed, and when it is handed out. Commit moves forward only; what is handed
 * out is committed and durable here, so a state machine never runs ahead of its own disk.
 */
import { invariant } from '@millrace/core';
import { reachedByMajority } from './quorum.ts';
import { type RaftState, reachedByVoters } from './raft-state.ts';

/**
 * Leader: commits what a majority of voters holds durably, the leader itself only as far as its own disk
 * (Q19) and only if it votes (Q33), and only through an entry of its own term (Q21; Raft §5.4.2, figure 8).
 * @returns whether the commit index moved.
 */
export function advanceLeaderCommit(state: RaftState): boolean {
  const leadership = state.leadership;
  invariant(leadership !== undefined, 'only a leader counts acknowledgements');
  const index = reachedByMajority(reachedByVoters(state, state.durableIndex, 0, ({ match }) => match));
  if (index <= state.commitIndex || state.log.termAt(index) !== state.hard.term) return false;
  invariant(index >= leadership.firstIndex, 'older terms commit through the own term', {
    index,
    firstIndex: leadership.firstIndex,
  });
  commitTo(state, index);
  return true;
}

/** Never goes back: an index below the present one says nothing new. */
export function commitTo(state: RaftState, index: number): void {
  if (index <= state.commitIndex) return;
  invariant(index <= state.log.lastIndex, 'only what the log holds is committed', {
    index,
    lastIndex: state.log.lastIndex,
  });
  state.commitIndex = index;
  emitCommitted(state);
}

/** Hands out what is new, committed and durable. */
export function emitCommitted(state: RaftState): void {
  const index = Math.min(state.commitIndex, state.durableIndex);
  if (index <= state.emittedIndex || state.pendingInstall !== undefined) return;
  invariant(state.emittedIndex >= state.log.startIndex, 'nothing is compacted before it was handed out', {
    emitted: state.emittedIndex,
    startIndex: state.log.startIndex,
  });
  const entries = state.log.slice(state.emittedIndex + 1, index);
  state.emittedIndex = index;
  state.out.push({ kind: 'committed', entries });
}

/** A truncation or an install replaces everything after `index`: earlier writes no longer vouch for it. */
export function forgetDurableAfter(state: RaftState, index: number): void {
  state.durableIndex = Math.min(state.durableIndex, index);
  for (const pending of state.pendingPersists) pending.durableIndex = Math.min(pending.durableIndex, index);
}

/** Everything up to persist `id` is on stable storage. */
export function notePersisted(state: RaftState, id: number): void {
  invariant(id <= state.lastPersistId, 'only what was issued becomes durable', {
    id,
    issued: state.lastPersistId,
  });
  state.durablePersistId = Math.max(state.durablePersistId, id);
  while (state.pendingPersists[0] !== undefined && state.pendingPersists[0].id <= id) {
    // The newest write speaks for the whole log up to its end, which a truncation may have shortened.
    state.durableIndex = state.pendingPersists.shift()!.durableIndex;
  }
  invariant(state.durableIndex <= state.log.lastIndex, 'nothing is durable beyond the log', {
    durable: state.durableIndex,
    lastIndex: state.log.lastIndex,
  });
}
