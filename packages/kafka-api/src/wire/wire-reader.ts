/**
 * Reads one frame from its first byte to its last. It never reads past the end, never believes a length before
 * comparing it with the bytes that are left, and never copies: what it hands out are views into the frame.
 * Encodings: Kafka's protocol guide, "Protocol Primitive Types".
 */
import { MalformedFrame } from './malformed-frame.ts';

/**
 * Elements of all arrays of one request together. Bounds the memory that a frame of tiny elements can take, and the time:
 * what is asked of each costs 2 to 8 microseconds.
 */
const ELEMENTS_MAX = 2 ** 16;

const TWO_TO_32 = 2 ** 32;

export class WireReader {
  readonly #bytes: Buffer;
  readonly #elementsMax: number;
  #at: number;
  #end: number;
  #elementsLeft: number;

  /** @param bytes the frame without its length prefix. Buffers handed out later share its memory. */
  constructor(bytes: Buffer, elementsMax: number = ELEMENTS_MAX) {
    this.#bytes = bytes;
    this.#at = 0;
    this.#end = bytes.length;
    this.#elementsMax = elementsMax;
    this.#elementsLeft = elementsMax;
  }

  /** Bytes not read yet. */
  get left(): number {
    return this.#end - this.#at;
  }

  /** Moves on by `length` bytes and says where they begin. */
  #take(length: number): number {
    const at = this.#at;
    if (length > this.#end - at)
      throw new MalformedFrame(`${length} bytes announced at byte ${at}, ${this.#end - at} are left`);
    this.#at = at + length;
    return at;
  }

  boolean(): boolean {
    return this.#bytes[this.#take(1)] !== 0;
  }

  int8(): number {
    return (this.#bytes[this.#take(1)]! << 24) >> 24;
  }

  int16(): number {
    return (this.uint16() << 16) >> 16;
  }

  uint16(): number {
    const at = this.#take(2);
    return (this.#bytes[at]! << 8) | this.#bytes[at + 1]!;
  }

  int32(): number {
    const at = this.#take(4);
    const bytes = this.#bytes;
    return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
  }

  /** Offsets, times and ids are plain numbers here: one beyond 2^53 is refused, not rounded. */
  int64(): number {
    const at = this.#at;
    const value = this.int32() * TWO_TO_32 + (this.int32() >>> 0);
    if (!Number.isSafeInteger(value)) throw new MalformedFrame(`int64 at byte ${at} is beyond 2^53`);
    return value;
  }

  float64(): number {
    return this.#bytes.readDoubleBE(this.#take(8));
  }

  /** 7 bits a byte, lowest first, at most 32 bits. */
  unsignedVarint(): number {
    const first = this.#bytes[this.#take(1)]!;
    if (first < 0x80) return first;
    let value = first & 0x7f;
    for (let shift = 7; shift < 35; shift += 7) {
      const byte = this.#bytes[this.#take(1)]!;
      // Of the fifth byte only the four bits that complete 32 may be set.
      if (shift === 28 && byte > 0x0f) break;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    throw new MalformedFrame(`varint before byte ${this.#at} is longer than 32 bits`);
  }

  /** 16 bytes as 22 characters of base64url. */
  uuid(): string {
    const at = this.#take(16);
    return this.#bytes.toString('base64url', at, at + 16);
  }

  /** `length` bytes of UTF-8. */
  text(length: number): string {
    const at = this.#take(length);
    return this.#bytes.toString('utf8', at, at + length);
  }

  /** `length` bytes as a view: valid as long as nobody reuses the frame's memory. */
  view(length: number): Buffer {
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }

  skip(length: number): void {
    this.#take(length);
  }

  /** Refuses a number of elements that the bytes left cannot hold, or that is too large for one frame. */
  expectElements(count: number, elementBytesMin: number): void {
    if (count * elementBytesMin > this.left)
      throw new MalformedFrame(
        `${count} elements announced at byte ${this.#at}, ${this.left} bytes are left`,
      );
    this.#elementsLeft -= count;
    if (this.#elementsLeft < 0)
      throw new MalformedFrame(`more than the ${this.#elementsMax} elements that one frame may have`);
  }

  /** Runs `read` on the next `length` bytes alone; it has to use them up. */
  within<T>(length: number, read: (from: WireReader) => T): T {
    const outerEnd = this.#end;
    const innerEnd = this.#take(length) + length;
    this.#at = innerEnd - length;
    this.#end = innerEnd;
    const value = read(this);
    if (this.#at !== innerEnd) throw new MalformedFrame(`${this.left} bytes too many at byte ${this.#at}`);
    this.#end = outerEnd;
    return value;
  }
}
