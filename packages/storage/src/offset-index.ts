/**
 * The sparse index of one segment: (last offset of a batch, position of that batch), relative to the
 * segment's base offset. In memory compact and growing; on disk Kafka's `.index`. Holds no file open.
 */

const ENTRY_BYTES = 8;
const FIRST_CAPACITY = 16;

export class OffsetIndex {
  /** Pairs: relative offset, position. Both strictly increase. */
  #entries: Int32Array;
  #length = 0;

  constructor(entries: Int32Array = new Int32Array(0), length = 0) {
    this.#entries = entries;
    this.#length = length;
  }

  /** Undefined unless the bytes are an index that a log of `logBytes` can have. */
  static decode(bytes: Buffer, logBytes: number): OffsetIndex | undefined {
    if (bytes.length % ENTRY_BYTES !== 0) return undefined;
    const count = bytes.length / ENTRY_BYTES;
    const entries = new Int32Array(count * 2);
    // The first batch of a segment has no entry: zeros are blocks that a power loss never filled.
    let [lastOffset, lastPosition] = [-1, 0];
    for (let i = 0; i < count; i++) {
      const offset = bytes.readInt32BE(i * ENTRY_BYTES);
      const position = bytes.readInt32BE(i * ENTRY_BYTES + 4);
      if (offset <= lastOffset || position <= lastPosition || position >= logBytes) return undefined;
      entries[2 * i] = lastOffset = offset;
      entries[2 * i + 1] = lastPosition = position;
    }
    return new OffsetIndex(entries, count);
  }

  get count(): number {
    return this.#length;
  }

  get lastPosition(): number {
    return this.#length === 0 ? 0 : this.#entries[2 * this.#length - 1]!;
  }

  append(relativeOffset: number, position: number): void {
    const at = 2 * this.#length;
    if (at === this.#entries.length) {
      const grown = new Int32Array(Math.max(FIRST_CAPACITY, 2 * at));
      grown.set(this.#entries);
      this.#entries = grown;
    }
    this.#entries[at] = relativeOffset;
    this.#entries[at + 1] = position;
    this.#length++;
  }

  /** Where to start looking for `relativeOffset`: a batch that begins there, or earlier, holds it. */
  positionBefore(relativeOffset: number): number {
    let low = 0;
    let high = this.#length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#entries[2 * middle]! <= relativeOffset) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? 0 : this.#entries[2 * low - 1]!;
  }

  /** Drops entries of batches that begin at or after `position`. */
  truncate(position: number): void {
    while (this.#length > 0 && this.lastPosition >= position) this.#length--;
  }

  encode(from = 0): Buffer {
    const bytes = Buffer.allocUnsafe((this.#length - from) * ENTRY_BYTES);
    for (let i = 2 * from; i < 2 * this.#length; i++)
      bytes.writeInt32BE(this.#entries[i]!, 4 * (i - 2 * from));
    return bytes;
  }

  static readonly entryBytes = ENTRY_BYTES;
}
