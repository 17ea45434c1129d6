/** Runs the commands that this package adds, in this process: texts in, texts and exit code out. */
import { Readable, Writable } from 'node:stream';
import { type CliEnvironment, type ProgramExtension, runProgram } from '@millrace/cli';
import { systemClock } from '@millrace/client';

export interface CommandRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandRunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly interrupted?: AbortSignal;
  /** Hears all that is written to standard error, as it is written. */
  readonly onStderr?: (text: string) => void;
}

export async function runCommand(
  extensions: readonly ProgramExtension[],
  argv: readonly string[],
  options: CommandRunOptions = {},
): Promise<CommandRun> {
  const stdout = new TextSink();
  const stderr = new TextSink(options.onStderr);
  const environment: CliEnvironment = {
    stdin: Readable.from([]),
    stdout,
    stderr,
    env: options.env ?? {},
    isTerminal: { stdin: false, stdout: false, stderr: false },
    homeDirectory: '/nowhere',
    version: '9.9.9',
    runtime: process.version,
    clock: systemClock,
    interrupted: options.interrupted ?? new AbortController().signal,
    connect: () => {
      throw new Error('these commands need no cluster');
    },
  };
  const code = await runProgram(argv, environment, extensions);
  return { code, stdout: stdout.text, stderr: stderr.text };
}

class TextSink extends Writable {
  text = '';
  readonly #onText: ((text: string) => void) | undefined;

  constructor(onText?: (text: string) => void) {
    super();
    this.#onText = onText;
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    this.#onText?.(this.text);
    done();
  }
}
