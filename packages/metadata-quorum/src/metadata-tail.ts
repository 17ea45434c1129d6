/**
 * The newest committed entries as bytes, for nodes that follow from elsewhere: whoever is not far behind gets
 * entries, others a snapshot first. Bounded; never waits for a follower and never throws because of one.
 */
import { ownCopy } from '@millrace/core';
import { encodeSnapshot, type MetadataImage } from '@millrace/metadata';
import type { MetadataLogEntry, MetadataLogFollower, Unsubscribe } from './controller-api.ts';

export class MetadataTail {
  readonly #maxBytes: number;
  readonly #followers = new Set<MetadataLogFollower>();
  #entries: MetadataLogEntry[] = [];
  #bytes = 0;
  /** Entries at and above this are all here. */
  #startOffset = 0;
  #snapshot: { readonly offset: number; readonly data: Buffer } | undefined;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Committed entries that count, and where the log stands after them. */
  append(entries: readonly MetadataLogEntry[], nextOffset: number): void {
    for (const { offset, data } of entries) {
      this.#entries.push({ offset, data: ownCopy(data) });
      this.#bytes += data.length;
    }
    this.#trim();
    for (const follower of this.#followers) follower.onEntries(entries, nextOffset);
  }

  /** A snapshot took the place of everything below `image.offset`. */
  reset(image: MetadataImage): void {
    this.#entries = [];
    this.#bytes = 0;
    this.#startOffset = image.offset;
    if (this.#followers.size === 0) return;
    const data = this.#snapshotOf(image);
    for (const follower of this.#followers) follower.onSnapshot(data, image.offset);
  }

  /** Tells everything from `fromOffset` on at once, then what comes. */
  subscribe(follower: MetadataLogFollower, fromOffset: number, image: MetadataImage): Unsubscribe {
    if (fromOffset < this.#startOffset || fromOffset > image.offset) {
      follower.onSnapshot(this.#snapshotOf(image), image.offset);
    } else {
      follower.onEntries(
        this.#entries.filter((entry) => entry.offset >= fromOffset),
        image.offset,
      );
    }
    this.#followers.add(follower);
    return () => this.#followers.delete(follower);
  }

  #snapshotOf(image: MetadataImage): Buffer {
    if (this.#snapshot?.offset !== image.offset) {
      this.#snapshot = { offset: image.offset, data: encodeSnapshot(image) };
    }
    return this.#snapshot.data;
  }

  /** Drops down to half, so that the cost of moving the rest is spread over many appends. */
  #trim(): void {
    if (this.#bytes <= this.#maxBytes) return;
    let drop = 0;
    while (this.#bytes > this.#maxBytes / 2) {
      const entry = this.#entries[drop++]!;
      this.#bytes -= entry.data.length;
      this.#startOffset = entry.offset + 1;
    }
    this.#entries = this.#entries.slice(drop);
  }
}
