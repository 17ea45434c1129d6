/** The xxHash-32 of a few bytes, seed 0: what the headers of lz4 frames carry. Not for inputs of 16 bytes or more. */
import { invariant } from '@millrace/core';

const PRIMES = [2654435761, 2246822519, 3266489917, 668265263, 374761393] as const;
const LONG_INPUT_BYTES = 16;

/** An unsigned 32-bit integer. Source: the xxHash specification, "XXH32 algorithm description". */
export function xxh32(bytes: Buffer): number {
  invariant(bytes.length < LONG_INPUT_BYTES, 'xxh32 is for short inputs', { length: bytes.length });
  const [prime1, prime2, prime3, prime4, prime5] = PRIMES;
  let hash = (prime5 + bytes.length) | 0;
  let at = 0;
  for (; at + 4 <= bytes.length; at += 4) {
    hash = (hash + Math.imul(bytes.readInt32LE(at), prime3)) | 0;
    hash = Math.imul((hash << 17) | (hash >>> 15), prime4);
  }
  for (; at < bytes.length; at++) {
    hash = (hash + Math.imul(bytes[at]!, prime5)) | 0;
    hash = Math.imul((hash << 11) | (hash >>> 21), prime1);
  }
  hash = Math.imul(hash ^ (hash >>> 15), prime2);
  hash = Math.imul(hash ^ (hash >>> 13), prime3);
  return (hash ^ (hash >>> 16)) >>> 0;
}
