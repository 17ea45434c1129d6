/**
 * Protobuf's wire format into one buffer of exactly the right size. Generated encoders first ask the `size*` functions
 * and then write into the frame itself: a payload is copied once, where protobufjs copies it into a result that gRPC
 * copies again. The `size*` functions also refuse numbers that the field cannot hold, so that nothing is truncated on the wire.
 */
import { invariant, MillraceError } from '@millrace/core';

const TWO_31 = 0x8000_0000;
const TWO_32 = 0x1_0000_0000;
/** Below this many characters a loop beats the call into native code. */
const SHORT_TEXT = 48;

function refuse(kind: string, value: unknown): never {
  throw new MillraceError('INVALID_REQUEST', `${String(value)} does not fit a field of kind ${kind}`);
}

function sizeVarint(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x20_0000) return 3;
  if (value < 0x1000_0000) return 4;
  if (value < 2 ** 35) return 5;
  if (value < 2 ** 42) return 6;
  return value < 2 ** 49 ? 7 : 8;
}

export function sizeUint32(value: number): number {
  if (value >>> 0 !== value) refuse('uint32', value);
  return sizeVarint(value);
}

export function sizeInt32(value: number): number {
  if ((value | 0) !== value) refuse('int32', value);
  return value < 0 ? 10 : sizeVarint(value);
}

export function sizeSint32(value: number): number {
  if ((value | 0) !== value) refuse('sint32', value);
  return sizeVarint(value < 0 ? -value * 2 - 1 : value * 2);
}

export function sizeUint64(value: number): number {
  if (!Number.isSafeInteger(value) || value < 0) refuse('uint64', value);
  return sizeVarint(value);
}

export function sizeInt64(value: number): number {
  if (!Number.isSafeInteger(value)) refuse('int64', value);
  return value < 0 ? 10 : sizeVarint(value);
}

export function sizeSint64(value: number): number {
  if (!Number.isSafeInteger(value)) refuse('sint64', value);
  return sizeVarint((value < 0 ? -value - 1 : value) * 2);
}

export function sizeBool(_value: boolean): number {
  return 1;
}

function utf8Length(text: string): number {
  if (text.length > SHORT_TEXT) return Buffer.byteLength(text, 'utf8');
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) > 0x7f) return Buffer.byteLength(text, 'utf8');
  }
  return text.length;
}

export function sizeText(value: string): number {
  if (typeof value !== 'string') refuse('string', value);
  return sizePrefixed(utf8Length(value));
}

export function sizeBytes(value: Uint8Array): number {
  return sizePrefixed(value.length);
}

/** Room for `length` bytes and the varint that announces them. */
export function sizePrefixed(length: number): number {
  return sizeVarint(length) + length;
}

export class WireWriter {
  readonly bytes: Buffer;
  #position: number;

  /** Writes into `target` from `start` on. */
  constructor(target: Uint8Array, start: number) {
    this.bytes = Buffer.isBuffer(target)
      ? target
      : Buffer.from(target.buffer, target.byteOffset, target.byteLength);
    this.#position = start;
  }

  /** The message must end exactly where its size said. */
  finish(end: number): void {
    invariant(this.#position === end, 'a message was encoded in another size than computed');
  }

  /** Values from 0 to 2^32-1; also tags and lengths. */
  uint32(value: number): void {
    const bytes = this.bytes;
    let rest = value;
    while (rest > 0x7f) {
      bytes[this.#position++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    bytes[this.#position++] = rest;
  }

  int32(value: number): void {
    if (value >= 0) this.uint32(value);
    else this.#varint64(value >>> 0, 0xffff_ffff);
  }

  sint32(value: number): void {
    this.uint32(((value << 1) ^ (value >> 31)) >>> 0);
  }

  uint64(value: number): void {
    this.#varint64(value % TWO_32, Math.floor(value / TWO_32));
  }

  int64(value: number): void {
    if (value >= 0) {
      this.uint64(value);
      return;
    }
    const inverted = -value - 1;
    this.#varint64(~(inverted % TWO_32) >>> 0, ~Math.floor(inverted / TWO_32) >>> 0);
  }

  sint64(value: number): void {
    const half = value < 0 ? -value - 1 : value;
    this.#varint64((half % TWO_31) * 2 + (value < 0 ? 1 : 0), Math.floor(half / TWO_31));
  }

  bool(value: boolean): void {
    this.bytes[this.#position++] = value ? 1 : 0;
  }

  text(value: string): void {
    const length = utf8Length(value);
    this.uint32(length);
    if (length !== value.length || length > SHORT_TEXT) {
      this.bytes.write(value, this.#position, length, 'utf8');
    } else {
      for (let i = 0; i < length; i++) this.bytes[this.#position + i] = value.charCodeAt(i);
    }
    this.#position += length;
  }

  payload(value: Uint8Array): void {
    this.uint32(value.length);
    this.bytes.set(value, this.#position);
    this.#position += value.length;
  }

  #varint64(low: number, high: number): void {
    const bytes = this.bytes;
    let lo = low;
    let hi = high;
    while (hi > 0) {
      bytes[this.#position++] = (lo & 0x7f) | 0x80;
      lo = ((lo >>> 7) | (hi << 25)) >>> 0;
      hi >>>= 7;
    }
    this.uint32(lo);
  }
}
