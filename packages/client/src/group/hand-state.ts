/**
 * What the program has in its hands: of each partition at most one item, a record or a run of records, with who holds it
 * and since when. Pure. An item whose partition was lost stays until the program lets go of it, but no longer counts.
 */
import { formatTopicPartition, type TopicPartition } from '@millrace/core';

/** `loop` pulls the next item itself, `poll` may never come back, the others are handlers of `run`. */
export type Holder = 'loop' | 'poll' | 'eachRecord' | 'eachBatch';

export interface HandItem extends TopicPartition {
  readonly holder: Holder;
  /** Of the record that is being handled: where to go on if it is not finished. */
  offset: number;
  /** Leader epoch before the first record; -1 unknown. */
  readonly epochBefore: number;
  /** Where the partition is when the item is finished. */
  next: number;
  /** Leader epoch of its last record. */
  epoch: number;
  sinceMs: number;
  /** The partition was taken away meanwhile, or the reader was sent elsewhere: the result is nobody's. */
  isVoid: boolean;
  /** The first of these: what was read then is not to be committed even where the partition came back since. */
  isLost?: boolean;
  /** Nothing more of it is handed to its handler. */
  isCut: boolean;
  /** Some of its records are finished. */
  isBegun: boolean;
}

export class HandState {
  readonly #items = new Map<string, HandItem>();

  of(partition: TopicPartition): HandItem | undefined {
    return this.#items.get(formatTopicPartition(partition));
  }

  /** A partition of which something is in hand already can only have more of the same. */
  take(item: HandItem): void {
    const key = formatTopicPartition(item);
    const known = this.#items.get(key);
    if (known === undefined) {
      this.#items.set(key, item);
      return;
    }
    known.next = item.next;
    known.epoch = item.epoch;
  }

  /** The program lets go of it, finished or not. */
  drop(item: HandItem): void {
    const key = formatTopicPartition(item);
    if (this.#items.get(key) === item) this.#items.delete(key);
  }

  /** Its result no longer counts. */
  voidOf(partition: TopicPartition): void {
    const item = this.of(partition);
    if (item !== undefined) item.isVoid = true;
  }

  /** The partition is, or may be, another member's. */
  lose(partition: TopicPartition): void {
    const item = this.of(partition);
    if (item === undefined) return;
    item.isVoid = true;
    item.isLost = true;
  }

  /** The handler finishes the record that it has, and no more. */
  cut(partition: TopicPartition): void {
    const item = this.of(partition);
    if (item !== undefined) item.isCut = true;
  }

  /** What a reader holds, and not a handler. */
  read(): HandItem[] {
    return [...this.#items.values()].filter(({ holder }) => holder === 'loop' || holder === 'poll');
  }

  items(): Iterable<HandItem> {
    return this.#items.values();
  }

  /** Held the longest. */
  get oldest(): HandItem | undefined {
    let oldest: HandItem | undefined;
    for (const item of this.#items.values()) {
      if (oldest === undefined || item.sinceMs < oldest.sinceMs) oldest = item;
    }
    return oldest;
  }
}
