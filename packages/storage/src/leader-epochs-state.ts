/**
 * Which leader epoch began at which offset of one log: what replicas compare to find where they diverged.
 * Epochs and offsets both strictly increase. Pure. Source: KIP-101, KIP-279; rule P2.
 */
import type { EpochStart } from './text-files.ts';

/** Where an epoch ends: {-1, -1} for one that is not known. */
export interface EpochEndOffset {
  readonly epoch: number;
  readonly endOffset: number;
}

export class LeaderEpochs {
  #entries: EpochStart[];
  /** The epoch of the last offset that was deleted from the log's beginning. */
  #deleted: EpochStart | undefined;

  constructor(entries: readonly EpochStart[] = []) {
    this.#entries = [...entries];
  }

  get entries(): readonly EpochStart[] {
    return this.#entries;
  }

  /** What a checkpoint keeps: `entries`, with the epoch of the last deleted offset. `truncateStart` finds it there again. */
  get saved(): readonly EpochStart[] {
    if (this.#deleted === undefined) return this.#entries;
    const isGoingOn = this.#entries[0]?.epoch === this.#deleted.epoch;
    return [this.#deleted, ...this.#entries.slice(isGoingOn ? 1 : 0)];
  }

  /** -1 for none. */
  get lastEpoch(): number {
    return this.#entries.at(-1)?.epoch ?? -1;
  }

  /**
   * Notes that `epoch` begins at `startOffset`. Entries that contradict it (same or later epoch, same or
   * later offset) go: the log's own batches are the truth.
   *
   * @returns whether anything changed.
   */
  assign(epoch: number, startOffset: number): boolean {
    const last = this.#entries.at(-1);
    if (last !== undefined && last.epoch === epoch && last.startOffset <= startOffset) return false;
    const deleted = this.#deleted;
    if (deleted !== undefined && (deleted.epoch > epoch || deleted.startOffset >= startOffset)) {
      this.#deleted = undefined;
    }
    if (last !== undefined && (last.epoch >= epoch || last.startOffset >= startOffset)) {
      this.#entries = this.#entries.filter((entry) => entry.epoch < epoch && entry.startOffset < startOffset);
    }
    this.#entries.push({ epoch, startOffset });
    return true;
  }

  /**
   * The end of the largest epoch that is at most `epoch`: where a log that agrees up to `epoch` may differ
   * from this one. Asked for the newest epoch, `logEndOffset`; for one newer than any, {-1, -1}.
   */
  endOffsetFor(epoch: number, logEndOffset: number): EpochEndOffset {
    if (epoch >= 0 && epoch === this.lastEpoch) return { epoch, endOffset: logEndOffset };
    const higher = this.#entries.findIndex((entry) => entry.epoch > epoch);
    if (epoch < 0 || higher === -1) return { epoch: -1, endOffset: -1 };
    const floor = this.#entries[higher - 1]?.epoch ?? epoch;
    return { epoch: floor, endOffset: this.#entries[higher]!.startOffset };
  }

  /** The epoch of the batch at `offset`, also right before the log start; -1 if unknown. */
  epochAt(offset: number): number {
    const known = this.#entries.findLast((entry) => entry.startOffset <= offset);
    if (known !== undefined) return known.epoch;
    return this.#deleted?.startOffset === offset ? this.#deleted.epoch : -1;
  }

  /** Follows a truncation of the log's end. @returns whether anything changed. */
  truncateEnd(endOffset: number): boolean {
    const kept = this.#entries.filter((entry) => entry.startOffset < endOffset);
    const changed = kept.length !== this.#entries.length;
    this.#entries = kept;
    if (this.#deleted !== undefined && this.#deleted.startOffset >= endOffset) this.#deleted = undefined;
    return changed;
  }

  /** Follows a deletion of the log's beginning; the epoch that `startOffset` lies in begins there now. */
  truncateStart(startOffset: number): boolean {
    const within = this.#entries.findLastIndex((entry) => entry.startOffset <= startOffset);
    if (within === -1 || (within === 0 && this.#entries[0]!.startOffset === startOffset)) return false;
    const first = { epoch: this.#entries[within]!.epoch, startOffset };
    this.#deleted = { epoch: this.epochAt(startOffset - 1), startOffset: startOffset - 1 };
    this.#entries = [first, ...this.#entries.slice(within + 1)];
    return true;
  }

  clear(): void {
    this.#entries = [];
    this.#deleted = undefined;
  }
}
