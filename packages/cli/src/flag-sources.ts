/**
 * Where a flag's value comes from when the command line does not give it: `MILLRACE_*`. Global flags read
 * `MILLRACE_OUTPUT`; a command's own read `MILLRACE_TOPIC_CREATE_PARTITIONS`, so that a variable meant for one command
 * never changes another.
 */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { usageError } from './cli-error.ts';

/** A flag that may be given several times; in the environment, values are separated by commas or line breaks. */
export class RepeatableOption extends Option {
  constructor(flags: string, description: string) {
    super(flags, description);
    this.argParser<readonly string[]>((value, previous) => [...(previous ?? []), value]);
  }
}

/** The names from the program down to `command`, the program itself left out. */
function commandPath(command: Command): string[] {
  const names: string[] = [];
  for (let at: Command | null = command; at?.parent; at = at.parent) names.unshift(at.name());
  return names;
}

function environmentVariable(command: Command, option: Option): string {
  return ['millrace', ...commandPath(command), option.name().replace(/^no-/, '')]
    .join('_')
    .replaceAll('-', '_')
    .toUpperCase();
}

/** Fills what the command line left out, in `command` and every command above it. @throws {CliError} USAGE */
export function applyEnvironment(command: Command, env: Readonly<Record<string, string | undefined>>): void {
  for (let at: Command | null = command; at !== null; at = at.parent) {
    for (const option of at.options) {
      const name = environmentVariable(at, option);
      const text = env[name];
      const source = at.getOptionValueSource(option.attributeName());
      if (text === undefined || text === '' || (source !== undefined && source !== 'default')) continue;
      at.setOptionValueWithSource(option.attributeName(), parseText(option, text, name), 'env');
    }
  }
}

function parseText(option: Option, text: string, name: string): unknown {
  if (option.isBoolean() || option.negate) {
    if (text === 'true' || text === '1') return true;
    if (text === 'false' || text === '0') return false;
    throw usageError(`${name}=${text} must be true or false`);
  }
  const parts = option instanceof RepeatableOption ? text.split(text.includes('\n') ? '\n' : ',') : [text];
  try {
    return parts.reduce<unknown>(
      (previous, part) => (option.parseArg ? option.parseArg(part, previous) : part),
      undefined,
    );
  } catch (error) {
    if (error instanceof InvalidArgumentError) throw usageError(`${name}=${text}: ${error.message}`);
    throw error;
  }
}
