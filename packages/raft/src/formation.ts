/**
 * How a static list of node ids becomes a set of voters, each a (node, directory) pair.
 *
 * A blank directory cannot know whether it is part of a new cluster or replaced a voter that had voted and
 * acknowledged. So it asks all configured nodes:
 *
 * - Someone has a voter set: take it. If this directory is in it, it votes; if not, the node lost its disk and
 *   observes: it receives the log but never votes and never counts, until a membership change admits it.
 * - Every configured node answers that it is blank too: nobody can have voted or acknowledged anything, the
 *   cluster is new, and these directories are its voters.
 *
 * A cluster therefore forms once every voter has been up together; from then on a majority is enough, and a
 * directory that was wiped can never vote twice in a term (S6). The set is durable before the first vote.
 * Where the configuration gives all directory ids, nothing is asked.
 */
import { invariant, type NodeId } from '@millrace/core';
import type { Hello, VoterKey } from './raft-message.ts';
import { isFormed, isVoter, peers, persistHard, type RaftState, send } from './raft-state.ts';
import { scheduleQuickElection } from './roles.ts';

export function onFormationTick(state: RaftState): void {
  if (isFormed(state) || state.nowMs < state.helloDueMs) return;
  state.helloDueMs = state.nowMs + state.config.heartbeatIntervalMs;
  for (const to of peers(state)) sendHello(state, to, false);
}

/** `voters`: the configured nodes with whatever directories the configuration names. */
export function startFormation(state: RaftState, voters: readonly VoterKey[]): void {
  if (isFormed(state)) return;
  invariant(state.hard.term === 0 && state.log.lastIndex === 0, 'who has a history has a voter set', {
    term: state.hard.term,
    lastIndex: state.log.lastIndex,
  });
  state.blankDirectories.set(state.id, state.directoryId);
  const named = voters.filter(({ directoryId }) => directoryId !== '');
  if (named.length === voters.length) form(state, named);
  else formIfComplete(state);
}

export function onHello(state: RaftState, from: NodeId, message: Hello): void {
  if (isFormed(state)) {
    if (message.voters.length === 0 && !message.answer) sendHello(state, from, true);
    return;
  }
  if (message.voters.length > 0) {
    adopt(state, message.voters);
    return;
  }
  state.blankDirectories.set(from, message.directoryId);
  if (!message.answer) sendHello(state, from, true);
  formIfComplete(state);
}

function formIfComplete(state: RaftState): void {
  const known = state.nodeIds.flatMap((id): VoterKey[] => {
    const directoryId = state.blankDirectories.get(id);
    return directoryId === undefined ? [] : [{ id, directoryId }];
  });
  if (known.length === state.nodeIds.length) form(state, known);
}

/** A set that names other nodes than the configuration belongs to another cluster, or one of the two is wrong. */
function adopt(state: RaftState, voters: readonly VoterKey[]): void {
  const isOurs =
    voters.length === state.nodeIds.length && voters.every(({ id }) => state.nodeIds.includes(id));
  if (isOurs) form(state, voters);
}

function form(state: RaftState, voters: readonly VoterKey[]): void {
  invariant(!isFormed(state) && state.hard.term === 0, 'a voter set is formed once', {
    term: state.hard.term,
  });
  const ascending = [...voters].sort((a, b) => a.id - b.id);
  persistHard(state, { voters: ascending });
  state.blankDirectories = new Map();
  for (const to of peers(state)) sendHello(state, to, true);
  if (isVoter(state)) {
    state.role = 'follower';
    scheduleQuickElection(state);
  }
}

function sendHello(state: RaftState, to: NodeId, answer: boolean): void {
  send(state, to, { kind: 'hello', voters: state.hard.voters, answer }, state.hardPersistId);
}
