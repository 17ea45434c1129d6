/**
 * One replica of the consensus: `step(event, now)` in, effects out. No clock, no disk, no network, no promises;
 * the driver performs the effects (raft-effect.ts says in which order) and reports what happened (raft-event.ts).
 *
 * Leader-driven append as in Ongaro's dissertation, with pre-vote, check-quorum, leader stickiness, leadership
 * transfer, reads by ReadIndex, snapshots, asynchronous storage writes, and membership changes of one voter at a time.
 */
import { assertNever, invariant, type NodeId, type Random } from '@millrace/core';
import { emitCommitted, notePersisted } from './commit.ts';
import type { DurableState, Snapshot } from './durable-state.ts';
import {
  countOwnVote,
  onElectionTick,
  onLeaderDisconnected,
  onPreVoteRequest,
  onPreVoteResponse,
  onTimeoutNow,
  onVoteRequest,
  onVoteResponse,
} from './election.ts';
import { noteCatchUp, probeFrom } from './follower-progress.ts';
import { onAppend, onHeartbeat, onSnapshotChunk } from './following.ts';
import { onHello, onHelloTick, onPeerFound, startFormation } from './formation.ts';
import {
  askSuccessor,
  checkQuorum,
  leaderDueMs,
  onLeaderTick,
  onOwnLogDurable,
  onPropose,
  onTransferLeadership,
} from './leading.ts';
import { onChangeVoters, settleMembership } from './membership.ts';
import type { RaftConfig } from './raft-config.ts';
import type { RaftEffect, Role } from './raft-effect.ts';
import type { RaftEvent } from './raft-event.ts';
import { RaftLog } from './raft-log.ts';
import type {
  AppendResponse,
  HeartbeatResponse,
  RaftMessage,
  SnapshotResponse,
  Voter,
  VoterKey,
} from './raft-message.ts';
import { isFormed, type RaftState, takesPart, votersOf } from './raft-state.ts';
import { onRead, releaseEarlyReads, serveReads } from './read-index.ts';
import { onAppendResponse, onHeartbeatResponse, onSnapshotResponse, progressFor } from './replication.ts';
import { becomeFollower, scheduleQuickElection } from './roles.ts';
import { completeSnapshots, onSnapshotTaken } from './snapshots.ts';
import { isOfAnotherQuorum, onStranger } from './stranger.ts';
import { type VoterSet, VoterSets } from './voter-sets.ts';

export interface RaftNodeOptions {
  readonly id: NodeId;
  readonly directoryId: string;
  /**
   * The first voters of the cluster, by configuration; `directoryId` empty where it names none. Without this node, or
   * empty, on a node that joins a cluster. Once a voter set is on the disk, these are only nodes that may be asked.
   */
  readonly voters: readonly Voter[];
  readonly config: RaftConfig;
  readonly random: Random;
  /** As found on disk; `BLANK_STATE` for a new directory. */
  readonly durable: DurableState;
}

export interface FollowerStatus {
  readonly id: NodeId;
  readonly directoryId: string;
  readonly voter: boolean;
  readonly matchIndex: number;
  readonly lastContactMs: number;
  /** When it last held everything committed; -Infinity for never. */
  readonly lastCaughtUpMs: number;
}

/** A look inside, for people and tests. Indexes count from 1. */
export interface RaftStatus {
  readonly role: Role;
  readonly term: number;
  readonly leaderId: NodeId | undefined;
  readonly votedFor: VoterKey | undefined;
  /** Empty until the cluster has formed, and where it formed under an older version. */
  readonly quorumId: string;
  /** In force; empty until the cluster has formed. */
  readonly voters: readonly Voter[];
  /** The set that is decided as far as this replica knows, and those after it that are not, by the index of their entry. */
  readonly voterSets: readonly VoterSet[];
  readonly commitIndex: number;
  readonly emittedIndex: number;
  readonly durableIndex: number;
  readonly lastIndex: number;
  readonly lastTerm: number;
  readonly startIndex: number;
  readonly snapshot: Snapshot | undefined;
  /** Leader only: everyone it replicates to. */
  readonly followers: readonly FollowerStatus[];
  readonly isTransferring: boolean;
}

export type RaftPosition = Pick<RaftStatus, 'role' | 'term' | 'commitIndex' | 'durableIndex' | 'lastIndex'>;

export class RaftNode {
  readonly #state: RaftState;
  #started = false;
  /** As `roleChanged` told it last. */
  #reported: { readonly role: Role; readonly term: number; readonly leaderId: NodeId | undefined };

  constructor(options: RaftNodeOptions) {
    this.#state = initialState(options);
    const { role, hard, leaderId } = this.#state;
    this.#reported = { role, term: hard.term, leaderId };
  }

  /** When the next `tick` is due, on the clock of `step`'s `nowMs`; Infinity for never. */
  get deadlineMs(): number {
    const state = this.#state;
    if (state.role === 'observer') return state.helloDueMs;
    return state.role === 'leader' ? leaderDueMs(state) : state.electionDueMs;
  }

