/**
 * One life of one voter: the production replica, its disk with writes that wait to become durable, and the messages
 * that wait for those. Every step checks what one voter's view can tell. Knows nothing of other voters.
 */
import { InvariantError, type Random } from '@millrace/core';
import {
  type DurableState,
  type Entry,
  type Persist,
  type RaftConfig,
  type RaftEffect,
  type RaftEvent,
  type RaftMessage,
  RaftNode,
  type RaftNodeOptions,
  type RaftStatus,
  type Voter,
} from '@millrace/raft';
import { VOTERS } from './renaming.ts';

export type VoterEvent =
  /** Of the election of whoever does not lead; of the heartbeat of whoever does. */
  | { readonly kind: 'timeout' }
  /** A leader heard nobody for so long that it gives up. */
  | { readonly kind: 'silence' }
  /** The oldest write becomes durable. */
  | { readonly kind: 'persist' }
  | { readonly kind: 'propose'; readonly text: string }
  | { readonly kind: 'receive'; readonly from: number; readonly message: RaftMessage };

export interface Sent {
  readonly to: number;
  readonly message: RaftMessage;
}

/** What others, or the future, may hold against it. */
export interface Deed {
  readonly sent: readonly Sent[];
  /** What it broke by itself. */
  readonly violation: string | undefined;
}

/** Anything that answers like the production replica. */
export type Replica = Pick<RaftNode, 'step' | 'status' | 'deadlineMs'>;
export type NewReplica = (options: RaftNodeOptions) => Replica;
export const productionReplica: NewReplica = (options) => new RaftNode(options);

/** Heartbeats take no time to speak of, so that only a step that says so makes a leader give up. */
const CONFIG: RaftConfig = {
  fetchTimeoutMs: 1_000_000,
  electionTimeoutMs: 10,
  quickElectionMinMs: 10,
  quickElectionMaxMs: 20,
  heartbeatIntervalMs: 1,
  appendMaxBytes: 1_000,
  inflightMaxAppends: 64,
  snapshotChunkMaxBytes: 1_000,
  snapshotMaxBytes: 1_000,
  retainedEntries: 1_000,
  observersMax: 1,
};

/** When a timeout comes is chosen by the search, so what is drawn must not matter. */
const CONSTANT: Random = { uint32: () => 0 };

const THE_VOTERS: readonly Voter[] = Array.from({ length: VOTERS }, (_, i) => ({
  id: i + 1,
  directoryId: `d${i + 1}`,
  address: '',
}));

export const QUORUM_ID = 'q';

/** Formed and never used. */
export const NEW_DISK: DurableState = {
  hardState: { term: 0, votedFor: undefined, voters: THE_VOTERS, commitIndex: 0, quorumId: QUORUM_ID },
  snapshot: undefined,
  logStart: { index: 0, term: 0 },
  entries: [],
};

interface Held extends Sent {
  readonly after: number;
}

export class VoterLife {
  readonly id: number;
  disk: DurableState;
  /** Not durable; oldest first. */
  pending: Persist[] = [];
  held: Held[] = [];
  status: RaftStatus;
  readonly #node: Replica;
  /** As the replica believes it: the disk once all is written. */
  #log: Entry[];
  #durableId = 0;
  #nowMs = 0;
  #sent: Sent[] = [];
  #violation: string | undefined;

  constructor(id: number, disk: DurableState, newReplica: NewReplica) {
    this.id = id;
    this.disk = disk;
    this.#log = [...disk.entries];
    const random = CONSTANT;
    const directoryId = `d${id}`;
    this.#node = newReplica({ id, directoryId, voters: THE_VOTERS, config: CONFIG, random, durable: disk });
    this.status = this.#node.status();
    this.#perform({ kind: 'start' });
  }

  /** As it is in memory; entry `i` at `i - 1`. */
  get log(): readonly Entry[] {
    return this.#log;
  }

  step(event: VoterEvent): Deed {
    this.#sent = [];
    this.#violation = undefined;
    const before = this.status;
    try {
      this.#take(event);
    } catch (error) {
      if (!(error instanceof InvariantError)) throw error;
      this.#fail(`the replica stops: ${error.message}`);
    }
    this.#judge(before);
    return { sent: this.#sent, violation: this.#violation };
  }

  #take(event: VoterEvent): void {
    switch (event.kind) {
      case 'timeout':
        this.#nowMs = Math.max(this.#nowMs, this.#node.deadlineMs);
        this.#perform({ kind: 'tick' });
        break;
      case 'silence':
        this.#nowMs += 2 * CONFIG.fetchTimeoutMs;
        this.#perform({ kind: 'tick' });
        break;
      case 'persist':
        this.#persist();
        break;
      case 'propose':
        this.#perform({ kind: 'propose', items: [Buffer.from(event.text)] });
        break;
      case 'receive':
        this.#perform({ kind: 'received', from: event.from, message: event.message });
        break;
      default:
    }
  }

