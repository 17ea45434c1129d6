/**
 * MurmurHash2 (Austin Appleby, 32-bit) with the seed Kafka's default partitioner uses: keys land on
 * the same partition whichever client wrote them. Never change it; a change would move every key.
 */

const SEED = 0x9747b28c;
const MULTIPLIER = 0x5bd1e995;
const ROTATION = 24;

/** The hash as a signed 32-bit integer. */
export function murmur2(bytes: Uint8Array): number {
  const { length } = bytes;
  const tail = length & ~3;
  let hash = SEED ^ length;
  for (let at = 0; at < tail; at += 4) {
    const word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    const scrambled = Math.imul(word, MULTIPLIER);
    hash = Math.imul(hash, MULTIPLIER) ^ Math.imul(scrambled ^ (scrambled >>> ROTATION), MULTIPLIER);
  }
  if (tail < length) {
    let rest = 0;
    for (let at = length - 1; at >= tail; at--) rest = (rest << 8) | bytes[at]!;
    hash = Math.imul(hash ^ rest, MULTIPLIER);
  }
  hash = Math.imul(hash ^ (hash >>> 13), MULTIPLIER);
  return (hash ^ (hash >>> 15)) | 0;
}
