/** The command line's environment in a real process. The only file here that touches `process`. */
import { constants, homedir } from 'node:os';
import { Millrace, systemClock } from '@millrace/client';
import type { CliEnvironment } from './environment.ts';

/** A shell's exit code for a command that a signal ended is this and the signal's number. */
const INTERRUPTED_EXIT = 128;

/** Listens for SIGINT and SIGTERM from now on: the first one aborts `interrupted`, the second ends the process with 130 or 143. */
export function processEnvironment(version: string): CliEnvironment {
  const interruption = new AbortController();
  const interrupt = (signal: NodeJS.Signals): void => {
    // Not left to the default action: the first process of a container has none.
    if (interruption.signal.aborted) process.exit(INTERRUPTED_EXIT + constants.signals[signal]);
    interruption.abort(signal);
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  // A pipe that closes late, after the last command let go of it, must not end the process with a stack trace.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  return {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    isTerminal: {
      stdin: process.stdin.isTTY === true,
      stdout: process.stdout.isTTY === true,
      stderr: process.stderr.isTTY === true,
    },
    homeDirectory: homeDirectory(),
    version,
    runtime: process.version,
    clock: systemClock,
    interrupted: interruption.signal,
    connect: (options) => new Millrace(options),
  };
}

/** A container's user may have no entry in the user database, which `homedir` does not survive. */
function homeDirectory(): string {
  try {
    return homedir();
  } catch {
    return '/';
  }
}
