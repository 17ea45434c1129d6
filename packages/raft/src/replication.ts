/**
 * Leader: sending entries, heartbeats and snapshots, and judging the answers.
 * Never trusts an answer to go back behind what was acknowledged (S10).
 */
import { crc32 } from 'node:zlib';
import { invariant, type NodeId } from '@millrace/core';
import { advanceLeaderCommit } from './commit.ts';
import type { Snapshot } from './durable-state.ts';
import { acknowledge, type FollowerProgress, newProgress, probeFrom } from './follower-progress.ts';
import type { AppendResponse, Entry, HeartbeatResponse, SnapshotResponse } from './raft-message.ts';
import { isVoterKey, type Leadership, persist, type RaftState, send } from './raft-state.ts';

export function leadershipOf(state: RaftState): Leadership {
  invariant(state.role === 'leader' && state.leadership !== undefined, 'only a leader replicates', {
    role: state.role,
  });
  return state.leadership;
}

/** Appends to the own log and starts replication; the own write and the followers' run in parallel. */
export function appendAsLeader(
  state: RaftState,
  kind: Entry['kind'],
  items: readonly Buffer[],
): readonly Entry[] {
  invariant(items.length > 0, 'an append has entries');
  const first = state.log.lastIndex + 1;
  const term = state.hard.term;
  const entries = items.map((data, i): Entry => ({ index: first + i, term, kind, data }));
  state.log.append(entries);
  state.voterSets.append(entries);
  persist(state, { entries });
  for (const progress of leadershipOf(state).progress.values()) replicateTo(state, progress);
  return entries;
}

/** Sends what the follower lacks, as far ahead as its mode allows. */
function replicateTo(state: RaftState, progress: FollowerProgress): void {
  while (progress.next <= state.log.lastIndex && maySend(state, progress)) sendAppend(state, progress);
}

function maySend(state: RaftState, { mode, probing, inflight }: FollowerProgress): boolean {
  return mode === 'replicate' ? inflight.length < state.config.inflightMaxAppends : !probing;
}

/** Sends one append, even if it carries nothing but the commit index; or a piece of snapshot where the log does not reach. */
export function sendAppend(state: RaftState, progress: FollowerProgress): void {
  const prevIndex = progress.next - 1;
  if (progress.mode === 'snapshot' || prevIndex < state.log.startIndex) {
    sendSnapshotChunk(state, progress);
    return;
  }
  const prevTerm = state.log.termAt(prevIndex);
  invariant(prevTerm !== undefined, 'a leader sends from its own log', {
    prevIndex,
    lastIndex: state.log.lastIndex,
  });
  const entries = state.log.sliceUpTo(progress.next, state.config.appendMaxBytes);
  send(
    state,
    progress.id,
    { kind: 'append', prevIndex, prevTerm, entries, commitIndex: state.commitIndex },
    state.hardPersistId,
  );
  const last = entries.at(-1);
  if (progress.mode === 'probe') {
    progress.probing = true;
  } else if (last !== undefined) {
    progress.inflight.push(last.index);
    progress.next = last.index + 1;
  }
}

/** Followers apply what they know to be committed: tell them without waiting for the next heartbeat. */
export function announceCommit(state: RaftState): void {
  for (const progress of leadershipOf(state).progress.values()) {
    if (progress.mode === 'replicate' && maySend(state, progress)) sendAppend(state, progress);
  }
}

/** Starts a new round. Its answers prove that this leader was followed after the round began. */
export function sendHeartbeats(state: RaftState): void {
  const leadership = leadershipOf(state);
  leadership.round += 1;
  leadership.heartbeatDueMs = state.nowMs + state.config.heartbeatIntervalMs;
  for (const { id, match } of leadership.progress.values()) {
    const commitIndex = Math.min(match, state.commitIndex);
    send(state, id, { kind: 'heartbeat', commitIndex, round: leadership.round }, state.hardPersistId);
  }
}

/**
 * The progress that an answer speaks for. An answer from another directory of the node starts a new one:
 * the disk behind the old acknowledgements is gone, and if the directory is no voter its answers never count.
 */
