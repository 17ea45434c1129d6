/**
 * Which voter sets a log holds. A set is in force from the moment its entry is appended, and an earlier one again
 * when that entry is cut (Q32). Knows nothing of what is committed; callers say so.
 */
import { invariant } from '@millrace/core';
import type { Entry, Voter, VoterKey } from './raft-message.ts';

export interface VoterSet {
  /** Of the entry that brought it; 0 for the set with which the cluster formed. */
  readonly index: number;
  readonly voters: readonly Voter[];
}

export class VoterSets {
  /** Ascending by index; never empty. The first one holds below the others, wherever the log begins. */
  #sets: VoterSet[];

  constructor(base: VoterSet) {
    this.#sets = [base];
  }

  /** In force at the end of the log. */
  get latest(): VoterSet {
    return this.#sets.at(-1)!;
  }

  /** In force after entry `index`. */
  at(index: number): VoterSet {
    return this.#sets.findLast((set) => set.index <= index) ?? this.#sets[0]!;
  }

  /** The set that is decided once everything up to `commitIndex` is, and those that may yet replace it. */
  liveAt(commitIndex: number): readonly VoterSet[] {
    return this.#sets.slice(this.#sets.indexOf(this.at(commitIndex)));
  }

  /** Takes the sets out of entries that were just appended to the log. */
  append(entries: readonly Entry[]): void {
    for (const { index, kind, data } of entries) {
      if (kind !== 'voters') continue;
      const voters = decodeVoters(data);
      invariant(
        voters !== undefined && index > this.latest.index,
        'voter sets come in the order of the log',
        {
          index,
          latest: this.latest.index,
        },
      );
      this.#sets.push({ index, voters });
    }
  }

  truncateFrom(index: number): void {
    this.#sets = this.#sets.filter((set, i) => i === 0 || set.index < index);
  }

  /** Forgets what was replaced at or before `index`. */
  compactTo(index: number): void {
    this.#sets = [...this.liveAt(index)];
  }

  /** The log starts over from `base`. */
  restart(base: VoterSet): void {
    this.#sets = [base];
  }
}

export function sameVoter(a: VoterKey, b: VoterKey): boolean {
  return a.id === b.id && a.directoryId === b.directoryId;
}

/** JSON: sets are small and rare, and a person may have to read one in a damaged log. */
export function encodeVoters(voters: readonly Voter[]): Buffer {
  return Buffer.from(
    JSON.stringify(voters.map(({ id, directoryId, address }) => ({ id, directoryId, address }))),
  );
}

/** Undefined if the bytes are no voter set. */
export function decodeVoters(data: Buffer): readonly Voter[] | undefined {
  let value: unknown;
  try {
    value = JSON.parse(data.toString());
  } catch {
    return undefined;
  }
  return Array.isArray(value) && value.length > 0 && value.every(isVoterShape) ? value : undefined;
}

function isVoterShape(value: unknown): value is Voter {
  const { id, directoryId, address } = (value ?? {}) as Partial<Record<keyof Voter, unknown>>;
  return Number.isSafeInteger(id) && typeof directoryId === 'string' && typeof address === 'string';
}
