/**
 * The committed image, and the changes decided on top of it that wait for commit. Decisions look at the tip, so that
 * many can be under way; everyone else sees only what is committed. Nothing may be kept from the tip beyond the
 * entries here: dropping them must be all that a lost leadership takes (KAFKA-20839).
 */
import {
  applyRecords,
  decodeEntry,
  type EncodedEntry,
  emptyImage,
  encodeEntries,
  type MetadataDelta,
  type MetadataImage,
  type MetadataRecord,
} from '@millrace/metadata';

interface PendingEntry extends Omit<EncodedEntry, 'data'> {
  /** `null` for an entry of the quorum itself, which only takes an offset. */
  readonly data: Buffer | null;
  readonly base: MetadataImage;
  readonly image: MetadataImage;
  readonly delta: MetadataDelta;
}

/** What one committed entry did; no records if it was void or no entry of metadata. */
export interface Committed {
  readonly image: MetadataImage;
  readonly delta: MetadataDelta;
  readonly records: readonly MetadataRecord[];
  /** It was not what was decided for this offset: all that was decided is dropped. */
  readonly hasVoided: boolean;
}

export class SpeculationState {
  #image: MetadataImage = emptyImage;
  #pending: PendingEntry[] = [];

  /** Committed. */
  get image(): MetadataImage {
    return this.#image;
  }

  /** Committed and decided: for decisions only. */
  get tip(): MetadataImage {
    return this.#pending.at(-1)?.image ?? this.#image;
  }

  get pendingCount(): number {
    return this.#pending.length;
  }

  /** Puts a decision on top of the tip. Its entries must be proposed at once and in order. */
  stage(records: readonly MetadataRecord[], maxEntryBytes: number): readonly EncodedEntry[] {
    const entries = encodeEntries(records, this.tip.offset, maxEntryBytes);
    for (const entry of entries) {
      const base = this.tip;
      this.#pending.push({ ...entry, base, ...applyRecords(base, entry.records, entry.offset) });
    }
    return entries;
  }

  /**
   * The quorum put an entry of its own at `offset`, behind everything that was staged.
   * @returns false if that is not where the tip ends; then everything staged is void.
   */
  stageVoid(offset: number): boolean {
    const base = this.tip;
    if (base.offset !== offset) {
      this.drop();
      return false;
    }
    this.#pending.push({ offset, records: [], data: null, base, ...applyRecords(base, [], offset) });
    return true;
  }

  /** Moves the committed image over one entry of the log. A failure here is fatal to the node (Q23). */
  commit(offset: number, data: Buffer | null): Committed {
    const head = this.#pending[0];
    const isOwn =
      head !== undefined &&
      head.offset === offset &&
      head.base === this.#image &&
      (data === null ? head.data === null : head.data?.equals(data) === true);
    if (isOwn) {
      this.#pending.shift();
      this.#image = head.image;
      return { image: head.image, delta: head.delta, records: head.records, hasVoided: false };
    }
    // Somebody else's entry: whatever was decided on top of another history is void.
    const hasVoided = this.#pending.length > 0;
    this.drop();
    const records = (data === null ? undefined : decodeEntry(data, offset)) ?? [];
    const { image, delta } = applyRecords(this.#image, records, offset);
    this.#image = image;
    return { image, delta, records, hasVoided };
  }

  /** Replaces everything by a snapshot. */
  restore(image: MetadataImage): void {
    this.drop();
    this.#image = image;
  }

  /** Back to what is committed. */
  drop(): void {
    this.#pending = [];
  }
}
