/**
 * Linearizable reads without a log entry (Raft §6.4): note the commit index, prove that this node was still
 * followed by a majority after the read arrived, then serve once the noted index is applied.
 * Never by a lease: a paused process does not notice that its lease ran out (S15).
 */
import { invariant } from '@millrace/core';
import { reachedByMajority } from './quorum.ts';
import { type RaftState, reachedByVoters } from './raft-state.ts';
import { leadershipOf, sendHeartbeats } from './replication.ts';

export function onRead(state: RaftState, id: number): void {
  if (state.leadership === undefined) {
    state.out.push({ kind: 'readRefused', id });
    return;
  }
  const { firstIndex, earlyReads } = state.leadership;
  // Until an entry of this term is committed, the commit index may lag behind what older leaders acknowledged.
  if (state.commitIndex < firstIndex) earlyReads.push(id);
  else enqueueRead(state, id);
}

function enqueueRead(state: RaftState, id: number): void {
  const leadership = leadershipOf(state);
  // A round that is under way began before this read. Its followers share the next one, which starts when it ends.
  const isRoundOpen = leadership.reads.some(({ round }) => round === leadership.round);
  leadership.reads.push({ id, index: state.commitIndex, round: leadership.round + 1 });
  if (!isRoundOpen) sendHeartbeats(state);
  serveReads(state);
}

/** After the commit index moved: the reads that waited for the first entry of the term may begin. */
export function releaseEarlyReads(state: RaftState): void {
  const leadership = leadershipOf(state);
  if (state.commitIndex < leadership.firstIndex) return;
  for (const id of leadership.earlyReads.splice(0)) enqueueRead(state, id);
}

/** After a heartbeat was answered. */
export function serveReads(state: RaftState): void {
  const leadership = leadershipOf(state);
  if (leadership.reads.length === 0) return;
  const rounds = reachedByVoters(state, leadership.round, 0, ({ ackedRound }) => ackedRound);
  const confirmed = reachedByMajority(rounds);
  invariant(confirmed <= leadership.round, 'only rounds that began are answered', {
    confirmed,
    round: leadership.round,
  });
  const ready = leadership.reads.filter(({ round }) => round <= confirmed);
  leadership.reads = leadership.reads.filter(({ round }) => round > confirmed);
  for (const { id, index } of ready) state.out.push({ kind: 'readReady', id, index });
  const isWaiting = leadership.reads.some(({ round }) => round > leadership.round);
  if (ready.length > 0 && isWaiting) {
    sendHeartbeats(state);
    serveReads(state);
  }
}