  /** In force; the same array until they change. */
  get voters(): readonly Voter[] {
    return votersOf(this.#state);
  }

  /** Empty while unknown. */
  get quorumId(): string {
    return this.#state.hard.quorumId;
  }

  get role(): Role {
    return this.#state.role;
  }

  get leaderId(): NodeId | undefined {
    return this.#state.leaderId;
  }

  /** This leader hands over. */
  get isTransferring(): boolean {
    return this.#state.leadership?.transfer !== undefined;
  }

  /** How far everything is, without what `status` looks up. */
  get position(): RaftPosition {
    const { role, hard, commitIndex, durableIndex, log } = this.#state;
    return { role, term: hard.term, commitIndex, durableIndex, lastIndex: log.lastIndex };
  }

  /** @param nowMs monotonic; never less than in the step before. */
  step(event: RaftEvent, nowMs: number): RaftEffect[] {
    const state = this.#state;
    invariant(nowMs >= state.nowMs, 'time does not go back', { from: state.nowMs, to: nowMs });
    invariant(this.#started === (event.kind !== 'start'), 'a replica starts once, first', {
      event: event.kind,
    });
    state.nowMs = nowMs;
    checkQuorum(state);
    this.#handle(event);
    settleMembership(state);
    this.#check();
    this.#reportRole();
    return state.out.splice(0);
  }

  status(): RaftStatus {
    const state = this.#state;
    const { hard, log, leadership, voterSets } = state;
    return {
      role: state.role,
      term: hard.term,
      leaderId: state.leaderId,
      votedFor: hard.votedFor,
      quorumId: hard.quorumId,
      voters: voterSets.latest.voters,
      voterSets: voterSets.liveAt(state.commitIndex),
      commitIndex: state.commitIndex,
      emittedIndex: state.emittedIndex,
      durableIndex: state.durableIndex,
      lastIndex: log.lastIndex,
      lastTerm: log.lastTerm,
      startIndex: log.startIndex,
      snapshot: state.snapshot,
      followers: [...(leadership?.progress.values() ?? [])].map(
        ({ id, directoryId, voter, match, lastContactMs, lastCaughtUpMs }) => ({
          id,
          directoryId,
          voter,
          matchIndex: match,
          lastContactMs,
          lastCaughtUpMs,
        }),
      ),
      isTransferring: leadership?.transfer !== undefined,
    };
  }

