/**
 * Follower and observer: what a leader sends. An acknowledgement covers exactly what this message let it
 * check (S11), and leaves only after it is durable. Nothing committed is ever cut (Q16).
 */
import { crc32 } from 'node:zlib';
import { invariant, type NodeId } from '@millrace/core';
import { commitTo, forgetDurableAfter } from './commit.ts';
import type { Snapshot } from './durable-state.ts';
import type { Append, Entry, Heartbeat, SnapshotChunk } from './raft-message.ts';
import { isVoter, persist, type RaftState, send, votersOf } from './raft-state.ts';
import { becomeFollower, scheduleFetchTimeout } from './roles.ts';
import { decodeVoters } from './voter-sets.ts';

/**
 * Takes the sender for the leader of its term, or tells it that its term has passed.
 * @returns whether the message may be acted on.
 */
function followSender(state: RaftState, from: NodeId, message: Append | Heartbeat | SnapshotChunk): boolean {
  if (message.term < state.hard.term) {
    // A leader of an older term resigns when it hears of this one.
    reject(state, from, 0);
    return false;
  }
  const isNewLeader = message.term > state.hard.term || state.leaderId !== from;
  if (isNewLeader) {
    const isOnlyLeader = message.term > state.hard.term || state.leaderId === undefined;
    invariant(isOnlyLeader, 'one leader a term', { term: message.term, from, leaderId: state.leaderId });
    becomeFollower(state, message.term, from);
  } else {
    scheduleFetchTimeout(state);
  }
  state.leaderContactMs = state.nowMs;
  state.leaderLinkBroken = false;
  return true;
}

export function onAppend(state: RaftState, from: NodeId, message: Append): void {
  if (!isWellFormed(message) || !followSender(state, from, message)) return;
  if (message.prevIndex < state.commitIndex) {
    onAppendBelowCommit(state, from, message);
    return;
  }
  if (state.log.termAt(message.prevIndex) !== message.prevTerm) {
    reject(state, from, message.prevIndex, message.prevTerm);
    return;
  }
  takeEntries(state, message.entries);
  const agreed = message.prevIndex + message.entries.length;
  accept(state, from, agreed);
  commitTo(state, Math.min(message.commitIndex, agreed));
}

/** Part of it is committed here, hence known to agree; perhaps compacted. The rest starts after the commit index. */
function onAppendBelowCommit(state: RaftState, from: NodeId, message: Append): void {
  const rest = message.entries.filter(({ index }) => index > state.commitIndex);
  takeEntries(state, rest);
  const agreed = rest.at(-1)?.index ?? state.commitIndex;
  accept(state, from, agreed);
  commitTo(state, Math.min(message.commitIndex, agreed));
}

/** The entries continue a prefix that agrees. Cuts only at a proven conflict: a short or old append removes nothing. */
function takeEntries(state: RaftState, entries: readonly Entry[]): void {
  const differs = entries.findIndex(({ index, term }) => state.log.termAt(index) !== term);
  if (differs === -1) return;
  const fresh = entries.slice(differs);
  const first = fresh[0]!.index;
  invariant(first > state.commitIndex, 'committed entries are never cut', {
    first,
    commitIndex: state.commitIndex,
  });
  if (first > state.log.lastIndex) {
    state.log.append(fresh);
    state.voterSets.append(fresh);
    persist(state, { entries: fresh });
    return;
  }
  state.log.truncateFrom(first);
  state.voterSets.truncateFrom(first);
  forgetDurableAfter(state, first - 1);
  state.log.append(fresh);
  state.voterSets.append(fresh);
  persist(state, { truncateFrom: first, entries: fresh });
}

/** Waits for every write issued so far: the entries may have come with an earlier message. */
function accept(state: RaftState, to: NodeId, index: number): void {
  invariant(index <= state.log.lastIndex, 'only what the log holds is acknowledged', {
    index,
    lastIndex: state.log.lastIndex,
  });
  send(
    state,
    to,
    { kind: 'appendResponse', accepted: true, index, hintIndex: 0, hintTerm: 0 },
    state.lastPersistId,
  );
}

function reject(state: RaftState, to: NodeId, prevIndex: number, prevTerm = 0): void {
  const hintIndex = state.log.lastAgreeingIndex(prevIndex, prevTerm);
  const hintTerm = state.log.termAt(hintIndex) ?? 0;
  send(
    state,
    to,
    { kind: 'appendResponse', accepted: false, index: prevIndex, hintIndex, hintTerm },
    state.hardPersistId,
  );
}

