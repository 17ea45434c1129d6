/**
 * What was appended last to each log that somebody reads at its end, so that followers and tailing consumers are
 * served without reading files. Kept in memory that is allocated once and written over, one ring a log: buffers of
 * their own would outlive the young generation, and collecting those cost half of a busy leader's time. A log whose
 * end nobody reads keeps nothing. Bounded over all logs and for each; the log unused longest gives way.
 */

import type { BufferPool } from '@millrace/core';

const RING_BYTES_MIN = 16 * 1024;
/** A ring has room for this many appends of the size it has seen. */
const RUNS_MIN = 4;
/** A reader at the end comes again before this many times its ring was written over. */
const UNREAD_ROUNDS_MAX = 2;
const COMPACT_MIN = 64;

/** Whole batches that were appended together. */
interface CachedRun {
  readonly baseOffset: number;
  readonly nextOffset: number;
  /** Counted in bytes that the ring has taken so far. */
  readonly start: number;
  readonly length: number;
}

export interface TailRead {
  /** Whole runs, back to back. Belongs to the caller. */
  readonly bytes: Buffer;
  /** Of the first run. */
  readonly firstBytes: number;
}

/** The room that the rings of all logs share. */
export class TailCache {
  readonly logBytesMax: number;
  readonly readBuffers: BufferPool;
  readonly #bytesMax: number;
  /** In clock order: the hand is at the first. */
  readonly #tails = new Set<LogTail>();
  #bytes = 0;

  constructor(options: {
    readonly bytesMax: number;
    readonly logBytesMax: number;
    readonly readBuffers: BufferPool;
  }) {
    this.#bytesMax = options.bytesMax;
    this.readBuffers = options.readBuffers;
    this.logBytesMax = Math.min(options.logBytesMax, options.bytesMax);
  }

  /** Of all rings. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Room for a ring, for which others may lose theirs. */
  take(tail: LogTail, bytes: number): void {
    this.#bytes += bytes;
    this.#tails.add(tail);
    let steps = 2 * this.#tails.size;
    for (const other of this.#tails) {
      if (this.#bytes <= this.#bytesMax || steps-- === 0) return;
      if (other !== tail && !other.isRecent) {
        other.clear();
        continue;
      }
      other.isRecent = false;
      this.#tails.delete(other);
      this.#tails.add(other);
    }
  }

  giveBack(tail: LogTail, bytes: number): void {
    this.#bytes -= bytes;
    this.#tails.delete(tail);
  }
}

/** The cached end of one log: contiguous, up to its log end offset, or nothing. */
export class LogTail {
  readonly #cache: TailCache;
  /** Set on each use, cleared when the clock hand passes. */
  isRecent = true;
  #isWanted = false;
  #ring: Buffer | undefined;
  /** What the ring should have grown to by the next append. */
  #wantedBytes = 0;
  /** Bytes that the ring has taken, all that was written over included. */
  #taken = 0;
  /** Of `#taken`, what was there when the ring got its size. */
  #takenBefore = 0;
  #unreadBytes = 0;
  #runs: CachedRun[] = [];
  #head = 0;
  /** Whoever reads from here on reads at the end: less than a share of the cache lies behind it. */
  #recentOffset = Infinity;
  #markOffset = Infinity;
  #bytesSinceMark = 0;

  constructor(cache: TailCache) {
    this.#cache = cache;
  }

