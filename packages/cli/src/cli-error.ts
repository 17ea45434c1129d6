/**
 * Failures that the command line itself finds: a wrong flag, a missing file, an unhealthy cluster. Failures of the
 * cluster stay `MillraceError`. Each says what was wrong, and what to do.
 */
import { EXIT, type ExitCode } from './exit-code.ts';

export class CliError extends Error {
  override readonly name = 'CliError';
  /** A stable word for scripts, as `ErrorCode` is for the cluster's failures. */
  readonly code: string;
  readonly exitCode: ExitCode;
  /** What a person can do about it; empty if the message says it. */
  readonly help: string;

  constructor(code: string, exitCode: ExitCode, message: string, help = '') {
    super(message);
    this.code = code;
    this.exitCode = exitCode;
    this.help = help;
  }
}

/** The command was called wrongly; nothing was done. */
export function usageError(message: string, help = ''): CliError {
  return new CliError('USAGE', EXIT.usage, message, help);
}

export function notFound(message: string, help = ''): CliError {
  return new CliError('NOT_FOUND', EXIT.notFound, message, help);
}

/** Whoever reads standard output has gone away: not a failure, only a reason to stop. */
export class BrokenPipeError extends Error {
  override readonly name = 'BrokenPipeError';
}

/** The user pressed Ctrl-C, or the process was told to end. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError';
  readonly exitCode: ExitCode;

  constructor(signal: AbortSignal) {
    super('interrupted');
    this.exitCode = signal.reason === 'SIGTERM' ? EXIT.terminated : EXIT.interrupted;
  }
}
