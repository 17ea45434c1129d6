/**
 * What generated decoders need beyond protobufjs' reader: 64-bit fields as plain numbers, and limits. protobufjs itself
 * would build Long objects unless its process-wide configuration were changed, which a library must not do to its user.
 * Everything here throws on malformed input; codec.ts turns that into one error.
 */
import protobuf from 'protobufjs/minimal.js';

const TWO_31 = 0x8000_0000;
const TWO_32 = 0x1_0000_0000;

/**
 * Nested messages allowed in one decoded message. An empty one costs two bytes on the wire and a hundred in memory: without
 * a limit a frame of 100 MiB could ask for 5 GB.
 */
export const NESTED_MESSAGES_MAX = 1_000_000;

export class WireReader {
  readonly reader: protobuf.Reader;
  #nested = 0;
  #low = 0;
  #high = 0;

  constructor(bytes: Buffer) {
    this.reader = protobuf.Reader.create(bytes);
  }

  get position(): number {
    return this.reader.pos;
  }

  get length(): number {
    return this.reader.len;
  }

  tag(): number {
    return this.reader.uint32();
  }

  /** Passes over a field that this version does not know. */
  skip(tag: number): void {
    if (tag >>> 3 === 0) throw new RangeError('field number 0');
    this.reader.skipType(tag & 7, 0, tag >>> 3);
  }

  /** Where the length-prefixed part that begins here ends. */
  end(): number {
    const length = this.reader.uint32();
    const end = this.reader.pos + length;
    if (end > this.reader.len) throw new RangeError(`a part of ${length} bytes goes beyond the message`);
    return end;
  }

  /** Like `end`, for a nested message; counts it. */
  nested(): number {
    this.#nested += 1;
    if (this.#nested > NESTED_MESSAGES_MAX)
      throw new RangeError(`more than ${NESTED_MESSAGES_MAX} nested messages`);
    return this.end();
  }

  /** A part must end where its length said. */
  finish(end: number): void {
    if (this.reader.pos !== end) throw new RangeError('a field goes beyond the message that holds it');
  }

  uint32(): number {
    return this.reader.uint32();
  }

  int32(): number {
    return this.reader.int32();
  }

  sint32(): number {
    return this.reader.sint32();
  }

  bool(): boolean {
    return this.reader.bool();
  }

  text(): string {
    return this.reader.string();
  }

  /** Shares memory with the input. */
  payload(): Buffer {
    return this.reader.bytes() as Buffer;
  }

  uint64(): number {
    this.#varint64();
    return safe(this.#high * TWO_32 + this.#low);
  }

  int64(): number {
    this.#varint64();
    if (this.#high < TWO_31) return safe(this.#high * TWO_32 + this.#low);
    return safe(-((~this.#high >>> 0) * TWO_32 + (~this.#low >>> 0)) - 1);
  }

  sint64(): number {
    this.#varint64();
    const half = this.#high * TWO_31 + (this.#low >>> 1);
    return safe((this.#low & 1) === 0 ? half : -half - 1);
  }

  #varint64(): void {
    const { buf, len } = this.reader;
    let position = this.reader.pos;
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (position >= len) throw new RangeError('the message ends within a number');
      const byte = buf[position++]!;
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high = bits >>> 4;
      } else high |= bits << (shift - 32);
      if (byte < 0x80) {
        this.reader.pos = position;
        this.#low = low >>> 0;
        this.#high = high >>> 0;
        return;
      }
    }
    throw new RangeError('a number of more than ten bytes');
  }
}

function safe(value: number): number {
  if (!Number.isSafeInteger(value)) throw new RangeError('a number outside -2^53 .. 2^53');
  return value;
}
