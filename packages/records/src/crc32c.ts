/**
 * CRC-32C (Castagnoli, reflected polynomial 0x82f63b78), the checksum of record batches.
 * Native where that pays; the slice-by-8 fallback gives the same numbers on any machine.
 */
import { createRequire } from 'node:module';

type Crc32c = (bytes: Uint8Array, previous?: number) => number;

/** Below this a call into native code costs more than the tables do. */
const NATIVE_BYTES_MIN = 128;
/** Its bits reversed. */
export const CRC32C_POLYNOMIAL = 0x82f63b78;

let bulk: Crc32c | undefined;

/** The checksum of `bytes[start, end)` as an unsigned 32-bit integer, continuing that of what comes `before`. */
export function crc32c(bytes: Uint8Array, start = 0, end = bytes.length, before = 0): number {
  if (end - start < NATIVE_BYTES_MIN) return crc32cOfTables(bytes, start, end, before);
  bulk ??= loadNative() ?? ((whole, previous) => crc32cOfTables(whole, 0, whole.length, previous));
  return bulk(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end), before);
}

function loadNative(): Crc32c | undefined {
  try {
    const native = createRequire(import.meta.url)('@node-rs/crc32') as { crc32c: Crc32c };
    return native.crc32c;
  } catch {
    // No prebuilt binary for this platform: the tables are slower but right.
    return undefined;
  }
}

let tables: readonly Uint32Array[] | undefined;

/** The same checksum in JavaScript, eight bytes a step. */
export function crc32cOfTables(bytes: Uint8Array, start: number, end: number, before = 0): number {
  tables ??= makeTables();
  const [t0, t1, t2, t3, t4, t5, t6, t7] = tables as unknown as Octet;
  let crc = ~before >>> 0;
  let at = start;
  for (; at + 8 <= end; at += 8) {
    const low = crc ^ (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24));
    crc =
      t7[low & 0xff]! ^
      t6[(low >>> 8) & 0xff]! ^
      t5[(low >>> 16) & 0xff]! ^
      t4[low >>> 24]! ^
      t3[bytes[at + 4]!]! ^
      t2[bytes[at + 5]!]! ^
      t1[bytes[at + 6]!]! ^
      t0[bytes[at + 7]!]!;
  }
  for (; at < end; at++) crc = t0[(crc ^ bytes[at]!) & 0xff]! ^ (crc >>> 8);
  return ~crc >>> 0;
}

type Octet = readonly [
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
];

/** Table k advances a byte's contribution by k further zero bytes. */
function makeTables(): readonly Uint32Array[] {
  const first = new Uint32Array(256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ CRC32C_POLYNOMIAL : crc >>> 1;
    first[byte] = crc;
  }
  const all = [first];
  for (let k = 1; k < 8; k++) {
    all.push(all[k - 1]!.map((crc) => first[crc & 0xff]! ^ (crc >>> 8)));
  }
  return all;
}
