/**
 * The time index of one segment: (largest timestamp so far, last offset of the batch that holds it), both
 * strictly increasing. In memory compact and growing; on disk Kafka's `.timeindex`. Holds no file open.
 */

const ENTRY_BYTES = 12;
const FIRST_CAPACITY = 8;

export interface TimeEntry {
  readonly timestamp: number;
  readonly relativeOffset: number;
}

export class TimeIndex {
  #timestamps: Float64Array;
  #offsets: Int32Array;
  #length = 0;

  constructor(
    timestamps: Float64Array = new Float64Array(0),
    offsets: Int32Array = new Int32Array(0),
    length = 0,
  ) {
    this.#timestamps = timestamps;
    this.#offsets = offsets;
    this.#length = length;
  }

  /** Undefined unless the bytes are a whole index. */
  static decode(bytes: Buffer): TimeIndex | undefined {
    if (bytes.length % ENTRY_BYTES !== 0) return undefined;
    const count = bytes.length / ENTRY_BYTES;
    const index = new TimeIndex(new Float64Array(count), new Int32Array(count));
    for (let i = 0; i < count; i++) {
      const timestamp = Number(bytes.readBigInt64BE(i * ENTRY_BYTES));
      const relativeOffset = bytes.readInt32BE(i * ENTRY_BYTES + 8);
      // Blocks that a power loss never filled; a true entry like it is worth a rebuilt index.
      if (timestamp === 0 && relativeOffset === 0) return undefined;
      if (!index.append(timestamp, relativeOffset)) return undefined;
    }
    return index;
  }

  get count(): number {
    return this.#length;
  }

  get last(): TimeEntry | undefined {
    return this.#at(this.#length - 1);
  }

  /** @returns false, and nothing changes, unless both numbers grow. */
  append(timestamp: number, relativeOffset: number): boolean {
    const last = this.#length - 1;
    if (timestamp < 0 || relativeOffset < 0) return false;
    if (last >= 0 && (timestamp <= this.#timestamps[last]! || relativeOffset <= this.#offsets[last]!)) {
      return false;
    }
    if (this.#length === this.#timestamps.length) this.#grow();
    this.#timestamps[this.#length] = timestamp;
    this.#offsets[this.#length] = relativeOffset;
    this.#length++;
    return true;
  }

  /** The last entry whose timestamp is below `timestamp`: every earlier batch is older too. */
  before(timestamp: number): TimeEntry | undefined {
    let low = 0;
    let high = this.#length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#timestamps[middle]! < timestamp) low = middle + 1;
      else high = middle;
    }
    return this.#at(low - 1);
  }

  /** Drops entries at or after `relativeOffset`. */
  truncate(relativeOffset: number): void {
    while (this.#length > 0 && this.#offsets[this.#length - 1]! >= relativeOffset) this.#length--;
  }

  encode(from = 0): Buffer {
    const bytes = Buffer.allocUnsafe((this.#length - from) * ENTRY_BYTES);
    for (let i = from; i < this.#length; i++) {
      bytes.writeBigInt64BE(BigInt(this.#timestamps[i]!), (i - from) * ENTRY_BYTES);
      bytes.writeInt32BE(this.#offsets[i]!, (i - from) * ENTRY_BYTES + 8);
    }
    return bytes;
  }

  #at(i: number): TimeEntry | undefined {
    if (i < 0 || i >= this.#length) return undefined;
    return { timestamp: this.#timestamps[i]!, relativeOffset: this.#offsets[i]! };
  }

  #grow(): void {
    const capacity = Math.max(FIRST_CAPACITY, 2 * this.#length);
    const timestamps = new Float64Array(capacity);
    const offsets = new Int32Array(capacity);
    timestamps.set(this.#timestamps);
    offsets.set(this.#offsets);
    this.#timestamps = timestamps;
    this.#offsets = offsets;
  }

  static readonly entryBytes = ENTRY_BYTES;
}