/** Entries are dense from prevIndex on, their terms rise from prevTerm to the leader's at most, voter sets are readable (Q17). */
function isWellFormed({ prevIndex, prevTerm, entries, term }: Append): boolean {
  let lastTerm = prevTerm;
  return (
    prevTerm <= term &&
    entries.every((entry, i) => {
      const isNext = entry.index === prevIndex + 1 + i && entry.term >= lastTerm && entry.term <= term;
      lastTerm = entry.term;
      return isNext && (entry.kind !== 'voters' || decodeVoters(entry.data) !== undefined);
    })
  );
}

export function onHeartbeat(state: RaftState, from: NodeId, message: Heartbeat): void {
  if (!followSender(state, from, message)) return;
  // The leader counts what this directory acknowledged, or the one that it replaces on this node, which held more.
  const isSuccessor = votersOf(state).some(
    ({ id, directoryId }) => id === state.id && directoryId !== state.directoryId,
  );
  const holdsAcknowledged = message.commitIndex <= state.log.lastIndex || !isVoter(state) || isSuccessor;
  invariant(holdsAcknowledged, 'an acknowledged entry is not lost', {
    commitIndex: message.commitIndex,
    lastIndex: state.log.lastIndex,
  });
  commitTo(state, Math.min(message.commitIndex, state.log.lastIndex));
  send(state, from, { kind: 'heartbeatResponse', round: message.round }, state.hardPersistId);
}

export function onSnapshotChunk(state: RaftState, from: NodeId, message: SnapshotChunk): void {
  if (!isChunkWellFormed(state, message) || !followSender(state, from, message)) return;
  const { snapshotIndex, snapshotTerm, voters } = message;
  if (snapshotIndex <= state.commitIndex) {
    accept(state, from, state.commitIndex);
    return;
  }
  if (state.log.termAt(snapshotIndex) === snapshotTerm) {
    // The log reaches this far and, by its term, agrees: nothing needs to be installed.
    accept(state, from, snapshotIndex);
    commitTo(state, snapshotIndex);
    return;
  }
  const incoming = takeChunk(state, message);
  if (incoming.position < incoming.totalBytes) {
    answerChunk(state, from, snapshotIndex, incoming.position);
    return;
  }
  const data = Buffer.concat(incoming.chunks);
  state.incoming = undefined;
  if (crc32(data) !== incoming.checksum) {
    answerChunk(state, from, snapshotIndex, 0);
    return;
  }
  install(state, { index: snapshotIndex, term: snapshotTerm, voters, data });
  accept(state, from, snapshotIndex);
}

function isChunkWellFormed(state: RaftState, message: SnapshotChunk): boolean {
  const { position, totalBytes, data, snapshotTerm, term, snapshotIndex, voters } = message;
  const isInside = position >= 0 && position + data.length <= totalBytes;
  const isPossible = snapshotTerm <= term && snapshotIndex > 0 && voters.length > 0;
  return isInside && totalBytes <= state.config.snapshotMaxBytes && isPossible;
}

function answerChunk(state: RaftState, to: NodeId, snapshotIndex: number, position: number): void {
  send(state, to, { kind: 'snapshotResponse', snapshotIndex, position }, state.hardPersistId);
}

/** Collects the piece if it is the next one. Byte 0 of another snapshot starts over: the newer one wins. */
function takeChunk(state: RaftState, message: SnapshotChunk): NonNullable<RaftState['incoming']> {
  const { snapshotIndex, snapshotTerm, position, totalBytes, checksum, data } = message;
  let incoming = state.incoming;
  const isSame =
    incoming?.index === snapshotIndex && incoming.checksum === checksum && incoming.totalBytes === totalBytes;
  if (incoming === undefined || !isSame) {
    incoming = { index: snapshotIndex, term: snapshotTerm, totalBytes, checksum, chunks: [], position: 0 };
    state.incoming = incoming;
  }
  if (position === incoming.position) {
    incoming.chunks.push(data);
    incoming.position += data.length;
  }
  invariant(incoming.position <= totalBytes, 'a snapshot has the size that was announced', {
    position: incoming.position,
    totalBytes,
  });
  return incoming;
}

/** Replaces log and state. The state machine follows once the install is durable. */
function install(state: RaftState, snapshot: Snapshot): void {
  const { index, term, voters } = snapshot;
  invariant(state.role !== 'leader', 'a leader never loads a snapshot', { index });
  invariant(index > state.commitIndex, 'a snapshot never takes back what is committed', {
    index,
    commitIndex: state.commitIndex,
  });
  state.log.restartAt(index, term);
  state.voterSets.restart({ index, voters });
  state.commitIndex = index;
  forgetDurableAfter(state, 0);
  const persistId = persist(state, { installSnapshot: snapshot });
  state.pendingInstall = { persistId, snapshot };
}
