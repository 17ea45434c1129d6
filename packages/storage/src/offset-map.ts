/**
 * The newest offset of each key in the part of a log that a cleaner reads, in one table of fixed size: open addressing
 * over 16-byte hashes, as Kafka's SkimpyOffsetMap. Keys that share all 16 bytes pass for one; nothing is ever removed.
 */
import type { KeyHash } from './key-hash.ts';

/** Four words of hash, two of offset; a slot is free while its offset is 0, so offsets are kept plus one. */
const WORDS = 6;
const OFFSET_AT = 4;
const TWO_POW_32 = 2 ** 32;

export const OFFSET_MAP_ENTRY_BYTES = WORDS * 4;

export class OffsetMap {
  readonly #hash: KeyHash;
  readonly #table: Uint32Array;
  readonly #slots: number;
  readonly #entriesMax: number;
  #size = 0;

  /** @param entriesMax keys it takes at most. @param loadFactor how full that makes the table, below 1. */
  constructor(entriesMax: number, loadFactor: number, hash: KeyHash) {
    this.#hash = hash;
    this.#entriesMax = Math.max(1, entriesMax);
    this.#slots = Math.ceil(this.#entriesMax / loadFactor) + 1;
    this.#table = new Uint32Array(this.#slots * WORDS);
  }

  get size(): number {
    return this.#size;
  }

  get sizeBytes(): number {
    return this.#table.byteLength;
  }

  /** @returns false, with nothing changed, if the key is new and the map is full. */
  put(bytes: Uint8Array, start: number, end: number, offset: number): boolean {
    const at = this.#find(bytes, start, end);
    const table = this.#table;
    if (this.#offsetAt(at) === -1) {
      if (this.#size === this.#entriesMax) return false;
      this.#size++;
      table.set(this.#hash.words, at);
    }
    const kept = offset + 1;
    table[at + OFFSET_AT] = kept % TWO_POW_32;
    table[at + OFFSET_AT + 1] = kept / TWO_POW_32;
    return true;
  }

  /** -1 if the key is not there. */
  get(bytes: Uint8Array, start: number, end: number): number {
    return this.#offsetAt(this.#find(bytes, start, end));
  }

  /** Where the key stands, or the free slot where it would. */
  #find(bytes: Uint8Array, start: number, end: number): number {
    const hash = this.#hash;
    hash.hash(bytes, start, end);
    const { words } = hash;
    const [a, b, c, d] = [words[0]!, words[1]!, words[2]!, words[3]!];
    const table = this.#table;
    // 52 bits of the hash, so that large tables are filled evenly.
    let slot = ((b & 0xfffff) * TWO_POW_32 + a) % this.#slots;
    for (;;) {
      const at = slot * WORDS;
      const isSame = table[at] === a && table[at + 1] === b && table[at + 2] === c && table[at + 3] === d;
      if (isSame || this.#offsetAt(at) === -1) return at;
      slot = slot + 1 === this.#slots ? 0 : slot + 1;
    }
  }

  #offsetAt(at: number): number {
    return this.#table[at + OFFSET_AT]! + this.#table[at + OFFSET_AT + 1]! * TWO_POW_32 - 1;
  }
}
