/**
 * Collects small pieces of output into large writes. The buffer handed out is never written to again, so a stream may
 * keep it as long as it likes. Pure.
 */
export class ByteBuffer {
  readonly #capacity: number;
  #bytes: Buffer;
  #used = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#bytes = Buffer.allocUnsafeSlow(capacity);
  }

  get length(): number {
    return this.#used;
  }

  append(piece: Uint8Array): void {
    if (piece.length > this.#bytes.length - this.#used) this.#grow(piece.length);
    this.#bytes.set(piece, this.#used);
    this.#used += piece.length;
  }

  appendText(text: string): void {
    // No UTF-16 unit takes more than three bytes of UTF-8.
    const atMost = text.length * 3;
    if (atMost > this.#bytes.length - this.#used) this.#grow(atMost);
    this.#used += this.#bytes.write(text, this.#used);
  }

  /** All that was appended since the last time. */
  take(): Buffer {
    const taken = this.#bytes.subarray(0, this.#used);
    this.#bytes = Buffer.allocUnsafeSlow(this.#capacity);
    this.#used = 0;
    return taken;
  }

  #grow(more: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, this.#used + more));
    this.#bytes.copy(larger, 0, 0, this.#used);
    this.#bytes = larger;
  }
}
