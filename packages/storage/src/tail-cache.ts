/**
 * The most recently appended batches of each log, so that followers and tailing consumers are served without
 * the disk. Bounded over all logs and for each; the oldest go first. Shares memory with what was appended.
 */

interface CachedRun {
  readonly tail: LogTail;
  readonly baseOffset: number;
  readonly nextOffset: number;
  readonly bytes: Buffer;
  isDropped: boolean;
}

const COMPACT_MIN = 256;

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

  get sizeBytes(): number {
    return this.#bytes;
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

  /** @param bytes whole batches; not to be changed afterwards. */
  append(baseOffset: number, nextOffset: number, bytes: Buffer): void {
    if (bytes.length > this.#cache.logBytesMax) {
      this.clear();
      return;
    }
    while (this.#bytes + bytes.length > this.#cache.logBytesMax) this.dropOldest();
    const run = { tail: this, baseOffset, nextOffset, bytes, isDropped: false };
    this.#runs.push(run);
    this.#bytes += bytes.length;
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
