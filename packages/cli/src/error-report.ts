/**
 * How failures look: what was wrong, where, and what to do; one JSON object with `-o json`. Goes to standard error
 * only. Never decides what a failure means: `exit-code.ts` does.
 */
import { InvariantError, MillraceError } from '@millrace/core';
import { CommanderError } from 'commander';
import { createColors } from 'picocolors';
import { CliError, InterruptedError } from './cli-error.ts';
import { EXIT, exitCodeOf } from './exit-code.ts';
import { toJson } from './plain-value.ts';
import { printableLines, readableSentence } from './printable.ts';

export interface ErrorReport {
  readonly code: string;
  readonly exitCode: number;
  readonly message: string;
  readonly help: string;
  readonly retriable: boolean;
  /** The failure as thrown, for `-v`. */
  readonly cause: unknown;
}

export function reportOf(error: unknown, where: { readonly bootstrapServer?: string } = {}): ErrorReport {
  const base = { retriable: false, help: '', cause: error };
  if (error instanceof CliError) {
    return { ...base, code: error.code, exitCode: error.exitCode, message: error.message, help: error.help };
  }
  if (error instanceof InterruptedError) {
    return { ...base, code: 'INTERRUPTED', exitCode: error.exitCode, message: error.message };
  }
  if (error instanceof CommanderError) {
    // Commander writes its suggestion on a line of its own, in brackets.
    const [message = '', hint] = error.message.replace(/^error: /, '').split('\n');
    const help = hint?.replace(/^\((.*)\)$/, '$1') ?? '--help shows how it is used.';
    return { ...base, code: 'USAGE', exitCode: EXIT.usage, message, help };
  }
  if (error instanceof MillraceError) {
    const { code, message, help, retriable } = error;
    const exitCode = exitCodeOf(code);
    const { bootstrapServer = '' } = where;
    // Where it was tried, unless the message says so already.
    const needsAddress =
      exitCode === EXIT.unreachable && bootstrapServer !== '' && !message.includes(bootstrapServer);
    const address = needsAddress ? ` [${bootstrapServer}]` : '';
    return {
      code,
      exitCode,
      message: `${message}${address}`,
      help: isToldIn(message, help) ? '' : help,
      retriable,
      cause: error,
    };
  }
  const message = error instanceof Error ? error.message : String(error);
  const system = (error as NodeJS.ErrnoException | undefined)?.code;
  if (typeof system === 'string' && !(error instanceof InvariantError)) {
    const exitCode = system === 'ENOENT' ? EXIT.notFound : EXIT.failed;
    return { ...base, code: system, exitCode, message: systemMessage(error as NodeJS.ErrnoException) };
  }
  return {
    ...base,
    code: 'INTERNAL',
    exitCode: EXIT.failed,
    message,
    help: 'This is a fault of the millrace command itself; -v prints where it happened.',
  };
}

/** Servers without more to say send the help itself, and clients put before it what it is about. */
function isToldIn(message: string, help: string): boolean {
  return message.toLowerCase().endsWith(help.toLowerCase());
}

/** `no such file or directory: /etc/nope` instead of the system call's own words; they stay where no path is known. */
function systemMessage({ code, message, path }: NodeJS.ErrnoException): string {
  const reason = new RegExp(`^${code}: ([^,]+)`).exec(message)?.[1];
  return path === undefined || reason === undefined ? message : `${code}: ${reason}: ${path}`;
}

export function printReport(
  report: ErrorReport,
  options: { readonly format: 'text' | 'json'; readonly colour: boolean; readonly verbose: boolean },
): string {
  if (options.format === 'json') {
    const { code, exitCode, message, help, retriable, cause } = report;
    const facts = { code, exitCode, message, help, retriable };
    return `${toJson({ error: options.verbose ? { ...facts, stack: stackOf(cause) } : facts })}\n`;
  }
  const colours = createColors(options.colour);
  // The system's own messages begin with their code.
  const named = report.code === 'USAGE' || report.message.startsWith(report.code) ? '' : `${report.code}: `;
  const lines = [`${colours.red('error:')} ${named}${readableSentence(report.message)}`];
  if (report.help !== '') lines.push(`  ${readableSentence(report.help)}`);
  if (options.verbose) lines.push(printableLines(stackOf(report.cause)));
  return `${lines.join('\n')}\n`;
}

function stackOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const cause = thrown.cause === undefined ? '' : `\ncaused by ${stackOf(thrown.cause)}`;
  return `${thrown.stack ?? thrown.message}${cause}`;
}
