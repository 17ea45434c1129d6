/** `millrace profile`: named sets of defaults, one of them current. */
import type { Command } from 'commander';
import { usageError } from '../cli-error.ts';
import { checkProperty } from '../client-properties.ts';
import { type Column, printColumns, printFields } from '../column-printer.ts';
import type { CommandContext } from '../command-context.ts';
import { connectTo } from '../connect-to.ts';
import { parseDurationMs } from '../duration.ts';
import { type EffectiveValue, parseOutput, splitAssignment } from '../global-options.ts';
import {
  type Profile,
  type ProfileFile,
  profileNamed,
  profilePath,
  readProfiles,
  writeProfiles,
} from '../profile-file.ts';
import type { Shell } from '../shell.ts';

export function profileCommand(program: Command, shell: Shell): void {
  const profile = program
    .command('profile')
    .alias('profiles')
    .description('Keep named sets of defaults in ~/.config/millrace/config.yaml.');
  profile
    .command('list')
    .alias('ls')
    .description('List the profiles; the current one has a star.')
    .addHelpText('after', '\nExample:\n  millrace profile list')
    .action(shell.action(list));
  profile
    .command('show [name]')
    .description('Show a profile (the current one), or every value in effect and where it comes from.')
    .option('--effective', 'show what this command line would use, with the source of each value')
    .addHelpText('after', '\nExample:\n  millrace profile show --effective')
    .action(shell.action(show));
  profile
    .command('set <name> <key=value...>')
    .description(
      'Make or change a profile: bootstrap-server, output, timeout, client properties; key= removes.',
    )
    .addHelpText(
      'after',
      '\nExample:\n  millrace profile set prod bootstrap-server=a:9191,b:9191 linger.ms=5',
    )
    .action(shell.action(set));
  profile
    .command('use <name>')
    .description('Make a profile the current one; "-" for none.')
    .addHelpText('after', '\nExample:\n  millrace profile use prod')
    .action(shell.action(use));
  profile
    .command('delete <name>')
    .alias('rm')
    .description('Delete a profile.')
    .option('--yes', 'do not ask')
    .addHelpText('after', '\nExample:\n  millrace profile delete prod --yes')
    .action(shell.action(remove));
}

const LIST_COLUMNS: readonly Column<{ name: string; current: boolean; profile: Profile }>[] = [
  { heading: 'CURRENT', cell: (row) => (row.current ? '*' : '') },
  { heading: 'NAME', cell: (row) => row.name },
  { heading: 'BOOTSTRAP-SERVER', cell: (row) => row.profile['bootstrap-server'] },
];

async function list(context: CommandContext): Promise<void> {
  const file = await load(context);
  const rows = [...file.profiles].map(([name, profile]) => ({
    name,
    current: name === file.current,
    profile,
  }));
  await context.show({
    value: { profiles: rows.map(({ name, current, profile }) => ({ name, current, values: profile })) },
    text: () => printColumns(LIST_COLUMNS, rows),
    names: () => rows.map((row) => row.name),
  });
}

const EFFECTIVE_COLUMNS: readonly Column<EffectiveValue>[] = [
  { heading: 'NAME', cell: (row) => row.name },
  { heading: 'VALUE', cell: (row) => row.value },
  { heading: 'SOURCE', cell: (row) => row.source },
];

async function show(
  context: CommandContext,
  options: { effective?: boolean },
  named: string | undefined,
): Promise<void> {
  if (options.effective) {
    await context.show({
      value: { profile: context.options.profile ?? null, values: context.effective },
      text: () => printColumns(EFFECTIVE_COLUMNS, context.effective),
      names: () => context.effective.map((entry) => `${entry.name}=${entry.value}`),
    });
    return;
  }
  const name = named ?? context.options.profile;
  if (name === undefined)
    throw usageError('no profile is current', 'Name one, or choose it with "millrace profile use NAME".');
  const profile = profileNamed(await load(context), name);
  await context.show({
    value: { name, values: profile },
    text: () => printFields(Object.entries(profile)),
    names: () => [name],
  });
}

async function set(
  context: CommandContext,
  _options: object,
  name: string,
  assignments: readonly string[],
): Promise<void> {
  if (!/^[\w.-]+$/.test(name) || name === '-') {
    throw usageError(
      `${JSON.stringify(name)} is not a profile name`,
      'Use letters, digits, ".", "_" and "-".',
    );
  }
  const file = await load(context);
  const values: Record<string, string> = { ...file.profiles.get(name) };
  for (const assignment of assignments) {
    const [key, value] = splitAssignment(assignment, 'argument');
    await checkProfileValue(context, key, value);
    if (value === '') delete values[key];
    else values[key] = value;
  }
  await save(context, { ...file, profiles: new Map(file.profiles).set(name, values) });
  context.note(`Profile ${name} is saved in ${profilePath(context.environment)}.`);
}

async function use(context: CommandContext, _options: object, name: string): Promise<void> {
  const file = await load(context);
  if (name !== '-') profileNamed(file, name);
  await save(context, { ...file, current: name === '-' ? undefined : name });
  context.note(name === '-' ? 'No profile is current.' : `Profile ${name} is current.`);
}

async function remove(context: CommandContext, options: { yes?: boolean }, name: string): Promise<void> {
  const file = await load(context);
  profileNamed(file, name);
  await context.confirm(`Delete profile ${name}?`, options.yes === true);
  const profiles = new Map(file.profiles);
  profiles.delete(name);
  await save(context, { current: file.current === name ? undefined : file.current, profiles });
  context.note(`Profile ${name} is deleted.`);
}

async function checkProfileValue(context: CommandContext, key: string, value: string): Promise<void> {
  if (value === '') return;
  if (key === 'bootstrap-server') await connectTo(context.environment, { bootstrap: value }).close();
  else if (key === 'output') parseOutput(value);
  else if (key === 'timeout') parseDurationMs(value, key);
  else checkProperty(key, value);
}

function load(context: CommandContext): Promise<ProfileFile> {
  return readProfiles(profilePath(context.environment));
}

function save(context: CommandContext, file: ProfileFile): Promise<void> {
  return writeProfiles(profilePath(context.environment), file);
}
