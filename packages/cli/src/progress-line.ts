/** One line on a terminal that says how far something is, redrawn in place. Never drawn elsewhere. */
import type { Writable } from 'node:stream';
import type { Clock, Timer } from '@millrace/core';

const REDRAW_MS = 200;
const CLEAR_LINE = '\r\u001b[2K';

export class ProgressLine {
  readonly #stream: Writable;
  readonly #clock: Clock;
  readonly #text: () => string;
  #timer: Timer | undefined;

  constructor(stream: Writable, clock: Clock, text: () => string) {
    this.#stream = stream;
    this.#clock = clock;
    this.#text = text;
    this.#arm();
  }

  stop(): void {
    if (this.#timer === undefined) return;
    this.#timer.cancel();
    this.#timer = undefined;
    this.#stream.write(CLEAR_LINE);
  }

  #arm(): void {
    this.#timer = this.#clock.schedule(REDRAW_MS, () => {
      this.#stream.write(`${CLEAR_LINE}${this.#text()}`);
      this.#arm();
    });
  }
}
