/** Runs the program in a test: texts in, texts and exit code out. Time moves only if the test moves it. */
import { Readable, Writable } from 'node:stream';
import { ManualClock } from '@millrace/core';
import type { Connect } from '../cluster-client.ts';
import type { CliEnvironment } from '../environment.ts';
import { runProgram } from '../program.ts';
import type { ProgramExtension } from '../shell.ts';
import { FakeCluster } from './fake-cluster.ts';

export interface CliRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliTestOptions {
  readonly cluster?: FakeCluster;
  readonly connect?: Connect;
  readonly stdin?: string | Readable;
  readonly env?: Readonly<Record<string, string>>;
  readonly terminal?: boolean;
  readonly homeDirectory?: string;
  readonly clock?: ManualClock;
  readonly interrupted?: AbortSignal;
  readonly stdout?: Writable;
  readonly isNodeKey?: (key: string) => boolean;
  readonly extensions?: readonly ProgramExtension[];
}

export async function runCli(argv: readonly string[], options: CliTestOptions = {}): Promise<CliRun> {
  const stdout = new TextSink();
  const stderr = new TextSink();
  const environment = testEnvironment(options, stdout, stderr);
  const code = await runProgram(argv, environment, options.extensions);
  return { code, stdout: stdout.text(), stderr: stderr.text() };
}

export function testEnvironment(
  options: CliTestOptions = {},
  stdout: Writable = new TextSink(),
  stderr: Writable = new TextSink(),
): CliEnvironment {
  const terminal = options.terminal ?? false;
  const { stdin = '' } = options;
  return {
    stdin: typeof stdin === 'string' ? Readable.from([Buffer.from(stdin)]) : stdin,
    stdout: options.stdout ?? stdout,
    stderr,
    env: options.env ?? {},
    isTerminal: { stdin: terminal, stdout: terminal, stderr: terminal },
    homeDirectory: options.homeDirectory ?? '/nowhere',
    version: '9.9.9',
    runtime: 'v20.0.0',
    clock: options.clock ?? new ManualClock(),
    interrupted: options.interrupted ?? new AbortController().signal,
    ...(options.isNodeKey && { isNodeKey: options.isNodeKey }),
    connect: options.connect ?? (options.cluster ?? new FakeCluster()).connect,
  };
}

class TextSink extends Writable {
  readonly #chunks: Buffer[] = [];

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#chunks.push(chunk);
    done();
  }

  text(): string {
    return Buffer.concat(this.#chunks).toString();
  }
}
