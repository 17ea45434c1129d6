/**
 * Standard output as a place that can be full or gone. Never throws for a reader that went away except
 * `BrokenPipeError`, which ends the program quietly.
 */
import type { Writable } from 'node:stream';
import { BrokenPipeError } from './cli-error.ts';

export class OutputStream {
  readonly #stream: Writable;
  #failure: Error | undefined;
  #wake: (() => void) | undefined;

  constructor(stream: Writable) {
    this.#stream = stream;
    stream.on('error', this.#onError);
    stream.on('drain', this.#onDrain);
    stream.on('close', this.#onDrain);
  }

  /** Resolves at once while the stream has room, else when it has again. @throws {BrokenPipeError} */
  async write(chunk: string | Buffer): Promise<void> {
    this.#check();
    if (chunk.length === 0) return;
    if (this.#stream.write(chunk)) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      if (this.#failure !== undefined || this.#stream.destroyed) resolve();
    });
    this.#check();
  }

  /** Resolves when all that was written has left the process. @throws {BrokenPipeError} */
  async flush(): Promise<void> {
    this.#check();
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      this.#stream.write('', () => resolve());
    });
    this.#check();
  }

  /** Stops listening; the error listener stays, so that a late failure of the pipe cannot crash the process. */
  release(): void {
    this.#stream.off('drain', this.#onDrain);
    this.#stream.off('close', this.#onDrain);
  }

  readonly #onError = (error: NodeJS.ErrnoException): void => {
    const gone = error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED';
    this.#failure ??= gone ? new BrokenPipeError('standard output was closed', { cause: error }) : error;
    this.#onDrain();
  };

  readonly #onDrain = (): void => {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  };

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#stream.destroyed) throw new BrokenPipeError('standard output was closed');
  }
}
