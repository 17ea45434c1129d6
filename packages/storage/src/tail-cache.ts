/**
 * The most recently appended small batches of each log, so that followers and tailing consumers are served
 * without a system call for each. Bounded over all logs and for each; the oldest go first.
 */

interface CachedRun {
  readonly tail: LogTail;
  readonly baseOffset: number;
  readonly nextOffset: number;
  readonly slab: Slab;
  /** A window on the slab; empty once dropped, as the run may linger in a queue. */
  bytes: Buffer;
  isDropped: boolean;
}

/** Memory of runs that lie side by side; all of it stays as long as one of them does. */
interface Slab {
  /** Empty once no run is left: dropped runs still point here. */
  memory: Buffer;
  used: number;
  liveRuns: number;
}

const COMPACT_MIN = 256;

/**
 * Larger runs are read from the page cache as fast. Kept here, each would outlive the young generation, and
 * collecting those cost half of a busy leader's time.
 */
const RUN_BYTES_MAX = 16 * 1024;

/** Small runs share slabs of this size, or of this part of a small cache. */
const SLAB_BYTES = 64 * 1024;
const SLABS_MIN = 8;

const NO_BYTES = Buffer.alloc(0);

export class TailCache {
  readonly logBytesMax: number;
  readonly #bytesMax: number;
  readonly #slabBytes: number;
  /** The one that is being filled. */
  #slab: Slab | undefined;
  /** In order of appending, over all logs; dropped ones linger until the queue is compacted. */
  #queue: CachedRun[] = [];
  #head = 0;
  #dropped = 0;
  /** Of all slabs that are kept, however little of them is in use. */
  #slabsBytes = 0;

  constructor(options: { readonly bytesMax: number; readonly logBytesMax: number }) {
    this.#bytesMax = options.bytesMax;
    this.logBytesMax = Math.min(options.logBytesMax, options.bytesMax);
    this.#slabBytes = Math.min(SLAB_BYTES, Math.floor(options.bytesMax / SLABS_MIN));
  }

  /** Memory that is kept alive. */
  get bytes(): number {
    return this.#slabsBytes;
  }

  /**
   * Copies a run. A window would keep the whole message that it came in, and so would a buffer of Node's pool:
   * eight kilobytes for however few.
   */
  add(tail: LogTail, baseOffset: number, nextOffset: number, appended: Buffer): CachedRun {
    const slab = this.#slabWith(appended.length);
    const bytes = slab.memory.subarray(slab.used, slab.used + appended.length);
    appended.copy(bytes);
    slab.used += appended.length;
    slab.liveRuns += 1;
    const run = { tail, baseOffset, nextOffset, slab, bytes, isDropped: false };
    this.#queue.push(run);
    return run;
  }

  /** To be called when what was added is in its log's place. */
  dropExcess(): void {
    while (this.#slabsBytes > this.#bytesMax && this.#head < this.#queue.length) {
      const oldest = this.#queue[this.#head++]!;
      // The oldest of all logs is also the oldest of its own.
      if (!oldest.isDropped) oldest.tail.dropOldest();
    }
  }

  dropped(run: CachedRun): void {
    run.isDropped = true;
    run.bytes = NO_BYTES;
    run.slab.liveRuns -= 1;
    if (run.slab !== this.#slab) this.#letGo(run.slab);
    this.#dropped++;
    if (this.#dropped < COMPACT_MIN || this.#dropped * 2 < this.#queue.length) return;
    this.#queue = this.#queue.filter((other) => !other.isDropped);
    this.#head = 0;
    this.#dropped = 0;
  }

  /** One that has so much room. What would waste much of a shared one has a slab of its own. */
  #slabWith(bytes: number): Slab {
    if (bytes * 2 > this.#slabBytes) return this.#newSlab(bytes);
    const full = this.#slab;
    if (full !== undefined && full.used + bytes <= full.memory.length) return full;
    this.#slab = this.#newSlab(this.#slabBytes);
    if (full !== undefined) this.#letGo(full);
    return this.#slab;
  }

  #newSlab(bytes: number): Slab {
    this.#slabsBytes += bytes;
    return { memory: Buffer.allocUnsafeSlow(bytes), used: 0, liveRuns: 0 };
  }

  #letGo(slab: Slab): void {
    if (slab.liveRuns > 0) return;
    this.#slabsBytes -= slab.memory.length;
    slab.memory = NO_BYTES;
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
    this.#runs.push(this.#cache.add(this, baseOffset, nextOffset, appended));
    this.#bytes += appended.length;
    this.#cache.dropExcess();
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
