/**
 * Elections: pre-vote, votes, and the reasons to refuse them (Q5 to Q9). Everybody answers, also who is outside the
 * set that it knows and whoever asks: sets differ while a change is under way (Q6), and the asker counts by its own.
 * A granted vote leaves only after it is durable; a pre-vote changes nothing.
 */
import type { NodeId } from '@millrace/core';
import { greetContacts, sendHello } from './formation.ts';
import { takeObserver } from './membership.ts';
import type {
  PreVoteRequest,
  PreVoteResponse,
  TimeoutNow,
  VoteRequest,
  VoteResponse,
} from './raft-message.ts';
import { isVoterKey, persistHard, type RaftState, send } from './raft-state.ts';
import {
  becomeCandidate,
  becomeFollower,
  becomeLeader,
  becomePreCandidate,
  scheduleFetchTimeout,
  scheduleQuickElection,
  tally,
} from './roles.ts';

/** Stands again after an election without result, or for the first time after a silent leader. */
export function onElectionTick(state: RaftState): void {
  if (state.role === 'leader' || state.role === 'observer' || state.nowMs < state.electionDueMs) return;
  becomePreCandidate(state);
  // Without a leader in sight, perhaps because this voter was removed while it was away.
  greetContacts(state);
}

/**
 * Whether there is a leader to stick to. A leader believes in itself; a follower in a leader that it heard in
 * this term, lately, over a connection that has not broken since. Without this, pre-vote and check-quorum
 * still let a node that cannot hear the leader depose it (Q9).
 */
export function hearsLeader(state: RaftState): boolean {
  if (state.role === 'leader') return true;
  if (state.leaderId === undefined || state.leaderLinkBroken) return false;
  return state.nowMs - state.leaderContactMs < state.config.fetchTimeoutMs;
}

export function onPreVoteRequest(state: RaftState, from: NodeId, message: PreVoteRequest): void {
  if (message.lastTerm > message.term) return;
  const granted =
    message.term >= state.hard.term &&
    state.log.isAtMost(message.lastIndex, message.lastTerm) &&
    !hearsLeader(state);
  send(state, from, { kind: 'preVoteResponse', granted }, state.hardPersistId);
  if (!granted) helpStranger(state, from, message.directoryId);
}

/** Removed while it was away, it would ask for ever: the log tells it, or the voters' names lead it to the log. */
function helpStranger(state: RaftState, id: NodeId, directoryId: string): void {
  if (isVoterKey(state, { id, directoryId })) return;
  if (state.role === 'leader') takeObserver(state, id, directoryId);
  else sendHello(state, id, true);
}

export function onPreVoteResponse(state: RaftState, from: NodeId, message: PreVoteResponse): void {
  if (state.role !== 'preCandidate' || message.term > state.hard.term) return;
  if (!isVoterKey(state, { id: from, directoryId: message.directoryId })) return;
  state.votes.set(message.directoryId, message.granted);
  if (tally(state) === 'won') becomeCandidate(state, false);
}

export function onVoteRequest(state: RaftState, from: NodeId, message: VoteRequest): void {
  // A vote request of a term that its log has reached already was never sent by a candidate.
  if (message.lastTerm >= message.term) return;
  if (hearsLeader(state) && !message.transfer) return;
  if (message.term > state.hard.term) becomeFollower(state, message.term, undefined);
  const granted = message.term === state.hard.term && mayVoteFor(state, from, message);
  if (granted && state.hard.votedFor === undefined) {
    persistHard(state, { votedFor: { id: from, directoryId: message.directoryId } });
    scheduleFetchTimeout(state);
  }
  send(state, from, { kind: 'voteResponse', granted }, state.hardPersistId);
}

function mayVoteFor(state: RaftState, from: NodeId, message: VoteRequest): boolean {
  const { votedFor } = state.hard;
  const votedForIt = votedFor?.id === from && votedFor.directoryId === message.directoryId;
  const isFree = votedFor === undefined && state.leaderId === undefined;
  return (isFree || votedForIt) && state.log.isAtMost(message.lastIndex, message.lastTerm);
}

export function onVoteResponse(state: RaftState, from: NodeId, message: VoteResponse): void {
  if (state.role !== 'candidate' || message.term !== state.hard.term) return;
  if (!isVoterKey(state, { id: from, directoryId: message.directoryId })) return;
  countVote(state, message.directoryId, message.granted);
}

/** The candidate's own vote, once it is durable. */
export function countOwnVote(state: RaftState): void {
  if (state.role !== 'candidate' || state.durablePersistId < state.selfVotePersistId) return;
  if (!state.votes.has(state.directoryId)) countVote(state, state.directoryId, true);
}

function countVote(state: RaftState, directoryId: string, granted: boolean): void {
  // A repeated answer does not change the first one.
  if (!state.votes.has(directoryId)) state.votes.set(directoryId, granted);
  // A majority without the own vote still waits for it: a leader has its own term and vote on disk.
  if (tally(state) === 'won' && state.votes.has(state.directoryId)) becomeLeader(state);
}

/** The leader hands over: stand at once, without the pre-vote that its followers would refuse. */
export function onTimeoutNow(state: RaftState, from: NodeId, message: TimeoutNow): void {
  if (state.role !== 'follower' || message.term !== state.hard.term || from !== state.leaderId) return;
  becomeCandidate(state, true);
}

/**
 * The connection to the leader broke: probably its process died, so stand soon instead of waiting for the
 * fetch timeout. If only the connection broke, the others still hear the leader and refuse.
 */
export function onLeaderDisconnected(state: RaftState): void {
  if (state.role !== 'follower' && state.role !== 'observer') return;
  state.leaderLinkBroken = true;
  scheduleQuickElection(state);
}
