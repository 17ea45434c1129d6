/**
 * The state machine that the quorum drives on every controller node, active or not: entries to image, and the image
 * and the entries on to whoever follows on this node. Never decides; a failure to apply is thrown and ends the node.
 */
import {
  decodeSnapshot,
  deltaBetween,
  emptyImage,
  encodeSnapshot,
  type MetadataImage,
} from '@millrace/metadata';
import type {
  MetadataFollower,
  MetadataLogEntry,
  MetadataLogFollower,
  Unsubscribe,
} from './controller-api.ts';
import { MetadataTail } from './metadata-tail.ts';
import type { CommittedRecord, QuorumStateMachine } from './quorum-ports.ts';
import { type Committed, SpeculationState } from './speculation-state.ts';

export class CommittedMetadata implements QuorumStateMachine {
  readonly speculation = new SpeculationState();
  readonly #tail: MetadataTail;
  readonly #followers = new Set<MetadataFollower>();
  readonly #onCommitted: (committed: Committed) => void;

  /** @param onCommitted told of each entry, before its proposer is answered. */
  constructor(tailMaxBytes: number, onCommitted: (committed: Committed) => void) {
    this.#tail = new MetadataTail(tailMaxBytes);
    this.#onCommitted = onCommitted;
  }

  get image(): MetadataImage {
    return this.speculation.image;
  }

  apply(records: readonly CommittedRecord[]): void {
    const entries: MetadataLogEntry[] = [];
    for (const { offset, data } of records) {
      const committed = this.speculation.commit(offset, data);
      if (data !== null && committed.records.length > 0) entries.push({ offset, data });
      this.#onCommitted(committed);
      // Also of entries that change nothing: followers tell how far they are by the image's offset.
      for (const follower of this.#followers) follower.onMetadata(committed.image, committed.delta);
    }
    this.#tail.append(entries, this.image.offset);
  }

  snapshot(): Buffer {
    return encodeSnapshot(this.image);
  }

  restore(data: Buffer, endOffset: number): void {
    const before = this.image;
    const image = decodeSnapshot(data, endOffset);
    this.speculation.restore(image);
    for (const follower of this.#followers) follower.onMetadata(image, deltaBetween(before, image));
    this.#tail.reset(image);
  }

  subscribe(follower: MetadataFollower, fromOffset: number): Unsubscribe {
    if (fromOffset !== this.image.offset)
      follower.onMetadata(this.image, deltaBetween(emptyImage, this.image));
    this.#followers.add(follower);
    return () => this.#followers.delete(follower);
  }

  subscribeLog(follower: MetadataLogFollower, fromOffset: number): Unsubscribe {
    return this.#tail.subscribe(follower, fromOffset, this.image);
  }
}
