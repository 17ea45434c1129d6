/**
 * What one voter can be, and what becomes of it: each state of one voter once, by number, and each step from it computed
 * once. The replica shows neither its votes nor what it believes of its followers, so two voters count as the same only
 * if they show the same and answer alike to a few questions that bring such things to light. A replica cannot be
 * copied: a step replays the life that led to its state, which is short.
 */
import type { DurableState, Entry, HardState, RaftStatus } from '@millrace/raft';
import { describeLog, describeMessage, type MessageTable } from './message-table.ts';
import { type Digests, digestsOf, RENAMINGS, type Renaming, VOTERS } from './renaming.ts';
import {
  type Deed,
  NEW_DISK,
  type NewReplica,
  QUORUM_ID,
  type VoterEvent,
  VoterLife,
  votedBy,
  written,
} from './voter-life.ts';

export interface LocalState {
  readonly number: number;
  readonly voter: number;
  readonly status: RaftStatus;
  /** Writes that are not durable. */
  readonly pendingCount: number;
  readonly durableTerm: number;
  readonly logTerms: readonly number[];
  /** In memory and on disk: `describeLog`, one text for each entry. */
  readonly log: readonly string[];
  readonly durableLog: readonly string[];
  readonly digests: Digests;
  readonly steps: Map<number, LocalStep>;
}

export type Vote = readonly [term: number, candidate: number];

/** Of one state by one event. */
export interface LocalStep {
  readonly next: LocalState;
  /** Numbers of letters. */
  readonly sent: readonly number[];
  /** Epoch and candidate. */
  readonly votes: readonly Vote[];
  /** Whether anything changed that is judged together with other voters. */
  readonly isTelling: boolean;
  readonly violation: string | undefined;
}

/** How a state came about: the life from its disk on. */
interface Origin {
  readonly disk: DurableState;
  readonly events: readonly VoterEvent[];
}

export class LocalStates {
  readonly #states: LocalState[] = [];
  readonly #origins: Origin[] = [];
  readonly #numbers = new Map<string, LocalState>();
  readonly #messages: MessageTable;
  readonly #newReplica: NewReplica;
  /** Lives that were replayed. */
  replays = 0;

  constructor(messages: MessageTable, newReplica: NewReplica) {
    this.#messages = messages;
    this.#newReplica = newReplica;
  }

  get size(): number {
    return this.#states.length;
  }

  at(number: number): LocalState {
    return this.#states[number]!;
  }

  /** Up, on a new disk. */
  first(voter: number): LocalState {
    return this.#started(voter, NEW_DISK);
  }

  /**
   * Its power failed, and it starts again: to be down is to receive nothing. The first `kept` of the writes that waited
   * are found on the disk, although nobody was told.
   */
  restarted(state: LocalState, kept: number): LocalStep {
    const life = this.#replay(state);
    const disk = life.pending.slice(0, kept).reduce(written, life.disk);
    return {
      next: this.#started(state.voter, disk),
      sent: [],
      votes: [],
      isTelling: true,
      violation: undefined,
    };
  }

  step(state: LocalState, event: VoterEvent): LocalStep {
    const life = this.#replay(state);
    const deed = life.step(event);
    const { disk, events } = this.#origins[state.number]!;
    const sent = deed.sent.map(({ to, message }) => this.#messages.numberOf(state.voter, to, message));
    const votes = votesOf(state.voter, deed);
    const next =
      deed.violation === undefined
        ? this.#intern(state.voter, { disk, events: [...events, event] }, life)
        : state;
    return { next, sent, votes, isTelling: isTelling(state, next), violation: deed.violation };
  }

  #started(voter: number, disk: DurableState): LocalState {
    return this.#intern(voter, { disk, events: [] }, new VoterLife(voter, disk, this.#newReplica));
  }

  #replay(state: LocalState): VoterLife {
    this.replays += 1;
    const { disk, events } = this.#origins[state.number]!;
    const life = new VoterLife(state.voter, disk, this.#newReplica);
    for (const event of events) life.step(event);
    return life;
  }

  /** @param life in that state, and given up to be questioned. */
  #intern(voter: number, origin: Origin, life: VoterLife): LocalState {
    const shown = shownBy(life);
    const sketch = sketchOfLife(life);
    const answers = this.#question(life, origin);
    const describe = (renaming: Renaming): string =>
      `${sketch(renaming)}|${byPeer(answers, renaming, voter)}`;
    const key = describe(RENAMINGS[0]!);
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const number = this.#states.length;
    const digests = digestsOf(describe);
    const state: LocalState = {
      number,
      voter,
      ...shown,
      digests,
      steps: new Map(),
    };
    this.#states.push(state);
    this.#origins.push(origin);
    this.#numbers.set(key, state);
    return state;
  }

  /** What it would do if ... By peer; the answers name no node. */
  #question(life: VoterLife, { disk, events }: Origin): string[] {
    const { role } = life.status;
    if (role === 'leader') return answersOfLeader(life);
    if (role !== 'candidate') return [];
    return peersOf(life.id).map((peer) => {
      this.replays += 1;
      const candidate = new VoterLife(life.id, disk, this.#newReplica);
      for (const event of events) candidate.step(event);
      return answerOfCandidate(candidate, peer);
    });
  }
}