  /** @param appended whole batches; they are copied. */
  append(baseOffset: number, nextOffset: number, appended: Buffer): void {
    this.#mark(baseOffset, nextOffset, appended.length);
    if (!this.#isWanted) return;
    this.#unreadBytes += appended.length;
    if (this.#unreadBytes > UNREAD_ROUNDS_MAX * Math.max(this.#wantedBytes, appended.length * RUNS_MIN)) {
      this.#release();
      return;
    }
    const ring = this.#ringFor(appended.length);
    if (ring === undefined) return;
    while (this.#head < this.#runs.length && this.#heldBytes + appended.length > ring.length)
      this.#dropOldest();
    const start = this.#taken;
    this.#copyIn(ring, start, appended);
    this.#taken = start + appended.length;
    this.#runs.push({ baseOffset, nextOffset, start, length: appended.length });
    this.isRecent = true;
  }

  /**
   * Appended runs from the one that holds `offset` on, as long as they end at or before `upTo` and, except for
   * the first, fit into `maxBytes`. Undefined if the cache does not reach back to `offset`.
   * @param isLent the memory comes from `readBuffers`.
   */
  read(offset: number, maxBytes: number, upTo: number, isLent = false): TailRead | undefined {
    const first = this.#find(offset);
    if (first === -1) {
      this.#missed(offset);
      return undefined;
    }
    let total = 0;
    for (let i = first; i < this.#runs.length; i++) {
      const { length, nextOffset } = this.#runs[i]!;
      if (nextOffset > upTo || (total > 0 && total + length > maxBytes)) break;
      total += length;
    }
    if (total === 0) return undefined;
    this.#unreadBytes = 0;
    const { start, length } = this.#runs[first]!;
    return { bytes: this.#copyOut(this.#ring!, start, total, isLent), firstBytes: length };
  }

  /** Of what was cleaned another batch stands in the log now. */
  dropBefore(offset: number): void {
    while (this.#head < this.#runs.length && this.#runs[this.#head]!.baseOffset < offset) this.#dropOldest();
  }

  /** Nothing is kept, and nobody is known to read at the end. */
  clear(): void {
    if (this.#recentOffset === Infinity) return;
    this.#release();
    this.#recentOffset = Infinity;
    this.#markOffset = Infinity;
    this.#bytesSinceMark = 0;
  }

  /** A reader at the end finds nothing, or too little: from the next append on there is more. */
  #missed(offset: number): void {
    if (offset < this.#recentOffset) return;
    this.#isWanted = true;
    this.#unreadBytes = 0;
    const { logBytesMax } = this.#cache;
    const length = this.#ring?.length ?? 0;
    // One that has not been full yet may be large enough.
    if (this.#ring !== undefined && this.#taken - this.#takenBefore < length) return;
    this.#wantedBytes = Math.min(logBytesMax, Math.max(RING_BYTES_MIN, 2 * length));
  }

  #mark(baseOffset: number, nextOffset: number, bytes: number): void {
    if (this.#recentOffset === Infinity) this.#recentOffset = this.#markOffset = baseOffset;
    this.#bytesSinceMark += bytes;
    if (this.#bytesSinceMark * 2 < this.#cache.logBytesMax) return;
    this.#recentOffset = this.#markOffset;
    this.#markOffset = nextOffset;
    this.#bytesSinceMark = 0;
  }

  /** The ring, as large as it should be. Undefined, and nothing kept, if `bytes` are more than one log may have. */
  #ringFor(bytes: number): Buffer | undefined {
    const { logBytesMax } = this.#cache;
    if (bytes > logBytesMax) {
      this.#release();
      return undefined;
    }
    const size = this.#ring?.length ?? 0;
    this.#wantedBytes = Math.min(logBytesMax, Math.max(this.#wantedBytes, bytes * RUNS_MIN));
    if (size >= this.#wantedBytes) return this.#ring;
    const larger = Buffer.allocUnsafeSlow(this.#wantedBytes);
    if (this.#ring !== undefined) {
      const held = this.#heldBytes;
      if (held > 0)
        this.#copyIn(larger, this.#taken - held, this.#copyOut(this.#ring, this.#taken - held, held, false));
      this.#cache.giveBack(this, size);
    }
    this.#ring = larger;
    this.#takenBefore = this.#taken;
    this.#cache.take(this, larger.length);
    return larger;
  }

  #release(): void {
    this.#isWanted = false;
    this.#unreadBytes = 0;
    this.#wantedBytes = 0;
    this.#runs = [];
    this.#head = 0;
    if (this.#ring === undefined) return;
    this.#cache.giveBack(this, this.#ring.length);
    this.#ring = undefined;
  }

  get #heldBytes(): number {
    return this.#head < this.#runs.length ? this.#taken - this.#runs[this.#head]!.start : 0;
  }

  #dropOldest(): void {
    this.#head++;
    if (this.#head >= COMPACT_MIN && this.#head * 2 >= this.#runs.length) {
      this.#runs = this.#runs.slice(this.#head);
      this.#head = 0;
    }
  }

  #copyIn(ring: Buffer, start: number, bytes: Buffer): void {
    const at = start % ring.length;
    const copied = bytes.copy(ring, at);
    if (copied < bytes.length) bytes.copy(ring, 0, copied);
  }

  #copyOut(ring: Buffer, start: number, length: number, isLent: boolean): Buffer {
    const bytes = isLent ? this.#cache.readBuffers.take(length) : Buffer.allocUnsafe(length);
    const at = start % ring.length;
    const copied = ring.copy(bytes, 0, at, Math.min(ring.length, at + length));
    if (copied < length) ring.copy(bytes, copied, 0, length - copied);
    return bytes;
  }

  /** Index of the run that holds `offset`; -1 for none. */
  #find(offset: number): number {
    let low = this.#head;
    let high = this.#runs.length;
    if (low === high || offset < this.#runs[low]!.baseOffset) return -1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#runs[middle]!.nextOffset <= offset) low = middle + 1;
      else high = middle;
    }
    return low === this.#runs.length ? -1 : low;
  }
}
