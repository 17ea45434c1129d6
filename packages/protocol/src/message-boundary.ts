/** Follows gRPC's framing on one HTTP/2 stream, only to know whether a message is half sent. Keeps no bytes. */
import type { ServerHttp2Stream } from 'node:http2';

/** A compression flag and a 4-byte length. */
const PREFIX_BYTES = 5;

export class MessageBoundary {
  readonly stream: ServerHttp2Stream;
  #prefixSeen = 0;
  #length = 0;
  #bodyLeft = 0;
  #moved = false;
  #suspect = false;

  constructor(stream: ServerHttp2Stream) {
    this.stream = stream;
  }

  advance(chunk: Buffer): void {
    this.#moved = true;
    let position = 0;
    while (position < chunk.length) {
      if (this.#bodyLeft > 0) {
        const taken = Math.min(this.#bodyLeft, chunk.length - position);
        this.#bodyLeft -= taken;
        position += taken;
        continue;
      }
      const byte = chunk[position++]!;
      if (this.#prefixSeen > 0) this.#length = this.#length * 256 + byte;
      this.#prefixSeen += 1;
      if (this.#prefixSeen === PREFIX_BYTES) {
        this.#bodyLeft = this.#length;
        this.#prefixSeen = 0;
        this.#length = 0;
      }
    }
  }

  /** A message is unfinished now, was at the last look, and nothing came in between although we were reading. */
  stalledSinceLastLook(): boolean {
    const unfinished = (this.#bodyLeft > 0 || this.#prefixSeen > 0) && !this.stream.isPaused();
    const stalled = unfinished && this.#suspect && !this.#moved;
    this.#suspect = unfinished;
    this.#moved = false;
    return stalled;
  }
}
