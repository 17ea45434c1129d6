/**
 * Committed offsets of all groups, in two layers: what has been written (decisions about deletion and expiry) and what
 * has committed (everything that is read, rule P26). Layers meet in the order of the log, so that an older write never
 * covers a newer one.
 */
import type { TopicPartition } from '@millrace/core';
import { invariant } from '@millrace/core';
import type { OffsetRecord } from './group-record.ts';

export type OffsetValue = NonNullable<OffsetRecord['value']>;

/** One partition of one group. */
interface Cell {
  written: OffsetValue | undefined;
  committed: OffsetValue | undefined;
  /** Writes that have not committed yet. */
  unsettled: number;
}

/** A write that lies in the log and waits for its commit. */
interface Pending {
  readonly logOffset: number;
  readonly record: OffsetRecord;
}

export interface OffsetEntry extends TopicPartition {
  readonly value: OffsetValue;
}

type PartitionCells = Map<number, Cell>;
type TopicCells = Map<string, PartitionCells>;

export class OffsetTable {
  readonly #groups = new Map<string, TopicCells>();
  /** Groups that have a cell of the topic. */
  readonly #groupsOfTopic = new Map<string, Set<string>>();
  /** In the order of the log; settled ones before `#firstPending` are cut off now and then. */
  #pending: Pending[] = [];
  #firstPending = 0;
  #size = 0;

  /** Offsets that stand in the written layer. */
  get size(): number {
    return this.#size;
  }

  groupIds(): Iterable<string> {
    return this.#groups.keys();
  }

  /** A record that has committed, at load. */
  replay(record: OffsetRecord): void {
    const cell = this.#cellOf(record);
    this.#write(cell, record.value);
    cell.committed = record.value;
    this.#dropIfVoid(record, cell);
  }

  /** A record of our own, ahead of the log. `appended` names its offset later. */
  write(record: OffsetRecord): void {
    const cell = this.#cellOf(record);
    this.#write(cell, record.value);
    cell.unsettled++;
  }

  appended(record: OffsetRecord, logOffset: number): void {
    const last = this.#pending.at(-1);
    invariant(last === undefined || last.logOffset < logOffset, 'offsets are appended in order', {
      last: last?.logOffset,
      logOffset,
    });
    this.#pending.push({ logOffset, record });
  }

  /** Everything before `logOffset` has committed. */
  committed(logOffset: number): void {
    while (this.#firstPending < this.#pending.length) {
      const { logOffset: at, record } = this.#pending[this.#firstPending]!;
      if (at >= logOffset) break;
      this.#firstPending++;
      const cell = this.#find(record.groupId, record.topic, record.partition);
      invariant(cell !== undefined && cell.unsettled > 0, 'a committed offset was written before', {
        logOffset: at,
      });
      cell.committed = record.value;
      cell.unsettled--;
      this.#dropIfVoid(record, cell);
    }
    if (this.#firstPending * 2 > this.#pending.length) {
      this.#pending = this.#pending.slice(this.#firstPending);
      this.#firstPending = 0;
    }
  }

  readWritten(groupId: string, topic: string, partition: number): OffsetValue | undefined {
    return this.#find(groupId, topic, partition)?.written;
  }

  readCommitted(groupId: string, topic: string, partition: number): OffsetValue | undefined {
    return this.#find(groupId, topic, partition)?.committed;
  }

  /** What stands in the written layer; may be changed while it is walked. */
  *writtenOf(groupId: string): Generator<OffsetEntry> {
    for (const [topic, cells] of this.#groups.get(groupId) ?? []) {
      for (const [partition, { written }] of cells)
        if (written !== undefined) yield { topic, partition, value: written };
    }
  }

  *committedOf(groupId: string): Generator<OffsetEntry> {
    for (const [topic, cells] of this.#groups.get(groupId) ?? []) {
      for (const [partition, { committed }] of cells)
        if (committed !== undefined) yield { topic, partition, value: committed };
    }
  }

  hasWritten(groupId: string): boolean {
    return this.writtenOf(groupId).next().done !== true;
  }

  topics(): Iterable<string> {
    return this.#groupsOfTopic.keys();
  }

  /** What groups have written of the topic. */
  *writtenOfTopic(topic: string): Generator<OffsetEntry & { readonly groupId: string }> {
    for (const groupId of this.#groupsOfTopic.get(topic) ?? []) {
      for (const [partition, { written }] of this.#groups.get(groupId)?.get(topic) ?? [])
        if (written !== undefined) yield { groupId, topic, partition, value: written };
    }
  }

  #write(cell: Cell, value: OffsetValue | undefined): void {
    this.#size += Number(value !== undefined) - Number(cell.written !== undefined);
    cell.written = value;
  }

  #find(groupId: string, topic: string, partition: number): Cell | undefined {
    return this.#groups.get(groupId)?.get(topic)?.get(partition);
  }

  #cellOf({ groupId, topic, partition }: OffsetRecord): Cell {
    const topics = madeIn(this.#groups, groupId, (): TopicCells => new Map());
    const partitions = madeIn(topics, topic, (): PartitionCells => {
      madeIn(this.#groupsOfTopic, topic, () => new Set<string>()).add(groupId);
      return new Map();
    });
    return madeIn(partitions, partition, () => ({ written: undefined, committed: undefined, unsettled: 0 }));
  }

  #dropIfVoid({ groupId, topic, partition }: OffsetRecord, cell: Cell): void {
    if (cell.unsettled > 0 || cell.written !== undefined || cell.committed !== undefined) return;
    const topics = this.#groups.get(groupId);
    const partitions = topics?.get(topic);
    if (topics === undefined || partitions === undefined) return;
    partitions.delete(partition);
    if (partitions.size > 0) return;
    topics.delete(topic);
    const groups = this.#groupsOfTopic.get(topic);
    groups?.delete(groupId);
    if (groups?.size === 0) this.#groupsOfTopic.delete(topic);
    if (topics.size === 0) this.#groups.delete(groupId);
  }
}

function madeIn<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const found = map.get(key);
  if (found !== undefined) return found;
  const made = make();
  map.set(key, made);
  return made;
}
