/**
 * The offsets of one log and the order among them: log start <= high watermark <= log end, flushed <= log end.
 * Also those who wait for the flushed offset to grow. No files, no clock.
 */
import { MillraceError } from '@millrace/core';
import { FlushWaiters } from './flush-waiters.ts';

/** What the checkpoints tell of a log that is opened. */
export interface KnownOffsets {
  readonly highWatermark: number;
  readonly firstDirtyOffset: number;
}

export class LogOffsets {
  #logStart = 0;
  #logEnd = 0;
  #flushed = 0;
  #highWatermark = 0;
  /** Everything below is on stable storage in the log's own files. */
  recoveryPoint: number;
  /** What compaction has not seen begins here. */
  firstDirty = 0;
  /** A log start that is on stable storage for sure; -1 for none. Files below may go. */
  startWritten = -1;
  readonly #waiters = new FlushWaiters();
  readonly #listeners: ((flushedOffset: number) => void)[] = [];

  constructor(recoveryPoint: number) {
    this.recoveryPoint = recoveryPoint;
  }

  get logStart(): number {
    return this.#logStart;
  }

  get logEnd(): number {
    return this.#logEnd;
  }

  get flushed(): number {
    return this.#flushed;
  }

  get highWatermark(): number {
    return this.#highWatermark;
  }

  /** What a log begins with: all of it is on stable storage. */
  opened(logStart: number, logEnd: number, { highWatermark, firstDirtyOffset }: KnownOffsets): void {
    this.#logStart = logStart;
    this.#logEnd = logEnd;
    this.#flushed = logEnd;
    this.#highWatermark = Math.min(Math.max(highWatermark, logStart), logEnd);
    this.recoveryPoint = logEnd;
    this.firstDirty = Math.min(firstDirtyOffset, logEnd);
    this.startWritten = -1;
  }

  appendedTo(logEnd: number): void {
    this.#logEnd = logEnd;
  }

  /** Tells everybody who waits, unless nothing is new. */
  flushedTo(offset: number): void {
    const flushed = Math.min(offset, this.#logEnd);
    if (flushed <= this.#flushed) return;
    this.#flushed = flushed;
    this.#waiters.flushed(flushed);
    for (const listener of this.#listeners) listener(flushed);
  }

  onFlushed(listener: (flushedOffset: number) => void): void {
    this.#listeners.push(listener);
  }

  async whenFlushed(offset: number): Promise<void> {
    if (this.#flushed < offset) await this.#waiters.add(offset);
  }

  /** Nobody will see the flushed offset grow any more. */
  failWaiters(error: MillraceError): void {
    this.#waiters.failed(error);
  }

  /** @returns whether it moved. */
  setHighWatermark(offset: number): boolean {
    const bounded = Math.min(Math.max(offset, this.#logStart), this.#logEnd);
    if (bounded === this.#highWatermark) return false;
    this.#highWatermark = bounded;
    return true;
  }

  /** @throws {MillraceError} OFFSET_OUT_OF_RANGE */
  checkReadable(offset: number): void {
    if (offset >= this.#logStart && offset <= this.#logEnd) return;
    throw new MillraceError(
      'OFFSET_OUT_OF_RANGE',
      `${offset} is not in ${this.#logStart} to ${this.#logEnd}`,
    );
  }

  /** @returns false if it starts there or later already. @throws {MillraceError} OFFSET_OUT_OF_RANGE above the watermark. */
  mayStartAt(offset: number): boolean {
    if (offset > this.#highWatermark) {
      throw new MillraceError(
        'OFFSET_OUT_OF_RANGE',
        `${offset} is above the watermark ${this.#highWatermark}`,
      );
    }
    return offset > this.#logStart;
  }

  startMovedTo(logStart: number): void {
    this.#logStart = logStart;
    this.#highWatermark = Math.max(this.#highWatermark, logStart);
  }

  /** The log is about to be emptied and to go on at `logStart`: only the start is known to have moved so far. */
  emptying(logStart: number): void {
    this.#logStart = logStart;
  }

  /** The log was cut at its end. */
  endMovedTo(logEnd: number): void {
    this.#logEnd = logEnd;
    this.firstDirty = Math.min(this.firstDirty, logEnd);
    this.#flushed = Math.min(this.#flushed, logEnd);
    this.#highWatermark = Math.min(this.#highWatermark, logEnd);
    this.#waiters.failed(
      new MillraceError('NOT_LEADER_OR_FOLLOWER', 'the append was truncated away'),
      logEnd,
    );
  }

  /** The log is empty and goes on at `offset`. */
  restartedAt(offset: number): void {
    this.endMovedTo(Math.min(offset, this.#logEnd));
    this.opened(offset, offset, { highWatermark: offset, firstDirtyOffset: 0 });
  }
}
