/**
 * Cuts a stream of chunks into lines without copying, except a line that spans chunks. A line ends with `\n`; every
 * other byte, `\r` included, belongs to it. Never drops the last line for want of a line break. Pure.
 */
import { CliError } from './cli-error.ts';
import { EXIT } from './exit-code.ts';

const LINE_BREAK = 0x0a;

export class LineSplitter {
  readonly #lineBytesMax: number;
  #parts: Buffer[] = [];
  #partBytes = 0;
  #lines = 0;

  /** @param lineBytesMax longest line, in bytes: without it, input with no line break would fill the memory. */
  constructor(lineBytesMax: number) {
    this.#lineBytesMax = lineBytesMax;
  }

  /**
   * The lines that `chunk` completes; views into it, valid as long as nobody reuses its memory.
   *
   * @throws {CliError} LINE_TOO_LONG
   */
  split(chunk: Buffer): Buffer[] {
    const lines: Buffer[] = [];
    let start = 0;
    for (let end = chunk.indexOf(LINE_BREAK); end !== -1; end = chunk.indexOf(LINE_BREAK, start)) {
      lines.push(this.#complete(chunk.subarray(start, end)));
      start = end + 1;
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start));
    return lines;
  }

  /** The line after the last line break, if there is one. */
  rest(): Buffer | undefined {
    return this.#partBytes === 0 ? undefined : this.#complete(Buffer.alloc(0));
  }

  #complete(last: Buffer): Buffer {
    this.#checkLength(last.length);
    this.#lines += 1;
    if (this.#partBytes === 0) return last;
    const line = Buffer.concat([...this.#parts, last]);
    this.#parts = [];
    this.#partBytes = 0;
    return line;
  }

  #keep(part: Buffer): void {
    this.#checkLength(part.length);
    this.#parts.push(part);
    this.#partBytes += part.length;
  }

  #checkLength(more: number): void {
    if (this.#partBytes + more <= this.#lineBytesMax) return;
    throw new CliError(
      'LINE_TOO_LONG',
      EXIT.failed,
      `line ${this.#lines + 1} of the input is longer than ${this.#lineBytesMax} bytes`,
      'Is the input text? Records end at line breaks.',
    );
  }
}
