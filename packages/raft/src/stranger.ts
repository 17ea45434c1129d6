/**
 * Nodes of another quorum under the same cluster id. A quorum of one whose only first voter lost its disk is formed
 * anew by that node, since nobody of the nodes that it knows can tell it of the voters that were added later
 * (formation.ts): then there are two logs, both beginning in term 1, and nothing of one may enter the other.
 *
 * What comes from another quorum changes nothing here but this: both sides learn who the other is, and a directory
 * that took the place of a voter of the other quorum ends. An id that is not known is nobody's.
 */
import type { NodeId } from '@millrace/core';
import { sendHello, takeQuorum } from './formation.ts';
import type { Hello, RaftMessage } from './raft-message.ts';
import { type RaftState, votersOf } from './raft-state.ts';
import { sameVoter } from './voter-sets.ts';

export function isOfAnotherQuorum({ hard }: RaftState, { quorumId }: RaftMessage): boolean {
  return quorumId !== '' && hard.quorumId !== '' && quorumId !== hard.quorumId;
}

export function onStranger(state: RaftState, from: NodeId, message: RaftMessage): void {
  if (message.kind === 'hello' && takeQuorum(state, message)) return;
  noteStranger(state, from, message);
  // The voters of this side are what the other one has to know, and theirs what this one has to.
  if (message.kind !== 'hello') sendHello(state, from, false);
  else {
    if (!message.answer) sendHello(state, from, true);
    judge(state, from, message);
  }
}

function noteStranger(state: RaftState, from: NodeId, { kind, quorumId }: RaftMessage): void {
  const known = state.strangers.get(from);
  const isNew = known?.quorumId !== quorumId;
  const isFromLeader = kind === 'append' || kind === 'heartbeat' || kind === 'snapshotChunk';
  state.strangers.set(from, { quorumId, leads: isFromLeader || (!isNew && known.leads) });
  if (isNew) state.out.push({ kind: 'strangerMet', peer: from, quorumId });
}

/**
 * Who is alone in its quorum formed it alone. Who is not alone needs to have heard the other one's leader: an old disk
 * that comes back knows a quorum that may have ended, and must not end one that lives.
 */
function judge(state: RaftState, from: NodeId, { voters, quorumId }: Hello): void {
  const replaced = voters.find(({ id }) => id === state.id);
  const isNamed = voters.some((voter) => sameVoter(voter, state));
  if (replaced === undefined || isNamed) return;
  const isAlone = votersOf(state).every(({ id }) => id === state.id);
  if (!isAlone && state.strangers.get(from)?.leads !== true) return;
  const lostDirectoryId = replaced.directoryId;
  state.out.push({ kind: 'directoryReplaced', peer: from, quorumId, lostDirectoryId });
}
