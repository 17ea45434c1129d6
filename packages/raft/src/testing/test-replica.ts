/** One replica under test: a node, its disk, its state machine, and the messages that wait for the disk. */
import { type NodeId, SeededRandom } from '@millrace/core';
import type { Snapshot } from '../durable-state.ts';
import type { RaftConfig } from '../raft-config.ts';
import type { RaftEffect } from '../raft-effect.ts';
import type { RaftEvent } from '../raft-event.ts';
import type { Entry, RaftMessage, Voter } from '../raft-message.ts';
import { RaftNode } from '../raft-node.ts';
import { decodeVoters } from '../voter-sets.ts';
import { TestDisk } from './test-disk.ts';

export interface Envelope {
  readonly from: NodeId;
  readonly to: NodeId;
  readonly message: RaftMessage;
}

export interface ReplicaSetup {
  readonly id: NodeId;
  /** Empty for a node that joins. */
  readonly voters: readonly Voter[];
  readonly config: RaftConfig;
  readonly seed: number;
  /** Sees every effect, in order, before it is performed. */
  readonly observe: (replica: TestReplica, effect: RaftEffect) => void;
  readonly transmit: (envelope: Envelope) => void;
}

export class TestReplica {
  readonly id: NodeId;
  directoryId: string;
  disk = new TestDisk();
  node!: RaftNode;
  isUp = false;
  /** `term:text` of every entry applied, oldest first; rebuilt from snapshot and log at a start. */
  applied: string[] = [];
  #held: { readonly after: number; readonly envelope: Envelope }[] = [];
  #durableId = 0;
  #starts = 0;
  readonly #setup: ReplicaSetup;

  constructor(setup: ReplicaSetup) {
    this.#setup = setup;
    this.id = setup.id;
    this.directoryId = `d${setup.id}`;
  }

  start(nowMs: number): void {
    const { id, voters, config, seed } = this.#setup;
    this.#starts += 1;
    this.isUp = true;
    this.#held = [];
    this.#durableId = 0;
    this.applied = [];
    const durable = this.disk.state;
    if (durable.snapshot !== undefined) this.#restore(durable.snapshot);
    const random = new SeededRandom(seed * 1000 + id * 100 + this.#starts);
    this.node = new RaftNode({ id, directoryId: this.directoryId, voters, config, random, durable });
    this.step({ kind: 'start' }, nowMs);
  }

  crash(): void {
    this.isUp = false;
    this.disk.crash();
    this.#held = [];
  }

  /** A new disk in the place of the old one. */
  wipe(directoryId: string): void {
    this.crash();
    this.disk = new TestDisk();
    this.directoryId = directoryId;
  }

  step(event: RaftEvent, nowMs: number): RaftEffect[] {
    const effects = this.node.step(event, nowMs);
    for (const effect of effects) {
      this.#setup.observe(this, effect);
      this.#perform(effect);
    }
    return effects;
  }

  flush(nowMs: number, count?: number): void {
    const id = this.disk.flush(count);
    if (id === undefined) return;
    this.#durableId = id;
    const released = this.#held.filter(({ after }) => after <= id);
    this.#held = this.#held.filter(({ after }) => after > id);
    for (const { envelope } of released) this.#setup.transmit(envelope);
    this.step({ kind: 'persisted', id }, nowMs);
  }

  takeSnapshot(nowMs: number): void {
    const data = Buffer.from(JSON.stringify(this.applied));
    this.step({ kind: 'snapshotTaken', index: this.applied.length, data }, nowMs);
  }

  #perform(effect: RaftEffect): void {
    switch (effect.kind) {
      case 'persist':
      case 'saveSnapshot':
        this.disk.pending.push(effect);
        break;
      case 'send': {
        const envelope = { from: this.id, to: effect.to, message: effect.message };
        if (effect.after <= this.#durableId) this.#setup.transmit(envelope);
        else this.#held.push({ after: effect.after, envelope });
        break;
      }
      case 'committed':
        for (const entry of effect.entries) this.applied.push(describeEntry(entry));
        break;
      case 'restore':
        this.#restore(effect.snapshot);
        break;
      case 'directoryReplaced':
        this.crash();
        break;
      default:
    }
  }

  #restore({ data }: Snapshot): void {
    this.applied = JSON.parse(data.toString()) as string[];
  }
}

export function describeEntry({ term, kind, data }: Entry): string {
  if (kind === 'voters') return `${term}:${describeVoters(decodeVoters(data)!)}`;
  return kind === 'leaderChange' ? `${term}:*` : `${term}:${data.toString()}`;
}

/** `{1 2 3}`; a directory is named where it is not the node's first one. */
export function describeVoters(voters: readonly Voter[]): string {
  const name = ({ id, directoryId }: Voter): string =>
    directoryId === `d${id}` ? String(id) : `${id}:${directoryId}`;
  return `{${voters.map(name).join(' ')}}`;
}
