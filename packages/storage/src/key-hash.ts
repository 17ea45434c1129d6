/**
 * A 16-byte hash of a record's key under a secret: SipHash-1-3 with 128 bits of output, in 32-bit halves. Whoever does
 * not know the secret cannot make two keys meet, and a meeting would cost a record. Pure, no memory for each key.
 */
import type { Random } from '@millrace/core';

/** Hashes one key at a time; the four words of the result are read before the next. */
export class KeyHash {
  /** The result, 32 bits each, unsigned. */
  readonly words = new Uint32Array(4);
  readonly #key: Uint32Array;
  /** v0 to v3, low and high halves. */
  readonly #v = new Uint32Array(8);

  constructor(random: Random) {
    this.#key = Uint32Array.from({ length: 4 }, () => random.uint32());
  }

  hash(bytes: Uint8Array, start: number, end: number): void {
    const k = this.#key;
    const v = this.#v;
    v[0] = k[0]! ^ 0x70736575;
    v[1] = k[1]! ^ 0x736f6d65;
    v[2] = k[2]! ^ 0x6e646f6d ^ 0xee;
    v[3] = k[3]! ^ 0x646f7261;
    v[4] = k[0]! ^ 0x6e657261;
    v[5] = k[1]! ^ 0x6c796765;
    v[6] = k[2]! ^ 0x79746573;
    v[7] = k[3]! ^ 0x74656462;
    let at = start;
    for (; at + 8 <= end; at += 8) absorb(v, word(bytes, at), word(bytes, at + 4));
    let low = 0;
    let high = (end - start) << 24;
    for (let i = 0; at + i < end; i++) {
      if (i < 4) low |= bytes[at + i]! << (8 * i);
      else high |= bytes[at + i]! << (8 * (i - 4));
    }
    absorb(v, low, high);
    v[4] = v[4]! ^ 0xee;
    finish(v, this.words, 0);
    v[2] = v[2]! ^ 0xdd;
    finish(v, this.words, 2);
  }
}

function word(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

function absorb(v: Uint32Array, low: number, high: number): void {
  v[6] = v[6]! ^ low;
  v[7] = v[7]! ^ high;
  rounds(v, 1);
  v[0] = v[0]! ^ low;
  v[1] = v[1]! ^ high;
}

function finish(v: Uint32Array, out: Uint32Array, at: number): void {
  rounds(v, 3);
  out[at] = v[0]! ^ v[2]! ^ v[4]! ^ v[6]!;
  out[at + 1] = v[1]! ^ v[3]! ^ v[5]! ^ v[7]!;
}

/** SipHash's round; a 64-bit sum is two of 32 bits with the carry between them. */
function rounds(v: Uint32Array, count: number): void {
  let [a, A, b, B] = [v[0]! | 0, v[1]! | 0, v[2]! | 0, v[3]! | 0];
  let [c, C, d, D] = [v[4]! | 0, v[5]! | 0, v[6]! | 0, v[7]! | 0];
  for (let i = 0; i < count; i++) {
    let t = a;
    a = (a + b) | 0;
    A = (A + B + (a >>> 0 < t >>> 0 ? 1 : 0)) | 0;
    t = b;
    b = ((b << 13) | (B >>> 19)) ^ a;
    B = ((B << 13) | (t >>> 19)) ^ A;
    t = a;
    a = A;
    A = t;
    t = c;
    c = (c + d) | 0;
    C = (C + D + (c >>> 0 < t >>> 0 ? 1 : 0)) | 0;
    t = d;
    d = ((d << 16) | (D >>> 16)) ^ c;
    D = ((D << 16) | (t >>> 16)) ^ C;
    t = a;
    a = (a + d) | 0;
    A = (A + D + (a >>> 0 < t >>> 0 ? 1 : 0)) | 0;
    t = d;
    d = ((d << 21) | (D >>> 11)) ^ a;
    D = ((D << 21) | (t >>> 11)) ^ A;
    t = c;
    c = (c + b) | 0;
    C = (C + B + (c >>> 0 < t >>> 0 ? 1 : 0)) | 0;
    t = b;
    b = ((b << 17) | (B >>> 15)) ^ c;
    B = ((B << 17) | (t >>> 15)) ^ C;
    t = c;
    c = C;
    C = t;
  }
  v[0] = a;
  v[1] = A;
  v[2] = b;
  v[3] = B;
  v[4] = c;
  v[5] = C;
  v[6] = d;
  v[7] = D;
}
