/** A set of 64-bit digests in two flat tables: millions of states in a few bytes each. Grows by doubling; nothing leaves it. */
export class DigestSet {
  #high: Uint32Array;
  #low: Uint32Array;
  #mask: number;
  #size = 0;

  constructor(capacity = 1 << 16) {
    this.#high = new Uint32Array(capacity);
    this.#low = new Uint32Array(capacity);
    this.#mask = capacity - 1;
  }

  get size(): number {
    return this.#size;
  }

  /** @returns whether it is new. */
  add(high: number, low: number): boolean {
    // An empty place is two zeros.
    const first = high === 0 && low === 0 ? 1 : high >>> 0;
    const second = low >>> 0;
    let place = second & this.#mask;
    while (this.#high[place] !== 0 || this.#low[place] !== 0) {
      if (this.#high[place] === first && this.#low[place] === second) return false;
      place = (place + 1) & this.#mask;
    }
    this.#high[place] = first;
    this.#low[place] = second;
    this.#size += 1;
    if (this.#size * 2 > this.#mask) this.#grow();
    return true;
  }

  #grow(): void {
    const high = this.#high;
    const low = this.#low;
    this.#high = new Uint32Array(high.length * 2);
    this.#low = new Uint32Array(high.length * 2);
    this.#mask = high.length * 2 - 1;
    this.#size = 0;
    for (let i = 0; i < high.length; i++) {
      if (high[i] !== 0 || low[i] !== 0) this.add(high[i]!, low[i]!);
    }
  }
}
