/** A leader's clock-driven duties, proposals, and handing leadership over. Never serves once its quorum is out of sight. */
import type { NodeId } from '@millrace/core';
import { advanceLeaderCommit } from './commit.ts';
import type { FollowerProgress } from './follower-progress.ts';
import { forgetSilentObservers } from './membership.ts';
import { reachedByMajority } from './quorum.ts';
import type { Refusal } from './raft-effect.ts';
import { type RaftState, reachedByVoters, send } from './raft-state.ts';
import { releaseEarlyReads } from './read-index.ts';
import { announceCommit, appendAsLeader, leadershipOf, sendHeartbeats } from './replication.ts';
import { becomeFollower } from './roles.ts';

/** Q11's factor on the fetch timeout. */
const CHECK_QUORUM_FACTOR = 1.5;

/** When the leader must have heard from a majority. A single voter hears itself. */
export function checkQuorumDueMs(state: RaftState): number {
  const { POSITIVE_INFINITY, NEGATIVE_INFINITY } = Number;
  const contacts = reachedByVoters(
    state,
    POSITIVE_INFINITY,
    NEGATIVE_INFINITY,
    ({ lastContactMs }) => lastContactMs,
  );
  return reachedByMajority(contacts) + CHECK_QUORUM_FACTOR * state.config.fetchTimeoutMs;
}

/**
 * Resigns a leader that its majority may have left. Runs before every event: after a pause, the first thing
 * that a leader does must not be to serve what came in meanwhile.
 */
export function checkQuorum(state: RaftState): void {
  if (state.role !== 'leader' || state.nowMs < checkQuorumDueMs(state)) return;
  becomeFollower(state, state.hard.term, undefined);
}

export function onLeaderTick(state: RaftState): void {
  const leadership = leadershipOf(state);
  if (state.nowMs >= leadership.heartbeatDueMs) {
    forgetSilentObservers(state, CHECK_QUORUM_FACTOR * state.config.fetchTimeoutMs);
    sendHeartbeats(state);
  }
  const { transfer } = leadership;
  if (transfer !== undefined && state.nowMs >= transfer.untilMs) leadership.transfer = undefined;
}

export function leaderDueMs(state: RaftState): number {
  const { heartbeatDueMs, transfer } = leadershipOf(state);
  return Math.min(heartbeatDueMs, checkQuorumDueMs(state), transfer?.untilMs ?? Number.POSITIVE_INFINITY);
}

export function onPropose(state: RaftState, items: readonly Buffer[]): void {
  const reason = refusal(state);
  if (reason !== undefined) {
    state.out.push({ kind: 'proposalRefused', reason });
    return;
  }
  const entries = appendAsLeader(state, 'data', items);
  const firstIndex = entries[0]!.index;
  const lastIndex = firstIndex + entries.length - 1;
  state.out.push({ kind: 'proposed', firstIndex, lastIndex, term: state.hard.term });
}

/** Why nothing may be appended now. */
export function refusal(state: RaftState): Refusal | undefined {
  if (state.leadership === undefined) return 'notLeader';
  if (state.commitIndex < state.leadership.firstIndex) return 'notReady';
  return state.leadership.transfer === undefined ? undefined : 'transferring';
}

/** After more of the own log became durable: it counts now, too. */
export function onOwnLogDurable(state: RaftState): void {
  if (advanceLeaderCommit(state)) announceCommit(state);
  releaseEarlyReads(state);
}

/** Stops taking proposals, brings the successor up to date and asks it to stand. Given up after an election timeout. */
export function onTransferLeadership(state: RaftState, to: NodeId | undefined): void {
  const { leadership } = state;
  if (leadership === undefined || leadership.transfer !== undefined) return;
  const target = to === undefined ? furthestFollower(state) : leadership.progress.get(to);
  if (target === undefined || !target.voter) return;
  const untilMs = state.nowMs + state.config.electionTimeoutMs;
  leadership.transfer = { to: target.id, untilMs, asked: false };
  askSuccessor(state);
}

/** Asks once the successor holds everything; called again after each of its acknowledgements. */
export function askSuccessor(state: RaftState): void {
  const { transfer, progress } = leadershipOf(state);
  if (transfer === undefined || transfer.asked) return;
  const target = progress.get(transfer.to);
  if (target === undefined || target.match < state.log.lastIndex) return;
  transfer.asked = true;
  send(state, transfer.to, { kind: 'timeoutNow' }, state.hardPersistId);
}

/** The voter that can take over soonest, if any is heard. */
export function furthestFollower(state: RaftState): FollowerProgress | undefined {
  const { fetchTimeoutMs } = state.config;
  return [...leadershipOf(state).progress.values()]
    .filter(({ voter, lastContactMs }) => voter && state.nowMs - lastContactMs < fetchTimeoutMs)
    .sort((a, b) => b.match - a.match || a.id - b.id)[0];
}
