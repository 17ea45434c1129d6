/**
 * The state of one replica and the few primitives that change it together with an effect.
 * The modules around it (election, replication, snapshots …) are functions over this state;
 * nothing outside `RaftNode` holds one.
 */
import { below, invariant, type NodeId, type Random } from '@millrace/core';
import type { HardState, Snapshot } from './durable-state.ts';
import type { FollowerProgress } from './follower-progress.ts';
import type { RaftConfig } from './raft-config.ts';
import type { Persist, RaftEffect, Role } from './raft-effect.ts';
import type { RaftLog } from './raft-log.ts';
import type { RaftMessage, Voter, VoterKey } from './raft-message.ts';
import { sameVoter, type VoterSet, type VoterSets } from './voter-sets.ts';

export interface PendingPersist {
  readonly id: number;
  /** End of the log that is durable after this persist, as far as it still belongs to the log. */
  durableIndex: number;
}

export interface PendingRead {
  readonly id: number;
  readonly index: number;
  /** Answered once a majority answered this heartbeat round or a later one. */
  readonly round: number;
}

/** A leader's volatile state; made anew for every term that it leads. */
export interface Leadership {
  /** The first entry of the term. Nothing is served before it is committed (Q21, Q22). */
  readonly firstIndex: number;
  readonly progress: Map<NodeId, FollowerProgress>;
  heartbeatDueMs: number;
  round: number;
  reads: PendingRead[];
  /** Reads that came before the first entry of the term was committed. */
  earlyReads: number[];
  transfer: { readonly to: NodeId; readonly untilMs: number; asked: boolean } | undefined;
}

/** A snapshot that is being received. */
export interface IncomingSnapshot {
  readonly index: number;
  readonly term: number;
  readonly totalBytes: number;
  readonly checksum: number;
  readonly chunks: Buffer[];
  position: number;
}

/** A node that belongs to another quorum. */
export interface Stranger {
  readonly quorumId: string;
  /** It was heard as the leader of its quorum, so a majority of that one lives. */
  readonly leads: boolean;
}

export interface RaftState {
  readonly id: NodeId;
  readonly directoryId: string;
  /** The configured voters, from which a new cluster forms; empty on a node that joins one. */
  readonly configured: readonly Voter[];
  /** Nodes outside the voter set that may know the leader. */
  readonly contacts: Set<NodeId>;
  readonly config: RaftConfig;
  readonly random: Random;
  readonly out: RaftEffect[];
  nowMs: number;

  hard: HardState;
  readonly log: RaftLog;
  /** As the log has them; the latest is in force. */
  readonly voterSets: VoterSets;
  /** Last told by `votersChanged`. */
  reportedVoters: VoterSet | undefined;
  snapshot: Snapshot | undefined;
  /** Everything up to here is in the log of a majority. */
  commitIndex: number;
  /** Handed out as committed. */
  emittedIndex: number;

  /** Log that is durable here; at most the last index. */
  durableIndex: number;
  lastPersistId: number;
  /** The persist that made term, vote and voters durable. */
  hardPersistId: number;
  durablePersistId: number;
  pendingPersists: PendingPersist[];
  /** Installed or saved snapshots that wait for their persist. */
  pendingInstall: { readonly persistId: number; readonly snapshot: Snapshot } | undefined;
  pendingSave:
    | { readonly persistId: number; readonly snapshot: Snapshot; readonly compactTo: number }
    | undefined;

  role: Role;
  leaderId: NodeId | undefined;
  /** When a leader of this term was last heard; -Infinity for never. */
  leaderContactMs: number;
  /** The connection to the leader broke since it was last heard. */
  leaderLinkBroken: boolean;
  electionDueMs: number;
  /** Directory of each blank node that was met; only while the cluster forms. */
  blankDirectories: Map<NodeId, string>;
  helloDueMs: number;
  /** Nodes that belong to another quorum, and what is known of it. */
  readonly strangers: Map<NodeId, Stranger>;
  /** By directory. */
  votes: Map<string, boolean>;
  /** Candidate: the own vote counts once this persist is durable. */
  selfVotePersistId: number;
  leadership: Leadership | undefined;
  /** No term is led twice, whatever happens to votes. */
  lastLedTerm: number;
  incoming: IncomingSnapshot | undefined;
}

