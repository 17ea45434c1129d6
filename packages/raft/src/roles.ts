/**
 * Changes of role, each with everything that must be reset. Roles change nowhere else.
 */
import { invariant, type NodeId } from '@millrace/core';
import { newProgress } from './follower-progress.ts';
import { countVotes, type VoteResult } from './quorum.ts';
import {
  peers,
  persistHard,
  type RaftState,
  randomDelayMs,
  selfKey,
  send,
  takesPart,
  votersOf,
} from './raft-state.ts';
import { appendAsLeader, sendHeartbeats } from './replication.ts';

/** Follows in `term`, which may be the present one. A directory that may not stand observes. */
export function becomeFollower(state: RaftState, term: number, leaderId: NodeId | undefined): void {
  invariant(term >= state.hard.term, 'a term never decreases', { from: state.hard.term, to: term });
  invariant(leaderId !== state.id, 'nobody follows itself', { leaderId });
  if (term > state.hard.term) {
    persistHard(state, { term, votedFor: undefined });
    state.leaderContactMs = Number.NEGATIVE_INFINITY;
    state.incoming = undefined;
  }
  if (state.leadership !== undefined) resign(state);
  state.role = takesPart(state) ? 'follower' : 'observer';
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
  invariant(takesPart(state) && state.role !== 'leader', 'only a voter that does not lead stands', {
    role: state.role,
  });
  state.role = 'preCandidate';
  state.leaderId = undefined;
  state.votes = new Map([[state.directoryId, true]]);
  scheduleElectionTimeout(state);
  const { lastIndex, lastTerm } = state.log;
  for (const to of peers(state)) {
    send(state, to, { kind: 'preVoteRequest', lastIndex, lastTerm }, state.hardPersistId);
  }
  if (tally(state) === 'won') becomeCandidate(state, false);
}

/** Opens the next term with the own vote; it counts, and others hear of it, once it is durable. */
export function becomeCandidate(state: RaftState, transfer: boolean): void {
  invariant(takesPart(state) && state.role !== 'leader', 'only a voter that does not lead stands', {
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

/** Only votes of the set in force count: the own one does not if this node is about to leave it. */
export function tally(state: RaftState): VoteResult {
  const ballots = votersOf(state).map(({ directoryId }) => state.votes.get(directoryId));
  const granted = ballots.filter((vote) => vote === true).length;
  const refused = ballots.filter((vote) => vote === false).length;
  return countVotes(ballots.length, granted, refused);
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
  const followers = votersOf(state).filter(({ id }) => id !== state.id);
  state.leadership = {
    firstIndex: next,
    progress: new Map(
      followers.map(({ id, directoryId }) => [
        id,
        newProgress({ id, directoryId, voter: true }, next, state.nowMs),
      ]),
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
