/**
 * Changing the voter set, one voter at a time (Q32, Q33; thesis §4). A voter is added only after its directory has
 * followed the log as an observer and caught up; a set counts from its append on, and is decided by a majority of
 * itself. A leader that removed itself leads until then, without counting itself, and makes way.
 */
import type { NodeId } from '@millrace/core';
import { newProgress } from './follower-progress.ts';
import { furthestFollower, refusal } from './leading.ts';
import type { VoterRefusal } from './raft-effect.ts';
import type { VoterChange } from './raft-event.ts';
import type { Voter } from './raft-message.ts';
import { isVoter, isVoterKey, type RaftState, send, takesPart, votersOf } from './raft-state.ts';
import { appendAsLeader, leadershipOf, progressFor, sendAppend } from './replication.ts';
import { becomeFollower, scheduleFetchTimeout } from './roles.ts';
import { encodeVoters, sameVoter } from './voter-sets.ts';

export function onChangeVoters(state: RaftState, change: VoterChange): void {
  const reason = refusal(state) ?? voterRefusal(state, change);
  if (reason !== undefined) {
    state.out.push({ kind: 'votersRefused', reason });
    return;
  }
  const [entry] = appendAsLeader(state, 'voters', [encodeVoters(changed(votersOf(state), change))]);
  state.out.push({ kind: 'votersProposed', index: entry!.index, term: state.hard.term });
}

function voterRefusal(state: RaftState, { kind, voter }: VoterChange): VoterRefusal | undefined {
  // The refusals before made sure that an entry of the own term is committed: without that, leaders of different
  // terms could each change one voter of the same set and end with majorities that do not meet (S1).
  if (state.voterSets.latest.index > state.commitIndex) return 'changeUnderWay';
  // Its own removal is decided but not yet told: it makes way after that, and not after one more change.
  if (!isVoter(state)) return 'changeUnderWay';
  const isKnown = isVoterKey(state, voter);
  if (kind === 'remove') {
    if (!isKnown) return 'unknownVoter';
    return votersOf(state).length === 1 ? 'lastVoter' : undefined;
  }
  if (isKnown) return 'alreadyVoter';
  const observer = leadershipOf(state).progress.get(voter.id);
  const isCaughtUp =
    observer?.directoryId === voter.directoryId &&
    state.nowMs - observer.lastCaughtUpMs < state.config.fetchTimeoutMs;
  return isCaughtUp ? undefined : 'notCaughtUp';
}

function changed(voters: readonly Voter[], { kind, voter }: VoterChange): readonly Voter[] {
  if (kind === 'remove') return voters.filter((other) => !sameVoter(other, voter));
  return [...voters, voter].sort((a, b) => a.id - b.id);
}

/** A directory that hears no leader found this one: the log goes there, too. */
export function takeObserver(state: RaftState, id: NodeId, directoryId: string): void {
  const { progress } = leadershipOf(state);
  if (!progress.has(id)) {
    const observers = [...progress.values()].filter(({ voter }) => !voter).length;
    const voter = isVoterKey(state, { id, directoryId });
    if (!voter && observers >= state.config.observersMax) return;
    progress.set(id, newProgress({ id, directoryId, voter }, state.log.lastIndex + 1, state.nowMs));
  }
  const observer = progressFor(state, id, directoryId)!;
  if (observer.mode === 'probe' && !observer.probing) sendAppend(state, observer);
}

/** A node outside the set that is silent for as long as a leader would bear silence is forgotten; it asks again. */
export function forgetSilentObservers(state: RaftState, patienceMs: number): void {
  const { progress } = leadershipOf(state);
  const wanted = new Set(votersOf(state).map(({ id }) => id));
  for (const { id, lastContactMs } of [...progress.values()]) {
    if (!wanted.has(id) && state.nowMs - lastContactMs >= patienceMs) progress.delete(id);
  }
}

/** After every step: the role follows the voter sets, whatever changed them. */
export function settleMembership(state: RaftState): void {
  const { latest } = state.voterSets;
  if (state.role === 'leader') settleLeader(state);
  else if (state.role === 'observer') {
    if (takesPart(state)) {
      state.role = 'follower';
      scheduleFetchTimeout(state);
    }
  } else if (!takesPart(state)) {
    state.role = 'observer';
    state.votes = new Map();
    scheduleFetchTimeout(state);
  }
  if (latest !== state.reportedVoters && latest.voters.length > 0) {
    state.reportedVoters = latest;
    state.out.push({ kind: 'votersChanged', ...latest });
  }
}

function settleLeader(state: RaftState): void {
  const { progress } = leadershipOf(state);
  const { latest } = state.voterSets;
  if (latest !== state.reportedVoters) {
    for (const { id, directoryId } of latest.voters) {
      if (id === state.id || progress.has(id)) continue;
      progress.set(id, newProgress({ id, directoryId, voter: true }, state.log.lastIndex + 1, state.nowMs));
    }
    for (const follower of progress.values()) follower.voter = isVoterKey(state, follower);
  }
  if (isVoter(state) || latest.index > state.emittedIndex) return;
  const successor = furthestFollower(state);
  if (successor !== undefined) send(state, successor.id, { kind: 'timeoutNow' }, state.hardPersistId);
  becomeFollower(state, state.hard.term, undefined);
}
