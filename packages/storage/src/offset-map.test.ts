import { SeededRandom } from '@millrace/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { KeyHash } from './key-hash.ts';
import { OffsetMap } from './offset-map.ts';

const MASK = (1n << 64n) - 1n;

/** SipHash as its paper has it, in 64-bit integers. */
function sipHash(c: number, d: number, key: readonly number[], bytes: Buffer): string {
  const rotated = (x: bigint, by: bigint): bigint => ((x << by) | (x >> (64n - by))) & MASK;
  const wide = (at: number): bigint => (BigInt(key[at + 1]!) << 32n) | BigInt(key[at]!);
  let [v0, v1, v2, v3] = [
    wide(0) ^ 0x736f6d6570736575n,
    wide(2) ^ 0x646f72616e646f6dn ^ 0xeen,
    wide(0) ^ 0x6c7967656e657261n,
    wide(2) ^ 0x7465646279746573n,
  ];
  const rounds = (count: number): void => {
    for (let i = 0; i < count; i++) {
      v0 = (v0 + v1) & MASK;
      v1 = rotated(v1, 13n) ^ v0;
      v0 = rotated(v0, 32n);
      v2 = (v2 + v3) & MASK;
      v3 = rotated(v3, 16n) ^ v2;
      v0 = (v0 + v3) & MASK;
      v3 = rotated(v3, 21n) ^ v0;
      v2 = (v2 + v1) & MASK;
      v1 = rotated(v1, 17n) ^ v2;
      v2 = rotated(v2, 32n);
    }
  };
  const padded = Buffer.alloc(Math.floor(bytes.length / 8) * 8 + 8);
  bytes.copy(padded);
  padded[padded.length - 1] = bytes.length & 0xff;
  for (let at = 0; at < padded.length; at += 8) {
    const m = padded.readBigUInt64LE(at);
    v3 ^= m;
    rounds(c);
    v0 ^= m;
  }
  const out = Buffer.alloc(16);
  v2 ^= 0xeen;
  rounds(d);
  out.writeBigUInt64LE(v0 ^ v1 ^ v2 ^ v3, 0);
  v1 ^= 0xddn;
  rounds(d);
  out.writeBigUInt64LE(v0 ^ v1 ^ v2 ^ v3, 8);
  return out.toString('hex');
}

test('the reference agrees with the first of the vectors that came with SipHash', () => {
  const key = [0x03020100, 0x07060504, 0x0b0a0908, 0x0f0e0d0c];
  expect(sipHash(2, 4, key, Buffer.alloc(0))).toBe('a3817f04ba25a8e66df67214c7550293');
});

test('a key hashes as SipHash-1-3 does', () => {
  const random = new SeededRandom(5);
  const key = Array.from({ length: 4 }, () => random.uint32());
  const hash = new KeyHash(new SeededRandom(5));
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), fc.integer({ min: 0, max: 5 }), (bytes, from) => {
      const start = Math.min(from, bytes.length);
      hash.hash(bytes, start, bytes.length);
      const out = Buffer.alloc(16);
      for (const [i, word] of hash.words.entries()) out.writeUInt32LE(word, 4 * i);
      expect(out.toString('hex')).toBe(sipHash(1, 3, key, Buffer.from(bytes.subarray(start))));
    }),
  );
});

test('the newest offset of each key is found, and no key is taken beyond the bound', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ maxLength: 3 }), { maxLength: 200 }),
      fc.integer({ min: 1, max: 60 }),
      (keys, keysMax) => {
        const map = new OffsetMap(keysMax, 0.9, new KeyHash(new SeededRandom(1)));
        const model = new Map<string, number>();
        for (const [i, key] of keys.entries()) {
          const bytes = Buffer.from(key);
          const offset = i * 4_000_000_007;
          const isTaken = model.has(key) || model.size < keysMax;
          expect(map.put(bytes, 0, bytes.length, offset)).toBe(isTaken);
          if (isTaken) model.set(key, offset);
        }
        expect(map.size).toBe(model.size);
        for (const key of keys)
          expect(map.get(Buffer.from(key), 0, Buffer.byteLength(key))).toBe(model.get(key) ?? -1);
      },
    ),
  );
});
