/**
 * All that is true of a quorum, whether any of its members knows it: what each directory holds, what is committed,
 * who leads. Kept from observations alone; the members' own opinions do not enter.
 */

import type { CommittedRecord, RaftStoreWrite } from '@millrace/metadata-quorum';
import {
  type DurableState,
  decodeVoters,
  type Entry,
  type HardState,
  type Snapshot,
  type Voter,
} from '@millrace/raft';
import { crc32c } from '@millrace/records';
import type { Member, QuorumJudge } from './quorum-observation.ts';

export interface ModelEntry {
  readonly term: number;
  readonly digest: number;
  /** Of an entry that changes them. */
  readonly voters: readonly Voter[] | undefined;
}

/** What one directory holds, as asked or as durable. */
export class ModelLog {
  hardState: HardState;
  startIndex: number;
  startTerm: number;
  snapshotIndex: number;
  #snapshotVoters: readonly Voter[] | undefined;
  readonly #entries: ModelEntry[] = [];

  constructor({ hardState, snapshot, logStart, entries }: DurableState) {
    this.hardState = hardState;
    this.startIndex = logStart.index;
    this.startTerm = logStart.term;
    this.snapshotIndex = snapshot?.index ?? 0;
    this.#snapshotVoters = snapshot?.voters;
    this.#append(entries);
  }

  get lastIndex(): number {
    return this.startIndex + this.#entries.length;
  }

  /** In force by what the log itself says: the last set in it, committed or not (Q32). */
  get voters(): readonly Voter[] {
    return this.at(this.votersIndex)?.voters ?? this.#snapshotVoters ?? this.hardState.voters;
  }

  /** Of the record that brought them; that of the snapshot if it did. */
  get votersIndex(): number {
    let index = this.lastIndex;
    while (index > this.snapshotIndex && this.at(index)?.voters === undefined) index--;
    return index;
  }

  at(index: number): ModelEntry | undefined {
    return this.#entries[index - this.startIndex - 1];
  }

  termAt(index: number): number | undefined {
    return index === this.startIndex ? this.startTerm : this.at(index)?.term;
  }

  /** Has this very entry, or had it before it was compacted. */
  holds(index: number, term: number): boolean {
    return index <= this.startIndex || this.at(index)?.term === term;
  }

  change({ installSnapshot, truncateFrom, entries, hardState }: RaftStoreWrite): void {
    if (installSnapshot !== undefined) {
      this.startIndex = installSnapshot.index;
      this.startTerm = installSnapshot.term;
      this.snapshotIndex = installSnapshot.index;
      this.#snapshotVoters = installSnapshot.voters;
      this.#entries.length = 0;
    }
    if (truncateFrom !== undefined) this.#entries.length = Math.max(0, truncateFrom - this.startIndex - 1);
    if (entries !== undefined) this.#append(entries);
    if (hardState !== undefined) this.hardState = hardState;
  }

  compact(snapshot: Snapshot, compactTo: number): void {
    this.snapshotIndex = snapshot.index;
    this.#snapshotVoters = snapshot.voters;
    if (compactTo <= this.startIndex) return;
    this.startTerm = this.termAt(compactTo) ?? this.startTerm;
    this.#entries.splice(0, compactTo - this.startIndex);
    this.startIndex = compactTo;
  }

  #append(entries: readonly Entry[]): void {
    for (const entry of entries) this.#entries.push(modelOf(entry));
  }
}

export function modelOf({ term, kind, data }: Entry): ModelEntry {
  const voters = kind === 'voters' ? decodeVoters(data) : undefined;
  return { term, digest: crc32c(data), voters };
}

export interface Directory {
  readonly id: string;
  /** As the member believes it to be once its writes are done. */
  asked: ModelLog;
  durable: ModelLog;
}

/** The one log that everybody will agree on. */
export interface CommittedEntry {
  readonly term: number;
  readonly digest: number;
}

export class QuorumModel implements QuorumJudge {
  readonly directories = new Map<string, Directory>();
  /** The newest life of each directory. */
  readonly members = new Set<Member>();
  /** By offset. */
  readonly committed: CommittedEntry[] = [];

  directory({ directoryId }: Member): Directory {
    return this.directories.get(directoryId)!;
  }

  loaded(member: Member, state: DurableState): void {
    const { directoryId } = member;
    for (const other of this.members) if (other.id === member.id) this.members.delete(other);
    this.members.add(member);
    this.directories.set(directoryId, {
      id: directoryId,
      asked: new ModelLog(state),
      durable: new ModelLog(state),
    });
  }

  asked(member: Member, write: RaftStoreWrite): void {
    this.directory(member).asked.change(write);
  }

  durable(member: Member, write: RaftStoreWrite): void {
    this.directory(member).durable.change(write);
  }

  snapshotAsked(member: Member, snapshot: Snapshot, compactTo: number): void {
    this.directory(member).asked.compact(snapshot, compactTo);
  }

  snapshotDurable(member: Member, snapshot: Snapshot, compactTo: number): void {
    this.directory(member).durable.compact(snapshot, compactTo);
  }

  applied(_member: Member, records: readonly CommittedRecord[]): void {
    for (const { offset, term, data } of records) {
      if (offset === this.committed.length)
        this.committed.push({ term, digest: data === null ? 0 : crc32c(data) });
    }
  }
}