  #handle(event: RaftEvent): void {
    const state = this.#state;
    switch (event.kind) {
      case 'start':
        this.#start();
        return;
      case 'tick':
        this.#tick();
        return;
      case 'received':
        this.#receive(event.from, event.message);
        return;
      case 'persisted':
        this.#persisted(event.id);
        return;
      case 'propose':
        onPropose(state, event.items);
        return;
      case 'read':
        onRead(state, event.id);
        return;
      case 'transferLeadership':
        onTransferLeadership(state, event.to);
        return;
      case 'changeVoters':
        onChangeVoters(state, event.change);
        return;
      case 'peerFound':
        onPeerFound(state, event.peer);
        return;
      case 'peerDisconnected':
        this.#peerDisconnected(event.peer);
        return;
      case 'snapshotTaken':
        onSnapshotTaken(state, event.index, event.data);
        return;
      default:
        assertNever(event);
    }
  }

  /** A restarted leader is a follower of its term, bound to its vote for itself: it never leads that term again (Q4, S5). */
  #start(): void {
    const state = this.#state;
    this.#started = true;
    state.helloDueMs = state.nowMs;
    if (isFormed(state)) {
      state.role = takesPart(state) ? 'follower' : 'observer';
      scheduleQuickElection(state);
      emitCommitted(state);
    } else {
      startFormation(state);
    }
    onHelloTick(state);
  }

  #tick(): void {
    const state = this.#state;
    onHelloTick(state);
    onElectionTick(state);
    if (state.role === 'leader') onLeaderTick(state);
  }

  #persisted(id: number): void {
    const state = this.#state;
    notePersisted(state, id);
    completeSnapshots(state);
    countOwnVote(state);
    emitCommitted(state);
    if (state.role === 'leader') onOwnLogDurable(state);
  }

  #peerDisconnected(peer: NodeId): void {
    const state = this.#state;
    if (peer === state.leaderId) {
      onLeaderDisconnected(state);
      if (state.role === 'observer') state.helloDueMs = state.nowMs;
    }
    const progress = state.leadership?.progress.get(peer);
    if (progress !== undefined) probeFrom(progress, progress.match + 1);
  }

  #receive(from: NodeId, message: RaftMessage): void {
    const state = this.#state;
    if (from === state.id) return;
    if (isOfAnotherQuorum(state, message)) {
      onStranger(state, from, message);
      return;
    }
    if (message.kind === 'hello') {
      onHello(state, from, message);
      return;
    }
    // Without a voter set nothing can be judged; the next hello brings it.
    if (!isFormed(state)) return;
    switch (message.kind) {
      case 'preVoteRequest':
        onPreVoteRequest(state, from, message);
        return;
      case 'voteRequest':
        onVoteRequest(state, from, message);
        return;
      case 'append':
        onAppend(state, from, message);
        return;
      case 'heartbeat':
        onHeartbeat(state, from, message);
        return;
      case 'snapshotChunk':
        onSnapshotChunk(state, from, message);
        return;
      case 'timeoutNow':
        onTimeoutNow(state, from, message);
        return;
      case 'preVoteResponse':
      case 'voteResponse':
      case 'appendResponse':
      case 'heartbeatResponse':
      case 'snapshotResponse':
        // Whoever answers from a later term knows of an election that this node missed.
        if (message.term > state.hard.term) becomeFollower(state, message.term, undefined);
        if (message.kind === 'preVoteResponse') onPreVoteResponse(state, from, message);
        else if (message.kind === 'voteResponse') onVoteResponse(state, from, message);
        else this.#receiveAsLeader(from, message);
        return;
      default:
        assertNever(message);
    }
  }

  #receiveAsLeader(from: NodeId, message: AppendResponse | HeartbeatResponse | SnapshotResponse): void {
    const state = this.#state;
    if (state.role !== 'leader' || message.term !== state.hard.term) return;
    const progress = progressFor(state, from, message.directoryId);
    if (progress === undefined) return;
    if (message.kind === 'appendResponse') onAppendResponse(state, progress, message);
    else if (message.kind === 'snapshotResponse') onSnapshotResponse(state, progress, message);
    else onHeartbeatResponse(state, progress, message);
    noteCatchUp(progress, state.commitIndex, state.nowMs);
    releaseEarlyReads(state);
    serveReads(state);
    askSuccessor(state);
  }

  #reportRole(): void {
    const { role, hard, leaderId } = this.#state;
    const { term } = hard;
    const reported = this.#reported;
    if (role === reported.role && term === reported.term && leaderId === reported.leaderId) return;
    this.#reported = { role, term, leaderId };
    this.#state.out.push({ kind: 'roleChanged', role, term, leaderId });
  }

  /** What holds after every step, whatever happened (reliability.md, invariants 8 to 15, as one node can see them). */
  #check(): void {
    const { log, commitIndex, emittedIndex, durableIndex, hard, role, leadership, leaderId, id } =
      this.#state;
    invariant(commitIndex <= log.lastIndex, 'commit stays within the log', { commitIndex });
    invariant(emittedIndex <= commitIndex, 'only committed entries are handed out', {
      emittedIndex,
      commitIndex,
    });
    invariant(durableIndex <= log.lastIndex, 'nothing is durable beyond the log', { durableIndex });
    invariant(log.lastTerm <= hard.term, 'no entry is newer than the term', { lastTerm: log.lastTerm });
    invariant((role === 'leader') === (leadership !== undefined), 'only a leader leads', { role });
    invariant((role === 'leader') === (leaderId === id), 'a leader knows itself', { role, leaderId });
    const mayTakePart = role === 'observer' || role === 'leader' || takesPart(this.#state);
    invariant(mayTakePart, 'only voters take part', { role });
  }
}

function initialState({ id, directoryId, voters, config, random, durable }: RaftNodeOptions): RaftState {
  const { hardState, snapshot, logStart, entries } = durable;
  const log = new RaftLog(logStart.index, logStart.term, entries);
  const applied = snapshot?.index ?? 0;
  invariant(log.startIndex <= applied, 'a compacted log has its snapshot', { startIndex: log.startIndex });
  invariant(
    hardState.commitIndex <= log.lastIndex && applied <= log.lastIndex,
    'committed entries are present',
    {
      commitIndex: hardState.commitIndex,
      lastIndex: log.lastIndex,
    },
  );
  const voterSets = new VoterSets({ index: applied, voters: snapshot?.voters ?? hardState.voters });
  voterSets.append(entries.filter(({ index }) => index > applied));
  // Only here may the log's term exceed the stored one: both are written together, the log in the same batch or later (Q3).
  const term = Math.max(hardState.term, log.lastTerm);
  const hard = term === hardState.term ? hardState : { ...hardState, term, votedFor: undefined };
  return {
    id,
    directoryId,
    configured: voters,
    contacts: new Set(voters.map((voter) => voter.id).filter((other) => other !== id)),
    config,
    random,
    out: [],
    nowMs: Number.NEGATIVE_INFINITY,
    hard,
    log,
    voterSets,
    reportedVoters: undefined,
    snapshot,
    commitIndex: Math.max(hardState.commitIndex, applied),
    emittedIndex: applied,
    durableIndex: log.lastIndex,
    lastPersistId: 0,
    hardPersistId: 0,
    durablePersistId: 0,
    pendingPersists: [],
    pendingInstall: undefined,
    pendingSave: undefined,
    role: 'observer',
    leaderId: undefined,
    leaderContactMs: Number.NEGATIVE_INFINITY,
    leaderLinkBroken: false,
    electionDueMs: Number.POSITIVE_INFINITY,
    blankDirectories: new Map(),
    strangers: new Map(),
    helloDueMs: Number.POSITIVE_INFINITY,
    votes: new Map(),
    selfVotePersistId: 0,
    leadership: undefined,
    lastLedTerm: 0,
    incoming: undefined,
  };
}
