/** The sending half that both ends of a stream share: counts what waits for the network, and says when to stop and go on. */

import { asBuffer } from './grpc-internals.ts';
import type { OutgoingFrame } from './wire/codec.ts';

interface FrameSink {
  write(frame: Buffer, written: () => void): unknown;
}

export class StreamSender {
  readonly #sink: FrameSink;
  readonly #limitBytes: number;
  #bufferedBytes = 0;
  #ended = false;
  #waiting: { readonly mostBytes: number; resolve(): void }[] = [];

  constructor(sink: FrameSink, limitBytes: number) {
    this.#sink = sink;
    this.#limitBytes = limitBytes;
  }

  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  /** @returns false once more than the limit waits. */
  send(frame: OutgoingFrame): boolean {
    if (this.#ended) return false;
    const size = frame.length;
    this.#bufferedBytes += size;
    this.#sink.write(asBuffer(frame), () => {
      this.#bufferedBytes -= size;
      this.#release();
    });
    return this.#hasRoom();
  }

  /** Resolves once no more than this waits; without a number, once there is room. */
  drained(mostBytes = this.#limitBytes - 1): Promise<void> {
    if (this.#ended || this.#bufferedBytes <= mostBytes) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push({ mostBytes, resolve });
    });
  }

  /** Nothing is sent from here on; whoever waits for room is let go. gRPC drops write callbacks when a call ends. */
  end(): void {
    this.#ended = true;
    this.#bufferedBytes = 0;
    this.#release();
  }

  #hasRoom(): boolean {
    return this.#bufferedBytes < this.#limitBytes;
  }

  #release(): void {
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = waiting.filter(({ mostBytes }) => mostBytes < this.#bufferedBytes);
    for (const { mostBytes, resolve } of waiting) if (mostBytes >= this.#bufferedBytes) resolve();
  }
}