function peersOf(voter: number): number[] {
  return Array.from({ length: VOTERS }, (_, i) => i + 1).filter((id) => id !== voter);
}

/** What it believes of each follower shows in what it would send to it now. */
function answersOfLeader(life: VoterLife): string[] {
  const { term } = life.status;
  const quorumId = QUORUM_ID;
  const heartbeats = life.step({ kind: 'timeout' }).sent;
  return peersOf(life.id).map((peer) => {
    const message = { kind: 'heartbeatResponse', term, directoryId: `d${peer}`, quorumId, round: 0 } as const;
    const sent = [...heartbeats, ...life.step({ kind: 'receive', from: peer, message }).sent];
    return sent.flatMap((each) => (each.to === peer ? [describeMessage(each.message)] : [])).join();
  });
}

/** Whether it would lead with that vote, once its own is durable: not if that peer refused before. */
function answerOfCandidate(life: VoterLife, peer: number): string {
  const { term } = life.status;
  const message = {
    kind: 'voteResponse',
    term,
    directoryId: `d${peer}`,
    quorumId: QUORUM_ID,
    granted: true,
  } as const;
  life.step({ kind: 'receive', from: peer, message });
  while (life.pending.length > 0 && life.status.role === 'candidate') life.step({ kind: 'persist' });
  return life.status.role;
}

function shownBy({ status, disk, pending, log }: VoterLife) {
  const textOf = (entry: Entry): string => describeLog([entry]);
  return {
    status,
    pendingCount: pending.length,
    durableTerm: disk.hardState.term,
    durableLog: disk.entries.map(textOf),
    log: log.map(textOf),
    logTerms: log.map(({ term }) => term),
  };
}

type Sketch = (renaming: Renaming) => string;

function sketchOfLife(life: VoterLife): Sketch {
  const { id, status, disk } = life;
  const pending = [...life.pending];
  const held = [...life.held];
  const { role, term, leaderId, commitIndex, emittedIndex, durableIndex, followers } = status;
  const position = `${role} ${term} ${commitIndex} ${emittedIndex} ${durableIndex}`;
  const first = pending[0]?.id ?? 0;
  const match: string[] = [];
  for (const follower of followers) match[follower.id] = String(follower.matchIndex);
  return (renaming) => {
    const writes = pending.map(({ truncateFrom, entries = [], hardState }) => {
      return `${truncateFrom} [${describeLog(entries)}] ${describeHardState(hardState, renaming)}`;
    });
    const waiting = held
      .map(({ after, to, message }) => `${after - first}>${renaming[to]} ${describeMessage(message)}`)
      .sort();
    const following = leaderId === undefined ? '-' : renaming[leaderId];
    const reached = byPeer(
      peersOf(id).map((peer) => match[peer] ?? ''),
      renaming,
      id,
    );
    return [
      renaming[id],
      position,
      following,
      describeDisk(disk, renaming),
      ...writes,
      ...waiting,
      reached,
    ].join('|');
  };
}

function describeDisk({ hardState, entries }: DurableState, renaming: Renaming): string {
  return `${describeHardState(hardState, renaming)} [${describeLog(entries)}]`;
}

function describeHardState(hardState: HardState | undefined, renaming: Renaming): string {
  if (hardState === undefined) return '-';
  const { term, votedFor, commitIndex } = hardState;
  return `${term} ${votedFor === undefined ? '-' : renaming[votedFor.id]} ${commitIndex}`;
}

/** One text for each peer, in the order of their new names. */
function byPeer(texts: readonly string[], renaming: Renaming, voter: number): string {
  const named = texts.map((text, i) => `${renaming[peersOf(voter)[i]!]} ${text}`);
  return named.sort().join('|');
}

function isTelling(from: LocalState, to: LocalState): boolean {
  return (
    from.status.role !== to.status.role ||
    from.status.term !== to.status.term ||
    from.status.commitIndex !== to.status.commitIndex ||
    from.durableTerm !== to.durableTerm ||
    from.log.join() !== to.log.join() ||
    from.durableLog.join() !== to.durableLog.join()
  );
}

function votesOf(voter: number, { sent }: Deed): LocalStep['votes'] {
  return sent.flatMap(({ to, message }) => {
    const candidate = votedBy(voter, to, message);
    return candidate === undefined ? [] : [[message.term, candidate] as const];
  });
}
