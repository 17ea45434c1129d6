/**
 * The frame around every command: finds the values of its flags, runs it with a context, closes what it opened, and
 * keeps its exit code. Commands of other packages run in the same frame. Never prints an error: `program.ts` does.
 */
import type { Command } from 'commander';
import { InterruptedError } from './cli-error.ts';
import { CommandContext } from './command-context.ts';
import type { CliEnvironment } from './environment.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import { applyEnvironment } from './flag-sources.ts';
import { type GlobalOptions, resolveGlobalOptions } from './global-options.ts';

/** Runs one command. Resolving with an exit code is for outcomes that are not errors, such as "unhealthy"; otherwise it is 0. */
export type CommandRun<Options extends object, Args extends readonly unknown[]> = (
  context: CommandContext,
  options: Options,
  ...args: Args
) => Promise<ExitCode> | Promise<void>;

/** Commands that another package adds: `program.command('server').action(shell.action(…))`. */
export type ProgramExtension = (program: Command, shell: Shell) => void;

export class Shell {
  readonly environment: CliEnvironment;
  #exitCode: ExitCode = EXIT.ok;
  #options: GlobalOptions | undefined;

  constructor(environment: CliEnvironment) {
    this.environment = environment;
  }

  get exitCode(): ExitCode {
    return this.#exitCode;
  }

  /** The flags of the command that ran, once they are known. */
  get options(): GlobalOptions | undefined {
    return this.#options;
  }

  /** A commander action around `run`. Arguments come in the order declared, optional ones as undefined. */
  action<Options extends object = Record<string, never>, Args extends readonly unknown[] = []>(
    run: CommandRun<Options, Args>,
  ): (...received: unknown[]) => Promise<void> {
    return async (...received) => {
      const command = received.at(-1) as Command;
      const args = received.slice(0, -2) as unknown as Args;
      applyEnvironment(command, this.environment.env);
      const resolved = await resolveGlobalOptions(root(command), this.environment);
      this.#options = resolved.options;
      const context = new CommandContext(this.environment, resolved);
      try {
        this.#exitCode = await this.#interruptible(run(context, command.opts<Options>(), ...args));
      } finally {
        await context.close();
      }
    };
  }

  /** A failure that follows from the interruption is the interruption. */
  async #interruptible(running: Promise<ExitCode> | Promise<void>): Promise<ExitCode> {
    try {
      return (await running) ?? EXIT.ok;
    } catch (error) {
      const { interrupted } = this.environment;
      throw interrupted.aborted ? new InterruptedError(interrupted) : error;
    }
  }
}

function root(command: Command): Command {
  let at = command;
  while (at.parent) at = at.parent;
  return at;
}
