/**
 * Kafka's framing: an int32 size, then as many bytes. Takes what a socket gives and says which frames are whole.
 * Each gets memory of its own, which grows with what has really come, never with what a size claims. Pure; never keeps
 * a chunk, and after garbage takes nothing more.
 */
import { BufferPool, KiB, occupiedBytes, releaseMemory } from '@millrace/core';

const SIZE_BYTES = 4;
/** API key, API version, correlation id: no request is shorter. */
const FRAME_BYTES_MIN = 8;
const GATHER_BYTES_MIN = 4 * KiB;
/** Growth of the gathering buffer: a frame holds little more than 4 times what came, and is copied 1 1/3 times at most. */
const GROWTH = 4;
/** Of a larger one: it is copied twice, and holds 2 times what came. */
const LARGE_BYTES_MIN = 512 * KiB;
const GROWTH_OF_LARGE = 2;

const HTTP_METHODS: ReadonlySet<string> = new Set([
  'GET ',
  'HEAD',
  'POST',
  'PUT ',
  'DELE',
  'OPTI',
  'PATC',
  'CONN',
  'TRAC',
]);
/** The preface of HTTP/2. */
const HTTP2 = 'PRI ';

export class FrameSplitter {
  readonly #maxBytes: number;
  readonly #buffers: BufferPool;
  #isFirst = true;
  #prefix = 0;
  #prefixBytes = 0;
  /** Of the unfinished frame; -1 while its prefix is not whole. */
  #size = -1;
  #gathered: Buffer | undefined;
  #filled = 0;
  #garbage: string | undefined;

  /** @param buffers the memory of frames, which whoever is given one holds. */
  constructor(maxBytes: number, buffers: BufferPool) {
    this.#maxBytes = maxBytes;
    this.#buffers = buffers;
  }

  /** What was seen instead of a frame, for people. */
  get garbage(): string | undefined {
    return this.#garbage;
  }

  /** A frame has begun and is not whole yet. */
  get isInsideFrame(): boolean {
    return this.#prefixBytes > 0;
  }

  /** Of the unfinished frame, as far as is known of it; 0 if there is none. */
  get bytesToCome(): number {
    if (!this.isInsideFrame) return 0;
    return this.#size < 0 ? SIZE_BYTES - this.#prefixBytes : this.#size - this.#filled;
  }

  /** Memory that the unfinished frame occupies. */
  get heldBytes(): number {
    return this.#gathered === undefined ? 0 : occupiedBytes(this.#gathered);
  }

  /** The frames that `chunk` makes whole, without their sizes. */
  push(chunk: Buffer): Buffer[] {
    const frames: Buffer[] = [];
    let at = 0;
    while (at < chunk.length && this.#garbage === undefined) {
      if (this.#size < 0) {
        at = this.#readPrefix(chunk, at);
        continue;
      }
      const end = Math.min(chunk.length, at + this.#size - this.#filled);
      if (this.#gather(chunk, at, end)) frames.push(this.#finished());
      at = end;
    }
    return frames;
  }

  /** @returns where the frame itself begins, or the end of the chunk. */
  #readPrefix(chunk: Buffer, start: number): number {
    let at = start;
    while (this.#prefixBytes < SIZE_BYTES && at < chunk.length) {
      this.#prefix = ((this.#prefix << 8) | chunk[at++]!) >>> 0;
      this.#prefixBytes += 1;
    }
    if (this.#prefixBytes < SIZE_BYTES) return at;
    const size = this.#prefix | 0;
    if (this.#isFirst) this.#garbage = otherProtocol(this.#prefix);
    if (size < FRAME_BYTES_MIN || size > this.#maxBytes) {
      this.#garbage ??= `a request of ${size} bytes; ${FRAME_BYTES_MIN} to ${this.#maxBytes} are allowed`;
    }
    this.#size = size;
    return at;
  }

  /** @returns whether the frame is whole. */
  #gather(chunk: Buffer, start: number, end: number): boolean {
    const needed = this.#filled + end - start;
    if (this.#gathered === undefined || needed > this.#gathered.length) this.#grow(needed);
    chunk.copy(this.#gathered!, this.#filled, start, end);
    this.#filled = needed;
    return needed === this.#size;
  }

  #grow(needed: number): void {
    const old = this.#gathered;
    const room = old?.length ?? 0;
    const growth = needed < LARGE_BYTES_MIN ? GROWTH : GROWTH_OF_LARGE;
    const wanted = BufferPool.roomFor(Math.max(GATHER_BYTES_MIN, needed, room * growth));
    this.#gathered = this.#buffers.take(Math.min(this.#size, wanted));
    if (old === undefined) return;
    old.copy(this.#gathered, 0, 0, this.#filled);
    releaseMemory(old);
  }

  #finished(): Buffer {
    const frame = this.#gathered!;
    this.#isFirst = false;
    this.#prefix = 0;
    this.#prefixBytes = 0;
    this.#size = -1;
    this.#gathered = undefined;
    this.#filled = 0;
    return frame;
  }
}

/** Clients that took the port for another one open with bytes that are known. */
function otherProtocol(prefix: number): string | undefined {
  // A handshake record of TLS 1.0 to 1.3 (0x16 0x03).
  if (prefix >>> 16 === 0x1603) return 'looks like TLS; this listener speaks plain text';
  const word = Buffer.alloc(SIZE_BYTES);
  word.writeUInt32BE(prefix);
  const text = word.toString('latin1');
  if (text === HTTP2) return 'looks like gRPC (HTTP/2); that has a port of its own';
  return HTTP_METHODS.has(text) ? `looks like HTTP (${text.trim()}…)` : undefined;
}
