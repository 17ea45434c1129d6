/**
 * Kafka's primitive types, read from and written to the bytes of a record. Never reads past the end and never returns a
 * half-read value: what does not fit is damage. Source: Kafka's protocol guide, "Protocol Primitive Types".
 */
import { isUtf8 } from 'node:buffer';
import { invariant, MillraceError, type TopicId } from '@millrace/core';

const STRING_MAX_BYTES = 32_767;
const UUID_BYTES = 16;
const UVARINT_MAX_BYTES = 5;
const WRITER_INITIAL_BYTES = 256;

/** Half of a surrogate pair: UTF-8 has no bytes for it. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/** Whether `text` survives a round trip through UTF-8 and fits a length of 16 bits. */
export function fitsString(text: string): boolean {
  return !LONE_SURROGATE.test(text) && Buffer.byteLength(text) <= STRING_MAX_BYTES;
}

export function damaged(what: string): MillraceError {
  return new MillraceError('CORRUPT_MESSAGE', `group record: ${what}`);
}

/** Reads one value after another. `flexible` chooses compact lengths, as every flexible version does. */
export class RecordReader {
  readonly #bytes: Buffer;
  #position = 0;
  flexible = false;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#position === this.#bytes.length;
  }

  int8(): number {
    return this.#bytes.readInt8(this.#advance(1));
  }

  int16(): number {
    return this.#bytes.readInt16BE(this.#advance(2));
  }

  int32(): number {
    return this.#bytes.readInt32BE(this.#advance(4));
  }

  /** As a number. Offsets and times beyond 2^53 do not occur in what anybody wrote. */
  int64(): number {
    const value = Number(this.bigInt64());
    if (!Number.isSafeInteger(value)) throw damaged(`the integer ${value} is out of range`);
    return value;
  }

  bigInt64(): bigint {
    return this.#bytes.readBigInt64BE(this.#advance(8));
  }

  uvarint(): number {
    let value = 0;
    for (let index = 0; index < UVARINT_MAX_BYTES; index++) {
      const byte = this.#bytes[this.#advance(1)]!;
      value += (byte & 0x7f) * 2 ** (7 * index);
      if (byte < 0x80) {
        if (value >= 2 ** 32) break;
        return value;
      }
    }
    throw damaged('an unsigned varint is longer than 32 bits');
  }

  string(): string {
    const text = this.nullableString();
    if (text === undefined) throw damaged('a string is null that may not be');
    return text;
  }

  nullableString(): string | undefined {
    const length = this.flexible ? this.uvarint() - 1 : this.int16();
    if (length === -1) return undefined;
    const bytes = this.#take(length);
    if (!isUtf8(bytes)) throw damaged('a string is not UTF-8');
    return bytes.toString('utf8');
  }

  /** A copy, so that no record keeps the batch alive that it came in. */
  bytes(): Buffer {
    const value = this.nullableBytes();
    if (value === undefined) throw damaged('bytes are null that may not be');
    return value;
  }

  nullableBytes(): Buffer | undefined {
    const length = this.flexible ? this.uvarint() - 1 : this.int32();
    return length === -1 ? undefined : Buffer.from(this.#take(length));
  }

  uuid(): TopicId {
    return this.#take(UUID_BYTES).toString('base64url');
  }

  array<T>(read: () => T): T[] {
    const count = this.flexible ? this.uvarint() - 1 : this.int32();
    // Every element takes at least a byte: a damaged count cannot make us allocate.
    if (count < 0 || count > this.#bytes.length - this.#position)
      throw damaged(`an array of ${count} elements`);
    return Array.from({ length: count }, read);
  }

  /** Tagged fields at the end of a flexible structure; unknown tags are skipped, as KIP-482 has it. */
  tags(known: Readonly<Record<number, (field: RecordReader) => void>> = {}): void {
    if (!this.flexible) return;
    const count = this.uvarint();
    let previous = -1;
    for (let index = 0; index < count; index++) {
      const tag = this.uvarint();
      if (tag <= previous) throw damaged(`tag ${tag} follows tag ${previous}`);
      previous = tag;
      const field = new RecordReader(this.#take(this.uvarint()));
      field.flexible = true;
      const read = known[tag];
      if (read === undefined) continue;
      read(field);
      field.end(`tag ${tag}`);
    }
  }

  /** @throws {MillraceError} CORRUPT_MESSAGE if bytes are left. */
  end(what: string): void {
    if (!this.isAtEnd) throw damaged(`${this.#bytes.length - this.#position} bytes too many in ${what}`);
  }

  #take(length: number): Buffer {
    const start = this.#advance(length);
    return this.#bytes.subarray(start, start + length);
  }

  #advance(length: number): number {
    const start = this.#position;
    if (length < 0 || start + length > this.#bytes.length)
      throw damaged(`${length} bytes wanted at ${start} of ${this.#bytes.length}`);
    this.#position = start + length;
    return start;
  }
}

/** Writes one value after another into a buffer that grows. */
export class RecordWriter {
  #bytes = Buffer.allocUnsafe(WRITER_INITIAL_BYTES);
  #position = 0;
  flexible = false;

  int8(value: number): this {
    const start = this.#reserve(1);
    this.#bytes.writeInt8(value, start);
    return this;
  }

  int16(value: number): this {
    const start = this.#reserve(2);
    this.#bytes.writeInt16BE(value, start);
    return this;
  }

  int32(value: number): this {
    const start = this.#reserve(4);
    this.#bytes.writeInt32BE(value, start);
    return this;
  }

  int64(value: number | bigint): this {
    const start = this.#reserve(8);
    this.#bytes.writeBigInt64BE(BigInt(value), start);
    return this;
  }

  uvarint(value: number): this {
    let rest = value;
    while (rest >= 0x80) {
      this.#byte((rest % 0x80) | 0x80);
      rest = Math.floor(rest / 0x80);
    }
    this.#byte(rest);
    return this;
  }

  /** @throws {MillraceError} INVALID_REQUEST for more than 32,767 bytes. */
  string(value: string | undefined): this {
    if (value === undefined) return this.flexible ? this.uvarint(0) : this.int16(-1);
    const length = Buffer.byteLength(value);
    if (length > STRING_MAX_BYTES)
      throw new MillraceError('INVALID_REQUEST', `a string of ${length} bytes does not fit a group record`);
    if (this.flexible) this.uvarint(length + 1);
    else this.int16(length);
    const start = this.#reserve(length);
    this.#bytes.write(value, start, 'utf8');
    return this;
  }

  bytes(value: Buffer): this {
    if (this.flexible) this.uvarint(value.length + 1);
    else this.int32(value.length);
    return this.raw(value);
  }

  uuid(value: TopicId): this {
    const bytes = Buffer.from(value, 'base64url');
    invariant(bytes.length === UUID_BYTES, 'a topic id has 16 bytes', { value });
    return this.raw(bytes);
  }

  array<T>(items: readonly T[], write: (item: T) => void): this {
    if (this.flexible) this.uvarint(items.length + 1);
    else this.int32(items.length);
    for (const item of items) write(item);
    return this;
  }

  /** Ends a flexible structure. Fields are `[tag, content]` by rising tag. */
  tags(fields: readonly (readonly [tag: number, content: Buffer])[] = []): this {
    if (!this.flexible) return this;
    this.uvarint(fields.length);
    for (const [tag, content] of fields) this.uvarint(tag).uvarint(content.length).raw(content);
    return this;
  }

  raw(value: Buffer): this {
    const start = this.#reserve(value.length);
    value.copy(this.#bytes, start);
    return this;
  }

  finish(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.#position));
  }

  #byte(value: number): void {
    const start = this.#reserve(1);
    this.#bytes[start] = value;
  }

  /** Room for `length` bytes. The buffer may be another one afterwards: reserve first, then touch it. */
  #reserve(length: number): number {
    const start = this.#position;
    const end = start + length;
    if (end > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(end, this.#bytes.length * 2));
      this.#bytes.copy(larger, 0, 0, start);
      this.#bytes = larger;
    }
    this.#position = end;
    return start;
  }
}
