/**
 * The main job's input: lines that anyone can make again from their number, so that a reader needs no copy
 * of the file to know what every line must be. Line n is `key <tab> number <space> filler`.
 */
import { SeededRandom } from '@millrace/core';

const FILLER_MIN = 84;
const ALPHABET = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

export class LineSource {
  readonly seed: number;
  readonly lineCount: number;
  readonly #filler: string;

  constructor(seed: number, lineCount: number) {
    this.seed = seed;
    this.lineCount = lineCount;
    const random = new SeededRandom(seed);
    this.#filler = Array.from({ length: 4096 }, () => ALPHABET[random.uint32() % ALPHABET.length]).join('');
  }

  key(number: number): string {
    return `key-${String(Math.imul(number + this.seed, 2654435761) >>> 0)
      .padStart(10, '0')
      .slice(-3)}`;
  }

  value(number: number): string {
    const start = Math.imul(number, 31) & 2047;
    return `${String(number).padStart(9, '0')} ${this.#filler.slice(start, start + FILLER_MIN + (number & 15))}`;
  }

  line(number: number): string {
    return `${this.key(number)}\t${this.value(number)}\n`;
  }

  /** Lines `from` to `to` (exclusive) as one text. */
  lines(from: number, to: number): string {
    let text = '';
    for (let number = from; number < to; number++) text += this.line(number);
    return text;
  }
}

/** What came out, judged line by line against what went in. */
export class LineJudge {
  readonly #source: LineSource;
  readonly #seen: Uint8Array;
  readonly #lastOfKey = new Map<string, number>();
  received = 0;
  duplicates = 0;
  outOfOrder = 0;
  foreign = 0;

  constructor(source: LineSource) {
    this.#source = source;
    this.#seen = new Uint8Array(source.lineCount);
  }

  take(line: string): void {
    this.received++;
    const [key = '', value = ''] = line.split('\t');
    const number = Number(value.slice(0, 9));
    if (
      !Number.isInteger(number) ||
      `${line}\n` !== this.#source.line(number) ||
      number >= this.#source.lineCount
    ) {
      this.foreign++;
      return;
    }
    if (this.#seen[number] === 1) this.duplicates++;
    else if ((this.#lastOfKey.get(key) ?? -1) > number) this.outOfOrder++;
    this.#seen[number] = 1;
    this.#lastOfKey.set(key, Math.max(number, this.#lastOfKey.get(key) ?? -1));
  }

  get missing(): number {
    return this.#seen.reduce((sum, seen) => sum + (1 - seen), 0);
  }

  /** Numbers that must all be zero. */
  faults(): { missing: number; duplicates: number; outOfOrder: number; foreign: number } {
    return {
      missing: this.missing,
      duplicates: this.duplicates,
      outOfOrder: this.outOfOrder,
      foreign: this.foreign,
    };
  }
}
