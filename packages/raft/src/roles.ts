/**
 * Changes of role, each with everything that must be reset. Roles change nowhere else.
 */
import { invariant, type NodeId } from '@millrace/core';
import { newProgress } from './follower-progress.ts';
import { countVotes } from './quorum.ts';
import { isVoter, peers, persistHard, type RaftState, randomDelayMs, selfKey, send } from './raft-state.ts';
import { appendAsLeader, sendHeartbeats } from './replication.ts';

/** Follows in `term`, which may be the present one. A directory outside the voter set observes. */
export function becomeFollower(state: RaftState, term: number, leaderId: NodeId | undefined): void {
  invariant(term >= state.hard.term, 'a term never decreases', { from: state.hard.term, to: term });
  invariant(leaderId !== state.id, 'nobody follows itself', { leaderId });
  if (term > state.hard.term) {
    persistHard(state, { term, votedFor: undefined });
    state.leaderContactMs = Number.NEGATIVE_INFINITY;
    state.incoming = undefined;
  }
  if (state.leadership !== undefined) resign(state);
  state.role = isVoter(state) ? 'follower' : 'observer';
  state.leaderId = leaderId;
  state.leaderLinkBroken = false;
  state.votes = new Map();
  scheduleFetchTimeout(state);
}

function resign(state: RaftState): void {
  const { reads, earlyReads } = state.leadership!;
  for (const id of [...reads.map((read) => read.id), ...earlyReads]) {
    state.out.push({ kind: 'readRefused', id });
  }
  state.leadership = undefined;
}

/** Asks who would vote for this node, without touching term or vote (Q7). */
export function becomePreCandidate(state: RaftState): void {
  invariant(isVoter(state) && state.role !== 'leader', 'only a voter that does not lead stands', {
    role: state.role,
  });
  state.role = 'preCandidate';
  state.leaderId = undefined;
  state.votes = new Map([[state.id, true]]);
  scheduleElectionTimeout(state);
  const { lastIndex, lastTerm } = state.log;
  for (const to of peers(state)) {
    send(state, to, { kind: 'preVoteRequest', lastIndex, lastTerm }, state.hardPersistId);
  }
  if (tally(state) === 'won') becomeCandidate(state, false);
}

/** Opens the next term with the own vote; it counts, and others hear of it, once it is durable. */
export function becomeCandidate(state: RaftState, transfer: boolean): void {
  invariant(isVoter(state) && state.role !== 'leader', 'only a voter that does not lead stands', {
    role: state.role,
  });
  state.selfVotePersistId = persistHard(state, { term: state.hard.term + 1, votedFor: selfKey(state) });
  state.role = 'candidate';
  state.leaderId = undefined;
  state.leaderContactMs = Number.NEGATIVE_INFINITY;
  state.incoming = undefined;
  state.votes = new Map();
  scheduleElectionTimeout(state);
  const { lastIndex, lastTerm } = state.log;
  for (const to of peers(state)) {
    send(state, to, { kind: 'voteRequest', lastIndex, lastTerm, transfer }, state.selfVotePersistId);
  }
}

export function tally(state: RaftState): 'won' | 'lost' | 'pending' {
  const ballots = [...state.votes.values()];
  const granted = ballots.filter((vote) => vote).length;
  return countVotes(state.hard.voters.length, granted, ballots.length - granted);
}

/** Leads the term that was just won, opening it with a leader change (Q22). */
export function becomeLeader(state: RaftState): void {
  invariant(state.role === 'candidate', 'only a candidate is elected', { role: state.role });
  invariant(state.hard.term > state.lastLedTerm, 'no term is led twice', { term: state.hard.term });
  invariant(state.durablePersistId >= state.selfVotePersistId, 'a leader has its own vote on disk');
  state.lastLedTerm = state.hard.term;
  state.role = 'leader';
  state.leaderId = state.id;
  const next = state.log.lastIndex + 1;
  const followers = state.hard.voters.filter(({ id }) => id !== state.id);
  state.leadership = {
    firstIndex: next,
    progress: new Map(
      followers.map((key) => [key.id, newProgress({ ...key, voter: true }, next, state.nowMs)]),
    ),
    heartbeatDueMs: state.nowMs,
    round: 0,
    reads: [],
    earlyReads: [],
    transfer: undefined,
  };
  state.electionDueMs = Number.POSITIVE_INFINITY;
  appendAsLeader(state, 'leaderChange', [Buffer.alloc(0)]);
  sendHeartbeats(state);
}

/** How long silence of the leader is borne; random, so that followers do not stand at the same time (Q10). */
export function scheduleFetchTimeout(state: RaftState): void {
  const { fetchTimeoutMs, electionTimeoutMs } = state.config;
  const delayMs = randomDelayMs(state, fetchTimeoutMs, electionTimeoutMs);
  state.electionDueMs = state.role === 'observer' ? Number.POSITIVE_INFINITY : state.nowMs + delayMs;
}

function scheduleElectionTimeout(state: RaftState): void {
  const { electionTimeoutMs } = state.config;
  state.electionDueMs = state.nowMs + randomDelayMs(state, electionTimeoutMs, electionTimeoutMs);
}

/** Waiting longer would teach nothing: stand soon, unless something is heard before. */
export function scheduleQuickElection(state: RaftState): void {
  if (state.role === 'observer') return;
  const { quickElectionMinMs, quickElectionMaxMs } = state.config;
  const delayMs = randomDelayMs(state, quickElectionMinMs, quickElectionMaxMs - quickElectionMinMs);
  state.electionDueMs = Math.min(state.electionDueMs, state.nowMs + delayMs);
}
