/** A program run as a user runs it: its lines as they come, its end. */
import { type ChildProcess, spawn } from 'node:child_process';
import { Readable } from 'node:stream';
import { expectSoon } from './scenario.ts';

const OUTPUT_LIMIT_MS = 60_000;

export class ChildRun implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | null>;
  #output = '';
  #complaints = '';

  constructor(
    command: string,
    args: readonly string[],
    input: string | AsyncIterable<string> = '',
    env: NodeJS.ProcessEnv = process.env,
  ) {
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], env });
    this.#child = child;
    this.#ended = new Promise((resolve) => child.once('close', resolve));
    child.on('error', (error) => {
      this.#complaints += String(error);
    });
    child.stdin.on('error', () => {});
    if (typeof input === 'string') child.stdin.end(input);
    else Readable.from(input).pipe(child.stdin);
    child.stdout.on('data', (chunk: Buffer) => {
      this.#output += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      this.#complaints += chunk.toString();
    });
  }

  /** What it has printed, whole lines only. */
  get lines(): string[] {
    return this.#output.split('\n').slice(0, -1);
  }

  /** What it has said on its other channel. */
  get complaints(): string {
    return this.#complaints;
  }

  /** What it has printed once it ended well. */
  async output(): Promise<string> {
    const code = await this.#ended;
    if (code !== 0) throw new Error(`it ended with ${code}:\n${this.#output}\n${this.#complaints}`);
    return this.#output;
  }

  /** Waits for lines that are right. */
  async until(isRight: (lines: readonly string[]) => boolean): Promise<readonly string[]> {
    try {
      return await expectSoon(async () => this.lines, isRight, OUTPUT_LIMIT_MS);
    } catch (error) {
      throw new Error(`${String(error)}\n${this.#complaints}`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.pid === undefined) return;
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill('SIGKILL');
    await this.#ended;
  }
}
