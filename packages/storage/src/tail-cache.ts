/**
 * The most recently appended small batches of each log, so that followers and tailing consumers are served
 * without a system call for each. Bounded over all logs and for each; the oldest go first.
 */

interface CachedRun {
  readonly tail: LogTail;
  readonly baseOffset: number;
  readonly nextOffset: number;
  readonly bytes: Buffer;
  isDropped: boolean;
}

const COMPACT_MIN = 256;

/**
 * Larger runs are read from the page cache as fast. Kept here, each would outlive the young generation, and
 * collecting those cost half of a busy leader's time.
 */
const RUN_BYTES_MAX = 16 * 1024;

export class TailCache {
  readonly logBytesMax: number;
  readonly #bytesMax: number;
  /** In order of appending, over all logs; dropped ones linger until the queue is compacted. */
  #queue: CachedRun[] = [];
  #head = 0;
  #dropped = 0;
  #bytes = 0;

  constructor(options: { readonly bytesMax: number; readonly logBytesMax: number }) {
    this.#bytesMax = options.bytesMax;
    this.logBytesMax = Math.min(options.logBytesMax, options.bytesMax);
  }

  added(run: CachedRun): void {
    this.#queue.push(run);
    this.#bytes += run.bytes.length;
    while (this.#bytes > this.#bytesMax) {
      const oldest = this.#queue[this.#head++]!;
      // The oldest of all logs is also the oldest of its own.
      if (!oldest.isDropped) oldest.tail.dropOldest();
    }
  }

  dropped(run: CachedRun): void {
    run.isDropped = true;
    this.#bytes -= run.bytes.length;
    this.#dropped++;
    if (this.#dropped < COMPACT_MIN || this.#dropped * 2 < this.#queue.length) return;
    this.#queue = this.#queue.filter((other) => !other.isDropped);
    this.#head = 0;
    this.#dropped = 0;
  }
}

/** The cached end of one log: contiguous, up to its log end offset. */
export class LogTail {
  readonly #cache: TailCache;
  #runs: CachedRun[] = [];
  #head = 0;
  #bytes = 0;

  constructor(cache: TailCache) {
    this.#cache = cache;
  }

  /** @param appended whole batches. */
  append(baseOffset: number, nextOffset: number, appended: Buffer): void {
    if (appended.length > Math.min(RUN_BYTES_MAX, this.#cache.logBytesMax)) {
      this.clear();
      return;
    }
    while (this.#bytes + appended.length > this.#cache.logBytesMax) this.dropOldest();
    // A copy: a window would keep the whole message that the batches came in.
    const run = { tail: this, baseOffset, nextOffset, bytes: Buffer.from(appended), isDropped: false };
    this.#runs.push(run);
    this.#bytes += appended.length;
    this.#cache.added(run);
  }

  /**
   * Appended runs from the one that holds `offset` on, as long as they end at or before `upTo` and, except for
   * the first, fit into `maxBytes`. Undefined if the cache does not reach back to `offset`.
   */
  read(offset: number, maxBytes: number, upTo: number): Buffer[] | undefined {
    const first = this.#find(offset);
    if (first === -1) return undefined;
    const buffers: Buffer[] = [];
    let total = 0;
    for (let i = first; i < this.#runs.length; i++) {
      const { bytes, nextOffset } = this.#runs[i]!;
      if (nextOffset > upTo || (buffers.length > 0 && total + bytes.length > maxBytes)) break;
      buffers.push(bytes);
      total += bytes.length;
    }
    return buffers;
  }

  /** Of what was cleaned another batch stands in the log now. */
  dropBefore(offset: number): void {
    while (this.#head < this.#runs.length && this.#runs[this.#head]!.baseOffset < offset) this.dropOldest();
  }

  clear(): void {
    while (this.#head < this.#runs.length) this.dropOldest();
  }

  dropOldest(): void {
    const run = this.#runs[this.#head++]!;
    if (this.#head >= 64 && this.#head * 2 >= this.#runs.length) {
      this.#runs = this.#runs.slice(this.#head);
      this.#head = 0;
    }
    this.#bytes -= run.bytes.length;
    this.#cache.dropped(run);
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