export function progressFor(
  state: RaftState,
  from: NodeId,
  directoryId: string,
): FollowerProgress | undefined {
  const { progress } = leadershipOf(state);
  const known = progress.get(from);
  if (known === undefined) return undefined;
  if (known.directoryId === directoryId) {
    known.lastContactMs = state.nowMs;
    return known;
  }
  const voter = isVoterKey(state, { id: from, directoryId });
  const fresh = newProgress({ id: from, directoryId, voter }, state.log.lastIndex + 1, state.nowMs);
  progress.set(from, fresh);
  return fresh;
}

export function onAppendResponse(
  state: RaftState,
  progress: FollowerProgress,
  message: AppendResponse,
): void {
  if (!message.accepted) {
    onRejection(state, progress, message);
    return;
  }
  if (message.index > state.log.lastIndex) return;
  const isNews = acknowledge(progress, message.index);
  if (progress.mode !== 'replicate' && (progress.mode === 'probe' || isNews)) beginReplicating(progress);
  if (isNews && advanceLeaderCommit(state)) announceCommit(state);
  replicateTo(state, progress);
}

function beginReplicating(progress: FollowerProgress): void {
  progress.mode = 'replicate';
  progress.next = progress.match + 1;
  progress.inflight = [];
  progress.probing = false;
  progress.snapshot = undefined;
}

/** The logs differ at `message.index`. Old answers are told by what was acknowledged or sent since. */
function onRejection(state: RaftState, progress: FollowerProgress, message: AppendResponse): void {
  const isStale =
    progress.mode === 'snapshot' ||
    message.index <= progress.match ||
    (progress.mode === 'probe' && message.index !== progress.next - 1);
  if (isStale) return;
  const agreeing = state.log.lastAgreeingIndex(message.hintIndex, message.hintTerm);
  probeFrom(progress, Math.min(message.index, agreeing + 1));
  sendAppend(state, progress);
}

export function onHeartbeatResponse(
  state: RaftState,
  progress: FollowerProgress,
  message: HeartbeatResponse,
): void {
  progress.ackedRound = Math.max(progress.ackedRound, message.round);
  if (progress.match >= state.log.lastIndex && progress.mode !== 'probe') return;
  // It lives, yet lacks something that may have been lost on the way: send again. In replicate mode an
  // append without entries is enough: its rejection shows what is missing.
  progress.probing = false;
  if (progress.mode === 'replicate' && progress.inflight.length >= state.config.inflightMaxAppends)
    progress.inflight.shift();
  sendAppend(state, progress);
}

function sendSnapshotChunk(state: RaftState, progress: FollowerProgress): void {
  if (progress.snapshot === undefined) {
    invariant(
      state.snapshot !== undefined && state.snapshot.index >= state.log.startIndex,
      'a compacted log has its snapshot',
      {
        startIndex: state.log.startIndex,
      },
    );
    progress.mode = 'snapshot';
    progress.inflight = [];
    progress.snapshot = state.snapshot;
    progress.snapshotPosition = 0;
  }
  const { index, term, voters, data } = progress.snapshot;
  const position = progress.snapshotPosition;
  progress.probing = true;
  send(
    state,
    progress.id,
    {
      kind: 'snapshotChunk',
      snapshotIndex: index,
      snapshotTerm: term,
      position,
      totalBytes: data.length,
      checksum: checksumOf(progress.snapshot),
      voters,
      data: data.subarray(position, position + state.config.snapshotChunkMaxBytes),
    },
    state.hardPersistId,
  );
}

const checksums = new WeakMap<Snapshot, number>();

/** Of the whole; computed once for each snapshot. */
function checksumOf(snapshot: Snapshot): number {
  const known = checksums.get(snapshot) ?? crc32(snapshot.data);
  checksums.set(snapshot, known);
  return known;
}

export function onSnapshotResponse(
  state: RaftState,
  progress: FollowerProgress,
  message: SnapshotResponse,
): void {
  const { snapshot, snapshotPosition } = progress;
  if (progress.mode !== 'snapshot' || snapshot?.index !== message.snapshotIndex) return;
  const isNews = message.position !== snapshotPosition && message.position <= snapshot.data.length;
  // A receiver that lost its part asks for byte 0 again; an answer to a repeated piece says nothing new.
  if (!isNews) return;
  progress.snapshotPosition = message.position;
  if (message.position < snapshot.data.length) sendSnapshotChunk(state, progress);
}
