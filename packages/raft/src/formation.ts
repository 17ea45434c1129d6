/**
 * How a list of configured node ids becomes the first set of voters, each a (node, directory) pair, and how whoever
 * hears no leader finds one.
 *
 * A blank directory cannot know whether it is part of a new cluster or replaced a voter that had voted and
 * acknowledged. So it asks all nodes that it knows:
 *
 * - Someone has a voter set: take it. If this directory is in it, it votes; if not, the node is new or lost its disk
 *   and observes: it receives the log but never counts, until a membership change admits it.
 * - Every configured node, this one among them, answers that it is blank too: nobody can have voted or acknowledged
 *   anything, the cluster is new, and these directories are its voters.
 *
 * A cluster therefore forms once every configured voter has been up together; from then on a majority is enough, and a
 * directory that was wiped can never vote twice in a term (S6). The set is durable before the first vote.
 * What nobody can tell apart: all configured nodes with new disks at once, and voters elsewhere that were added later.
 * Whoever replaces the first voters for good names those of today in the configuration. Who forms a second quorum
 * nevertheless is told by its id: a quorum is named after the directory of its first voter, and a directory forms one
 * at most. Quorums of different ids never mix (stranger.ts).
 * Where the configuration gives all directory ids, nothing is asked. A node whose configuration names no voters never
 * forms a cluster; it joins one.
 */
import { invariant, type NodeId } from '@millrace/core';
import { hearsLeader } from './election.ts';
import { takeObserver } from './membership.ts';
import type { Hello, Voter } from './raft-message.ts';
import { isFormed, isVoter, peers, persistHard, type RaftState, send, votersOf } from './raft-state.ts';
import { scheduleQuickElection } from './roles.ts';
import { sameVoter } from './voter-sets.ts';

/** Blank nodes and observers without a leader ask around. */
export function onHelloTick(state: RaftState): void {
  if (state.role !== 'observer' || state.nowMs < state.helloDueMs) return;
  if (isFormed(state) && hearsLeader(state)) {
    state.helloDueMs = state.leaderContactMs + state.config.fetchTimeoutMs;
    return;
  }
  state.helloDueMs = state.nowMs + state.config.heartbeatIntervalMs;
  for (const to of new Set([...state.contacts, ...peers(state)])) sendHello(state, to, false);
}

/** Asks the nodes that the voter set does not name. */
export function greetContacts(state: RaftState): void {
  const named = new Set(peers(state));
  for (const to of state.contacts) if (!named.has(to)) sendHello(state, to, false);
}

/** A node was met that may know the voters. */
export function onPeerFound(state: RaftState, peer: NodeId): void {
  if (peer === state.id) return;
  state.contacts.add(peer);
  if (state.role === 'observer' && !hearsLeader(state)) sendHello(state, peer, false);
}

/** `configured`: the first voters, with whatever directories the configuration names. */
export function startFormation(state: RaftState): void {
  if (isFormed(state)) return;
  const { configured } = state;
  invariant(state.hard.term === 0 && state.log.lastIndex === 0, 'who has a history has a voter set', {
    term: state.hard.term,
    lastIndex: state.log.lastIndex,
  });
  state.blankDirectories.set(state.id, state.directoryId);
  const named = configured.filter(({ directoryId }) => directoryId !== '');
  if (configured.length > 0 && named.length === configured.length) formAnew(state, named);
  else formIfComplete(state);
}

export function onHello(state: RaftState, from: NodeId, message: Hello): void {
  if (!isFormed(state)) {
    helloWhileBlank(state, from, message);
    return;
  }
  if (!message.answer) {
    sendHello(state, from, true);
    if (state.role === 'leader' && message.voters.length > 0) takeObserver(state, from, message.directoryId);
  }
  learnPeers(state, message.voters);
}

function helloWhileBlank(state: RaftState, from: NodeId, message: Hello): void {
  if (message.voters.length > 0) {
    form(state, message.voters, message.quorumId);
    return;
  }
  state.blankDirectories.set(from, message.directoryId);
  if (!message.answer) sendHello(state, from, true);
  formIfComplete(state);
}

/** Who hears no leader may know an old set only: the new one's nodes are worth asking. */
function learnPeers(state: RaftState, voters: readonly Voter[]): void {
  if (state.role === 'leader' || hearsLeader(state)) return;
  const isNew = (voter: Voter): boolean => !votersOf(state).some((known) => sameVoter(known, voter));
  const news = voters.filter((voter) => {
    return voter.id !== state.id && !state.contacts.has(voter.id) && isNew(voter);
  });
  if (news.length === 0) return;
  for (const { id } of news) state.contacts.add(id);
  state.out.push({ kind: 'peersLearned', peers: news });
}

function formIfComplete(state: RaftState): void {
  const { configured } = state;
  const known = configured.flatMap((voter): Voter[] => {
    const directoryId = state.blankDirectories.get(voter.id);
    return directoryId === undefined ? [] : [{ ...voter, directoryId }];
  });
  const isOurs = configured.some(({ id }) => id === state.id);
  if (isOurs && known.length === configured.length) formAnew(state, known);
}

function formAnew(state: RaftState, voters: readonly Voter[]): void {
  const first = voters.reduce((lowest, voter) => (voter.id < lowest.id ? voter : lowest));
  form(state, voters, first.directoryId);
}

function form(state: RaftState, voters: readonly Voter[], quorumId: string): void {
  invariant(isUntouched(state), 'who has a history keeps its voter set', { term: state.hard.term });
  const ascending = [...voters].sort((a, b) => a.id - b.id);
  persistHard(state, { voters: ascending, quorumId });
  state.voterSets.restart({ index: 0, voters: ascending });
  state.blankDirectories = new Map();
  state.role = 'observer';
  // Who does not vote asks for the log; who does only tells the others that the cluster has formed.
  const votes = isVoter(state);
  for (const to of new Set([...state.contacts, ...peers(state)])) sendHello(state, to, votes);
  if (!votes) return;
  state.role = 'follower';
  scheduleQuickElection(state);
}

/** Has neither voted nor written anything: what it knows of voters came from its configuration or from a hello. */
function isUntouched({ hard, log }: RaftState): boolean {
  return hard.term === 0 && log.lastIndex === 0;
}

/**
 * The configuration may name the voters of today by their directories, of a quorum that has another name since its
 * first voters are gone: who has done nothing yet belongs where a quorum is. Not to another one that has done nothing:
 * two of them would only change places.
 * @returns whether it was taken.
 */
export function takeQuorum(state: RaftState, { voters, quorumId, term }: Hello): boolean {
  if (!isUntouched(state) || term === 0 || voters.length === 0) return false;
  form(state, voters, quorumId);
  return true;
}

export function sendHello(state: RaftState, to: NodeId, answer: boolean): void {
  send(state, to, { kind: 'hello', voters: votersOf(state), answer }, state.hardPersistId);
}
