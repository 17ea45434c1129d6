/**
 * Zig-zag variable-length integers of records: seven bits a byte, lowest first (protobuf's sint32 and
 * sint64). Never BigInt: longs are numbers and must lie within ±2^52, which covers every timestamp.
 */
import { MillraceError } from '@millrace/core';

/** The largest magnitude that `writeVarlong` takes and a cursor returns. */
export const VARLONG_MAX = 2 ** 52 - 1;

const TWO_POW_28 = 2 ** 28;

/** Bytes that `writeVarint` takes for an int32. */
export function varintSize(value: number): number {
  const zigzag = ((value << 1) ^ (value >> 31)) >>> 0;
  if (zigzag < 0x80) return 1;
  if (zigzag < 0x4000) return 2;
  if (zigzag < 0x200000) return 3;
  return zigzag < TWO_POW_28 ? 4 : 5;
}

/** Writes an int32. Returns the position after it. */
export function writeVarint(bytes: Uint8Array, position: number, value: number): number {
  let zigzag = ((value << 1) ^ (value >> 31)) >>> 0;
  while (zigzag >= 0x80) {
    bytes[position++] = (zigzag & 0x7f) | 0x80;
    zigzag >>>= 7;
  }
  bytes[position++] = zigzag;
  return position;
}

/** Bytes that `writeVarlong` takes. */
export function varlongSize(value: number): number {
  if (value === (value | 0)) return varintSize(value);
  let zigzag = value < 0 ? -2 * value - 1 : 2 * value;
  let size = 1;
  for (; zigzag >= 0x80; size++) zigzag = Math.floor(zigzag / 0x80);
  return size;
}

/** Writes an integer within ±VARLONG_MAX. Returns the position after it. */
export function writeVarlong(bytes: Uint8Array, position: number, value: number): number {
  if (value === (value | 0)) return writeVarint(bytes, position, value);
  let zigzag = value < 0 ? -2 * value - 1 : 2 * value;
  while (zigzag >= 0x80) {
    bytes[position++] = (zigzag % 0x80) | 0x80;
    zigzag = Math.floor(zigzag / 0x80);
  }
  bytes[position++] = zigzag;
  return position;
}

/** Reads integers one after another from `bytes`, starting at `position`. @throws {MillraceError} CORRUPT_MESSAGE. */
export class VarintCursor {
  readonly bytes: Uint8Array;
  position: number;

  constructor(bytes: Uint8Array, position = 0) {
    this.bytes = bytes;
    this.position = position;
  }

  /** An int32. */
  varint(): number {
    const { bytes } = this;
    let at = this.position;
    let zigzag = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      if (at >= bytes.length) throw corrupt('the bytes end inside an integer');
      const byte = bytes[at++]!;
      zigzag |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        if (shift === 28 && byte > 0x0f) break;
        this.position = at;
        return (zigzag >>> 1) ^ -(zigzag & 1);
      }
    }
    throw corrupt('an integer is longer than 32 bits');
  }

  /** An integer within ±2^52. */
  varlong(): number {
    const { bytes } = this;
    let at = this.position;
    let zigzag = 0;
    for (let scale = 1; scale < 2 ** 63; scale *= 0x80) {
      if (at >= bytes.length) throw corrupt('the bytes end inside an integer');
      const byte = bytes[at++]!;
      zigzag += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (zigzag > Number.MAX_SAFE_INTEGER) break;
        this.position = at;
        return zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
      }
    }
    throw corrupt('a long integer is beyond 2^52');
  }
}

function corrupt(message: string): MillraceError {
  return new MillraceError('CORRUPT_MESSAGE', message);
}