  #persist(): void {
    const write = this.pending.shift()!;
    const { term } = this.disk.hardState;
    this.disk = written(this.disk, write);
    this.#durableId = write.id;
    if (this.disk.hardState.term < term) this.#fail('invariant 3: an epoch on disk went back');
    const released = this.held.filter(({ after }) => after <= write.id);
    this.held = this.held.filter(({ after }) => after > write.id);
    for (const { to, message } of released) this.#send(to, message);
    this.#perform({ kind: 'persisted', id: write.id });
  }

  #perform(event: RaftEvent): void {
    const effects = this.#node.step(event, this.#nowMs);
    for (const effect of effects) this.#carryOut(effect);
    this.status = this.#node.status();
  }

  #carryOut(effect: RaftEffect): void {
    switch (effect.kind) {
      case 'persist':
        this.pending.push(effect);
        if (effect.truncateFrom !== undefined) this.#log.length = effect.truncateFrom - 1;
        if (effect.entries !== undefined) this.#log.push(...effect.entries);
        break;
      case 'send':
        if (effect.after <= this.#durableId) this.#send(effect.to, effect.message);
        else this.held.push(effect);
        break;
      case 'committed': {
        const last = effect.entries.at(-1)!;
        if (this.disk.entries[last.index - 1]?.term !== last.term)
          this.#fail(`invariant 11: index ${last.index} is applied and not on the own disk`);
        break;
      }
      default:
    }
  }

  /** Invariant 12: nothing leaves before the write that it depends on is durable. */
  #send(to: number, message: RaftMessage): void {
    this.#sent.push({ to, message });
    const { hardState, entries } = this.disk;
    const { term, votedFor } = hardState;
    if (message.term > term)
      this.#fail(`invariant 12: epoch ${message.term} is spoken of with ${term} on disk`);
    const candidate = votedBy(this.id, to, message);
    if (candidate !== undefined && message.term < term)
      this.#fail(`invariant 2: a vote in epoch ${message.term} with ${term} on disk`);
    if (candidate !== undefined && message.term === term && votedFor?.id !== candidate)
      this.#fail(`invariant 12: the vote for ${candidate} in epoch ${term} is not on disk`);
    if (message.kind === 'appendResponse' && message.accepted && message.index > entries.length)
      this.#fail(`invariant 12: index ${message.index} is acknowledged with ${entries.length} on disk`);
  }

  #judge(before: RaftStatus): void {
    const { role, term, commitIndex, lastIndex, emittedIndex } = this.status;
    if (commitIndex < before.commitIndex) this.#fail('invariant 4: a commit index went back');
    if (term < before.term) this.#fail('invariant 3: an epoch went back');
    if (emittedIndex > commitIndex || commitIndex > lastIndex)
      this.#fail('invariant 11: what is applied is committed, and what is committed is written');
    const isOwnCommit = role === 'leader' && before.role === 'leader' && commitIndex > before.commitIndex;
    if (isOwnCommit && this.#log[commitIndex - 1]?.term !== term)
      this.#fail(`invariant 10: epoch ${term} commits index ${commitIndex} without a record of its own`);
  }

  #fail(violation: string): void {
    this.#violation ??= `${violation} (node ${this.id})`;
  }
}

/** Whom a message votes for: a candidate's request says that it voted for itself. */
export function votedBy(id: number, to: number, message: RaftMessage): number | undefined {
  if (message.kind === 'voteRequest') return id;
  return message.kind === 'voteResponse' && message.granted ? to : undefined;
}

/** The disk after one more write. */
export function written(disk: DurableState, { truncateFrom, entries, hardState }: Persist): DurableState {
  if (entries === undefined) return { ...disk, hardState: hardState ?? disk.hardState };
  const kept = truncateFrom === undefined ? disk.entries : disk.entries.slice(0, truncateFrom - 1);
  return { ...disk, entries: [...kept, ...entries], hardState: hardState ?? disk.hardState };
}
