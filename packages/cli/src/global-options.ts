/**
 * The flags every command has, and how their values are found: flag, then environment, then profile, then default.
 * This table is the only place they exist.
 */
import { type Command, Option } from 'commander';
import { usageError } from './cli-error.ts';
import { parseDurationMs } from './duration.ts';
import type { CliEnvironment } from './environment.ts';
import { RepeatableOption } from './flag-sources.ts';
import { PROFILE_FLAGS, type Profile, profileNamed, profilePath, readProfiles } from './profile-file.ts';

export const OUTPUT_FORMATS = ['table', 'wide', 'json', 'yaml', 'name'] as const;
export type OutputFormat = (typeof OUTPUT_FORMATS)[number];

export interface GlobalOptions {
  readonly bootstrapServer: string;
  readonly output: OutputFormat;
  readonly timeoutMs: number;
  /** The profile in use, if any. */
  readonly profile: string | undefined;
  /** Client properties from the profile and `-X`, as written. */
  readonly properties: Readonly<Record<string, string>>;
  readonly quiet: boolean;
  readonly verbose: boolean;
}

/** A value with the place it came from, for `profile show --effective`. */
export interface EffectiveValue {
  readonly name: string;
  readonly value: string;
  readonly source: string;
}

const DEFAULTS: Readonly<Record<(typeof PROFILE_FLAGS)[number], string>> = {
  'bootstrap-server': 'localhost:9191',
  output: 'table',
  timeout: '10s',
};

export function addGlobalOptions(program: Command): void {
  program
    .addOption(
      new Option(
        '--bootstrap-server <host:port,...>',
        `nodes to ask first (default: ${DEFAULTS['bootstrap-server']})`,
      ),
    )
    .addOption(
      new Option('-o, --output <format>', `${OUTPUT_FORMATS.join('|')} (default: ${DEFAULTS.output})`),
    )
    .addOption(
      new Option('--timeout <duration>', `longest wait for the cluster (default: ${DEFAULTS.timeout})`),
    )
    .addOption(new Option('--profile <name>', 'profile to take defaults from'))
    .addOption(new RepeatableOption('-X, --property <key=value>', 'client property, such as linger.ms=5'))
    .addOption(new Option('-q, --quiet', 'say nothing on stderr but errors'))
    .addOption(new Option('-v, --verbose', 'say more on stderr'));
}

/** Resolves the flags of `program` after parsing. @throws {CliError} USAGE, NOT_FOUND, PROFILE_FILE */
export async function resolveGlobalOptions(
  program: Command,
  environment: CliEnvironment,
): Promise<{ options: GlobalOptions; effective: readonly EffectiveValue[] }> {
  const given = program.opts<Record<string, unknown>>();
  const file = await readProfiles(profilePath(environment));
  const profileName = (given.profile as string | undefined) ?? file.current;
  const profile: Profile = profileName === undefined ? {} : profileNamed(file, profileName);
  const effective: EffectiveValue[] = PROFILE_FLAGS.map((name) => {
    const option = program.options.find((candidate) => candidate.name() === name)!;
    const value = given[option.attributeName()];
    if (value !== undefined) {
      const source = program.getOptionValueSource(option.attributeName()) === 'env' ? 'env' : 'flag';
      return { name, value: String(value), source };
    }
    const stored = profile[name];
    if (stored !== undefined) return { name, value: stored, source: `profile ${profileName}` };
    return { name, value: DEFAULTS[name], source: 'default' };
  });
  const effectiveValue = (name: string): string => effective.find((entry) => entry.name === name)!.value;

  const properties: Record<string, string> = {};
  for (const [name, value] of Object.entries(profile)) {
    if ((PROFILE_FLAGS as readonly string[]).includes(name)) continue;
    properties[name] = value;
    effective.push({ name, value, source: `profile ${profileName}` });
  }
  for (const text of (given.property as readonly string[] | undefined) ?? []) {
    const [name, value] = splitAssignment(text, '-X');
    properties[name] = value;
    effective.push({
      name,
      value,
      source: program.getOptionValueSource('property') === 'env' ? 'env' : 'flag',
    });
  }
  return {
    options: {
      bootstrapServer: effectiveValue('bootstrap-server'),
      output: parseOutput(effectiveValue('output')),
      timeoutMs: parseDurationMs(effectiveValue('timeout'), '--timeout'),
      profile: profileName,
      properties,
      quiet: given.quiet === true,
      verbose: given.verbose === true,
    },
    effective,
  };
}

/** `key=value` as a pair; the value may hold more equals signs. @throws {CliError} USAGE */
export function splitAssignment(text: string, flag: string): [name: string, value: string] {
  const at = text.indexOf('=');
  if (at < 1) throw usageError(`${flag} ${JSON.stringify(text)} is not key=value`);
  return [text.slice(0, at).trim(), text.slice(at + 1)];
}

export function parseOutput(text: string): OutputFormat {
  const format = OUTPUT_FORMATS.find((candidate) => candidate === text);
  if (format !== undefined) return format;
  throw usageError(
    `no output format is called ${JSON.stringify(text)}`,
    `-o takes ${OUTPUT_FORMATS.join(', ')}. Where consuming starts is --offset, not -o.`,
  );
}

/**
 * The format errors should have, even if parsing the command line failed: what the words after `-o` say, else the
 * environment. Never throws.
 */
export function errorFormat(argv: readonly string[], environment: CliEnvironment): 'text' | 'json' {
  let output = environment.env.MILLRACE_OUTPUT;
  argv.forEach((word, index) => {
    if (word === '-o' || word === '--output') output = argv[index + 1];
    else if (word.startsWith('--output=')) output = word.slice('--output='.length);
    else if (/^-o\w/.test(word)) output = word.slice(2);
  });
  return output === 'json' ? 'json' : 'text';
}