/** The voter set in force. */
export function votersOf(state: RaftState): readonly Voter[] {
  return state.voterSets.latest.voters;
}

export function isFormed(state: RaftState): boolean {
  return votersOf(state).length > 0;
}

export function isVoterKey(state: RaftState, key: VoterKey): boolean {
  return votersOf(state).some((voter) => sameVoter(voter, key));
}

export function isVoter(state: RaftState): boolean {
  return isVoterKey(state, state);
}

/**
 * Whether this directory may stand for election: it votes in the set in force, or in one that is not replaced for
 * good. Without the latter, the only log that holds an uncommitted removal could not be led (thesis §4.2.2).
 */
export function takesPart(state: RaftState): boolean {
  const live = state.voterSets.liveAt(state.commitIndex);
  return live.some(({ voters }) => voters.some((voter) => sameVoter(voter, state)));
}

/**
 * What each voter in force has reached, as this leader knows it: `own` for itself if it votes, `none` for a directory
 * that it has not heard.
 */
export function reachedByVoters(
  state: RaftState,
  own: number,
  none: number,
  reached: (progress: FollowerProgress) => number,
): number[] {
  return votersOf(state).map((voter) => {
    if (sameVoter(voter, state)) return own;
    const progress = state.leadership?.progress.get(voter.id);
    return progress?.directoryId === voter.directoryId ? reached(progress) : none;
  });
}

export function selfKey({ id, directoryId }: RaftState): VoterKey {
  return { id, directoryId };
}

/** The nodes of the voter set in force but this one, each once: while a disk is replaced two voters share a node. */
export function peers(state: RaftState): NodeId[] {
  return [...new Set(votersOf(state).map(({ id }) => id))].filter((id) => id !== state.id);
}

/** What a message says beyond its envelope. Distributes over the union. */
type Body<M> = M extends RaftMessage ? Omit<M, 'term' | 'directoryId' | 'quorumId'> : never;

export function send(state: RaftState, to: NodeId, body: Body<RaftMessage>, after: number): void {
  invariant(to !== state.id, 'nobody writes to itself', { to });
  invariant(after <= state.lastPersistId, 'a message waits for a persist that exists', { after });
  const { term, quorumId } = state.hard;
  const message = { ...body, term, directoryId: state.directoryId, quorumId } as RaftMessage;
  state.out.push({ kind: 'send', to, message, after });
}

/**
 * Issues one atomic write. Entries must be in the log already, so that the write and the log end alike.
 * @returns its id, for messages that must wait for it.
 */
export function persist(state: RaftState, change: Omit<Persist, 'kind' | 'id' | 'hardState'>): number {
  const id = ++state.lastPersistId;
  // The commit index travels along whenever a write happens anyway: a later start sees whether committed entries are gone.
  const commitIndex = Math.min(state.commitIndex, state.log.lastIndex);
  invariant(commitIndex >= state.hard.commitIndex, 'a persisted commit index never decreases', {
    commitIndex,
    persisted: state.hard.commitIndex,
  });
  state.hard = { ...state.hard, commitIndex };
  state.out.push({ kind: 'persist', id, ...change, hardState: state.hard });
  state.pendingPersists.push({ id, durableIndex: state.log.lastIndex });
  return id;
}

/** Writes term, vote or voters; whatever is sent from now on in this term waits for it (Q2). */
export function persistHard(state: RaftState, change: Partial<HardState>): number {
  const next = { ...state.hard, ...change };
  invariant(next.term >= state.hard.term, 'a term never decreases', { from: state.hard.term, to: next.term });
  invariant(
    next.term > state.hard.term ||
      state.hard.votedFor === undefined ||
      next.votedFor?.id === state.hard.votedFor.id,
    'a vote is not changed within its term',
    { from: state.hard.votedFor, to: next.votedFor },
  );
  state.hard = next;
  state.hardPersistId = persist(state, {});
  return state.hardPersistId;
}

/** Uniform in [low, low + spread). */
export function randomDelayMs(state: RaftState, lowMs: number, spreadMs: number): number {
  return lowMs + below(state.random, Math.max(1, Math.floor(spreadMs)));
}
