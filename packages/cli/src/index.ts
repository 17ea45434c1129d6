/** The admin command line, as a program that runs in any environment. */

export { CliError, notFound, usageError } from './cli-error.ts';
export type {
  AdminClient,
  ClusterClient,
  Connect,
  ConsumerClient,
  ProducerClient,
} from './cluster-client.ts';
export { type Column, printColumns, printFields } from './column-printer.ts';
export { type Answer, CommandContext } from './command-context.ts';
export { parseDurationMs } from './duration.ts';
export type { CliEnvironment } from './environment.ts';
export { EXIT, type ExitCode, exitCodeOf } from './exit-code.ts';
export { RepeatableOption } from './flag-sources.ts';
export { type GlobalOptions, OUTPUT_FORMATS, type OutputFormat } from './global-options.ts';
export { processEnvironment } from './process-environment.ts';
export { buildProgram, runProgram } from './program.ts';
export { type CommandRun, type ProgramExtension, Shell } from './shell.ts';
