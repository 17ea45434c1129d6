/**
 * The `millrace` program: its commands, put together, and the one place where failures become messages and exit
 * codes. Never ends the process; whoever owns the process does, with the code it gets.
 */
import { Command, CommanderError } from 'commander';
import { BrokenPipeError, InterruptedError } from './cli-error.ts';
import { brokerCommand } from './commands/broker.ts';
import { clusterCommand } from './commands/cluster.ts';
import { completionCommand } from './commands/completion.ts';
import { configCommand } from './commands/config.ts';
import { consumeCommand } from './commands/consume.ts';
import { debugCommand } from './commands/debug.ts';
import { groupCommand } from './commands/group.ts';
import { healthCommand } from './commands/health.ts';
import { helpCommand } from './commands/help.ts';
import { partitionCommand } from './commands/partition.ts';
import { produceCommand } from './commands/produce.ts';
import { profileCommand } from './commands/profile.ts';
import { quorumCommand } from './commands/quorum.ts';
import { topicCommand } from './commands/topic.ts';
import { versionCommand } from './commands/version.ts';
import type { CliEnvironment } from './environment.ts';
import { printReport, reportOf } from './error-report.ts';
import { EXIT } from './exit-code.ts';
import { addGlobalOptions, errorFormat } from './global-options.ts';
import { type ProgramExtension, Shell } from './shell.ts';
import { verbHint } from './verb-hint.ts';

const COMMANDS: readonly ProgramExtension[] = [
  topicCommand,
  produceCommand,
  consumeCommand,
  groupCommand,
  clusterCommand,
  brokerCommand,
  quorumCommand,
  partitionCommand,
  configCommand,
  debugCommand,
  profileCommand,
  healthCommand,
  completionCommand,
  versionCommand,
];

/** The program with all its commands, those of `extensions` last. Parsing it runs them. */
export function buildProgram(
  environment: CliEnvironment,
  extensions: readonly ProgramExtension[] = [],
  shell: Shell = new Shell(environment),
): Command {
  const program = new Command('millrace')
    .description('Millrace: a replicated commit log. Administers a cluster, produces and consumes records.')
    .version(environment.version, '-V, --version', 'print the version')
    .exitOverride()
    .showSuggestionAfterError()
    .configureOutput({
      writeOut: (text) => environment.stdout.write(text),
      writeErr: (text) => environment.stderr.write(text),
      // Reported once, by runProgram, in the format that was asked for.
      outputError: () => {},
    })
    .configureHelp({ showGlobalOptions: true, sortSubcommands: false })
    .addHelpText('after', HELP_FOOTER);
  addGlobalOptions(program);
  for (const add of [...COMMANDS, ...extensions, helpCommand]) add(program, shell);
  return program;
}

/**
 * Runs the command line `argv` (without node and script).
 *
 * @returns the exit code: 0 ok, 1 failed, 2 usage, 3 cannot connect or timeout, 4 not found, 5 exists or conflict,
 * 6 unauthorised, 7 unhealthy, 130 interrupted, 143 terminated. Never throws.
 */
export async function runProgram(
  argv: readonly string[],
  environment: CliEnvironment,
  extensions: readonly ProgramExtension[] = [],
): Promise<number> {
  const shell = new Shell(environment);
  const program = buildProgram(environment, extensions, shell);
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return shell.exitCode;
  } catch (error) {
    if (error instanceof BrokenPipeError) return EXIT.ok;
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return EXIT.ok;
      // A group without a verb has printed its help already.
      if (error.code === 'commander.help') return EXIT.usage;
    }
    // Whoever pressed Ctrl-C knows.
    if (error instanceof InterruptedError) return error.exitCode;
    const style = {
      format: shell.options === undefined ? errorFormat(argv, environment) : formatOf(shell.options.output),
      colour: environment.isTerminal.stderr && !environment.env.NO_COLOR,
      verbose: shell.options?.verbose ?? false,
    };
    const hint = error instanceof CommanderError ? verbHint(program, argv, error) : undefined;
    const reports = failuresOf(error).map((failure) => {
      const report = reportOf(failure, shell.options ?? {});
      return hint === undefined ? report : { ...report, help: hint };
    });
    reports.forEach((report, i) => {
      // What helps against several failures alike is said after the last of them.
      const isSaidLater = style.format === 'text' && reports[i + 1]?.help === report.help;
      environment.stderr.write(printReport(isSaidLater ? { ...report, help: '' } : report, style));
    });
    return reports[0]!.exitCode;
  }
}

function formatOf(output: string): 'text' | 'json' {
  return output === 'json' ? 'json' : 'text';
}

/** Commands that act on several items throw all failures at once; each is reported. */
function failuresOf(error: unknown): readonly unknown[] {
  return error instanceof AggregateError && error.errors.length > 0 ? error.errors : [error];
}

const HELP_FOOTER = `
Flags are found in this order: command line, variable, profile, default. Every flag has a variable: --timeout is
MILLRACE_TIMEOUT, and topic create --partitions is MILLRACE_TOPIC_CREATE_PARTITIONS.
Data goes to standard output, everything else to standard error.
Exit codes: 0 ok, 1 failed, 2 usage, 3 cannot connect or timeout, 4 not found, 5 exists or conflict,
6 unauthorised, 7 unhealthy, 130 interrupted.

Example:
  millrace topic create orders -p 6 -r 3
  seq 1000 | millrace produce orders
  millrace consume orders --from-beginning --exit-at-end`;
