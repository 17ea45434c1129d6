/** Record values to send in turn: incompressible text from a seed, the same in every run. */
import { SeededRandom } from '@millrace/core';

const VARIETY = 1024;
const FIRST_PRINTABLE = 33;
const PRINTABLE = 94;

export class Payload {
  readonly #values: readonly Buffer[];
  #next = 0;

  constructor(recordBytes: number) {
    const random = new SeededRandom(recordBytes);
    const text = Buffer.alloc(VARIETY + recordBytes);
    for (let at = 0; at < text.length; at++) text[at] = FIRST_PRINTABLE + (random.uint32() % PRINTABLE);
    this.#values = Array.from({ length: VARIETY }, (_, at) =>
      Buffer.from(text.subarray(at, at + recordBytes)),
    );
  }

  next(): Buffer {
    this.#next = (this.#next + 1) % VARIETY;
    return this.#values[this.#next]!;
  }
}
