/** Latencies in buckets that widen with the value: under 1 % error from a microsecond to an hour, in 13 KiB. */

const SUB_BUCKETS = 128;
const BUCKETS = 25 * SUB_BUCKETS + SUB_BUCKETS;
const LARGEST_US = 2 ** 32 - 1;

/** Milliseconds throughout. */
export interface LatencySummary {
  readonly count: number;
  readonly meanMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly maxMs: number;
}

export class Histogram {
  readonly #counts = new Uint32Array(BUCKETS);
  #count = 0;
  #sumMs = 0;
  #maxMs = 0;

  record(ms: number): void {
    const us = Math.min(Math.max(Math.round(ms * 1000), 0), LARGEST_US);
    const shift = Math.max(0, 32 - Math.clz32(us) - 8);
    this.#counts[shift * SUB_BUCKETS + (us >>> shift)]! += 1;
    this.#count += 1;
    this.#sumMs += ms;
    this.#maxMs = Math.max(this.#maxMs, ms);
  }

  /** The value that `share` (0 to 1) of all values do not exceed, rounded up to its bucket's end. */
  quantileMs(share: number): number {
    let left = Math.ceil(share * this.#count);
    for (let index = 0; index < BUCKETS; index++) {
      left -= this.#counts[index]!;
      if (left <= 0) return Math.min(bucketEndUs(index) / 1000, this.#maxMs);
    }
    return this.#maxMs;
  }

  summary(): LatencySummary {
    return {
      count: this.#count,
      meanMs: this.#count === 0 ? 0 : this.#sumMs / this.#count,
      p50Ms: this.quantileMs(0.5),
      p99Ms: this.quantileMs(0.99),
      p999Ms: this.quantileMs(0.999),
      maxMs: this.#maxMs,
    };
  }
}

function bucketEndUs(index: number): number {
  if (index < 2 * SUB_BUCKETS) return index;
  const shift = Math.floor(index / SUB_BUCKETS) - 1;
  return (index - shift * SUB_BUCKETS + 1) * 2 ** shift - 1;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >>> 1;
  if (sorted.length === 0) return Number.NaN;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
