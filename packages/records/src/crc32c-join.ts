/**
 * The checksum of two parts, one behind the other, from theirs: so that what comes first may be known last. Arithmetic on
 * polynomials over GF(2), as in zlib's `crc32_combine`, with bits reversed: the highest bit of a number is x^0.
 */
import { CRC32C_POLYNOMIAL } from './crc32c.ts';

const ONE = 0x80000000;
const X = 0x40000000;
/** A part has fewer than 2^28 bytes. */
const POWERS = 31;
/** Bytes have 2^3 bits. */
const BITS_OF_BYTE = 3;

/** CRC-32C of the first part and then the second, which has `secondBytes`. */
export function joinCrc32c(first: number, second: number, secondBytes: number): number {
  let power = ONE;
  for (let rest = secondBytes, k = BITS_OF_BYTE; rest > 0; rest >>>= 1, k++) {
    if (rest & 1) power = product(powersOfX()[k]!, power);
  }
  return (product(power, first) ^ second) >>> 0;
}

let squares: Uint32Array | undefined;

/** x to the power of 2^k, for each k. */
function powersOfX(): Uint32Array {
  if (squares !== undefined) return squares;
  squares = new Uint32Array(POWERS);
  squares[0] = X;
  for (let k = 1; k < POWERS; k++) squares[k] = product(squares[k - 1]!, squares[k - 1]!);
  return squares;
}

/** Of two polynomials, modulo CRC-32C's. */
function product(a: number, b: number): number {
  let sum = 0;
  let shifted = b;
  for (let bit = ONE; bit !== 0; bit >>>= 1) {
    if (a & bit) sum ^= shifted;
    shifted = shifted & 1 ? (shifted >>> 1) ^ CRC32C_POLYNOMIAL : shifted >>> 1;
  }
  return sum >>> 0;
}
