/** Messages to send in turn: as much memory as a producer buffers, so that a floor does not live in the CPU's cache alone. */

const POOL_BYTES = 64 * 1024 * 1024;

export class MessagePool {
  readonly #messages: readonly Buffer[];
  #next = 0;

  constructor(messageBytes: number) {
    const count = Math.max(2, Math.floor(POOL_BYTES / messageBytes));
    this.#messages = Array.from({ length: count }, (_, index) => Buffer.alloc(messageBytes, index + 1));
  }

  next(): Buffer {
    this.#next = (this.#next + 1) % this.#messages.length;
    return this.#messages[this.#next]!;
  }
}
