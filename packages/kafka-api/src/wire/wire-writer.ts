/**
 * Writes one frame as a list of buffers for a gathering write. Small values go into chunks of its own; record
 * batches are put between them as they are, never copied. A value outside its type's range is a bug of the caller:
 * it is refused here, not truncated on the wire.
 */
import { invariant } from '@millrace/core';

/** Holds most responses; taken from the pool that Node keeps for small buffers. */
const CHUNK_BYTES = 256;
const CHUNK_BYTES_MAX = 64 * 1024;
/** Below this a copy is cheaper than one more entry of a gathering write. */
const SPLICE_BYTES_MIN = 512;
/** Up to this length a loop over characters beats a call into Node. */
const SHORT_TEXT = 48;

const TWO_TO_32 = 2 ** 32;
const VARINT_BYTES_MAX = 5;

export class WireWriter {
  readonly #done: Buffer[] = [];
  #doneBytes = 0;
  #chunk: Buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  /** Of the chunk's part that is not in `#done` yet. */
  #from = 0;
  #at = 0;

  /** Bytes written so far. */
  get length(): number {
    return this.#doneBytes + this.#at - this.#from;
  }

  /** Moves on by `length` bytes of one chunk and says where they begin. Look up `#chunk` only afterwards. */
  #room(length: number): number {
    if (this.#at + length > this.#chunk.length) this.#grow(length);
    const at = this.#at;
    this.#at = at + length;
    return at;
  }

  #grow(length: number): void {
    this.#close();
    const size = Math.max(length, Math.min(this.#chunk.length * 2, CHUNK_BYTES_MAX));
    this.#chunk = Buffer.allocUnsafe(size);
    this.#from = 0;
    this.#at = 0;
  }

  #close(): void {
    if (this.#at === this.#from) return;
    this.#done.push(this.#chunk.subarray(this.#from, this.#at));
    this.#doneBytes += this.#at - this.#from;
    this.#from = this.#at;
  }

  boolean(value: boolean): void {
    invariant(typeof value === 'boolean', 'not a boolean', { value });
    const at = this.#room(1);
    this.#chunk[at] = value ? 1 : 0;
  }

  int8(value: number): void {
    if ((value << 24) >> 24 !== value) refuse('int8', value);
    const at = this.#room(1);
    this.#chunk[at] = value;
  }

  int16(value: number): void {
    if ((value << 16) >> 16 !== value) refuse('int16', value);
    this.#put16(value);
  }

  uint16(value: number): void {
    if ((value & 0xffff) !== value) refuse('uint16', value);
    this.#put16(value);
  }

  #put16(value: number): void {
    const at = this.#room(2);
    this.#chunk[at] = value >> 8;
    this.#chunk[at + 1] = value;
  }

  int32(value: number): void {
    if ((value | 0) !== value) refuse('int32', value);
    this.#put32(value);
  }

  #put32(value: number): void {
    const at = this.#room(4);
    const chunk = this.#chunk;
    chunk[at] = value >> 24;
    chunk[at + 1] = value >> 16;
    chunk[at + 2] = value >> 8;
    chunk[at + 3] = value;
  }

  int64(value: number): void {
    if (!Number.isSafeInteger(value)) refuse('int64 below 2^53', value);
    this.#put32(Math.floor(value / TWO_TO_32));
    this.#put32(value | 0);
  }

  float64(value: number): void {
    invariant(typeof value === 'number', 'not a float64', { value });
    const at = this.#room(8);
    this.#chunk.writeDoubleBE(value, at);
  }

  unsignedVarint(value: number): void {
    if (value >>> 0 !== value) refuse('uint32', value);
    if (value < 0x80) {
      const single = this.#room(1);
      this.#chunk[single] = value;
      return;
    }
    let at = this.#room(VARINT_BYTES_MAX);
    let rest = value;
    while (rest > 0x7f) {
      this.#chunk[at++] = rest | 0x80;
      rest >>>= 7;
    }
    this.#chunk[at++] = rest;
    this.#at = at;
  }

  uuid(value: string): void {
    invariant(typeof value === 'string' && value.length === 22, 'not a uuid', { value });
    const at = this.#room(16);
    const written = this.#chunk.write(value, at, 16, 'base64url');
    invariant(written === 16, 'not a uuid', { value });
  }

  /** UTF-8 without its length; `length` is what `utf8Length` says of it. */
  text(value: string, length: number): void {
    const at = this.#room(length);
    if (length !== value.length || length > SHORT_TEXT) {
      this.#chunk.write(value, at, length, 'utf8');
      return;
    }
    const chunk = this.#chunk;
    for (let index = 0; index < length; index++) chunk[at + index] = value.charCodeAt(index);
  }

  /** Bytes as they are. Large ones are not copied: their memory must not change until the frame is sent. */
  bytes(value: Buffer): void {
    if (value.length < SPLICE_BYTES_MIN) {
      const at = this.#room(value.length);
      this.#chunk.set(value, at);
      return;
    }
    this.#close();
    this.#done.push(value);
    this.#doneBytes += value.length;
  }

  /** Moves over everything that another writer holds. */
  append(other: WireWriter): void {
    for (const part of other.finish()) this.bytes(part);
  }

  /** Everything written, in order. The writer is used up. */
  finish(): Buffer[] {
    this.#close();
    return this.#done;
  }

  /** As `finish`, for a writer whose first value was an int32: it becomes the number of bytes that follow it. */
  finishFrame(): Buffer[] {
    const parts = this.finish();
    parts[0]!.writeInt32BE(this.#doneBytes - 4, 0);
    return parts;
  }
}

/** Bytes of a text as UTF-8. */
export function utf8Length(value: string): number {
  invariant(typeof value === 'string', 'not a string', { value });
  const { length } = value;
  if (length > SHORT_TEXT) return Buffer.byteLength(value, 'utf8');
  for (let index = 0; index < length; index++)
    if (value.charCodeAt(index) > 0x7f) return Buffer.byteLength(value, 'utf8');
  return length;
}

function refuse(type: string, value: number): never {
  invariant(false, `not an ${type}`, { value });
}
