/** `millrace config` and `millrace topic config`: read, set and unset configuration of topics, brokers, the cluster. */
import type { ConfigEntry, ConfigResource, ResourceConfigs } from '@millrace/client';
import { MillraceError } from '@millrace/core';
import type { Command } from 'commander';
import { CliError, notFound, usageError } from '../cli-error.ts';
import { closest } from '../closest-name.ts';
import { printColumns } from '../column-printer.ts';
import type { CommandContext } from '../command-context.ts';
import { EXIT } from '../exit-code.ts';
import { splitAssignment } from '../global-options.ts';
import type { Shell } from '../shell.ts';

export function configCommand(program: Command, shell: Shell): void {
  const config = program
    .command('config')
    .alias('configs')
    .description(
      'Read and change configuration: topic/NAME, broker/ID, or cluster (the default of every broker).',
    );
  addConfigVerbs(config, shell, '<resource>', 'broker/1', parseResource);
}

/** `get`, `set` and `unset` beneath `parent`, whose first argument says which resource is meant. */
export function addConfigVerbs(
  parent: Command,
  shell: Shell,
  argument: string,
  example: string,
  resourceOf: (text: string) => ConfigResource,
): void {
  const path =
    parent.parent?.name() === 'millrace' ? parent.name() : `${parent.parent?.name()} ${parent.name()}`;
  parent
    .command(`get ${argument} [key...]`)
    .description(
      'Show values and where they come from; only those that are not defaults, unless keys are named.',
    )
    .option('--all', 'with defaults')
    .addHelpText('after', `\nExample:\n  millrace ${path} get ${example} --all`)
    .action(
      shell.action<{ all?: boolean }, [string, string[]]>((context, flags, resource, keys) =>
        getConfigs(context, resourceOf(resource), keys, flags.all === true),
      ),
    );
  parent
    .command(`set ${argument} <key=value...>`)
    .description('Set values; they hold at once.')
    .option('--dry-run', 'check everything and change nothing')
    .addHelpText('after', `\nExample:\n  millrace ${path} set ${example} retention.ms=3600000`)
    .action(
      shell.action<{ dryRun?: boolean }, [string, string[]]>((context, flags, resource, assignments) => {
        const changes = assignments.map((text) => splitAssignment(text, 'argument'));
        return changeConfigs(context, resourceOf(resource), changes, flags.dryRun === true);
      }),
    );
  parent
    .command(`unset ${argument} <key...>`)
    .description('Return values to their defaults.')
    .option('--dry-run', 'check everything and change nothing')
    .addHelpText('after', `\nExample:\n  millrace ${path} unset ${example} retention.ms`)
    .action(
      shell.action<{ dryRun?: boolean }, [string, string[]]>((context, flags, resource, keys) => {
        const changes = keys.map((key): [string, null] => [key, null]);
        return changeConfigs(context, resourceOf(resource), changes, flags.dryRun === true);
      }),
    );
}

async function getConfigs(
  context: CommandContext,
  resource: ConfigResource,
  keys: readonly string[],
  all: boolean,
): Promise<void> {
  const [found] = await context.admin().describeConfigs([resource], context.callOptions());
  const entries = chosenEntries(context, found!, keys, all);
  await context.show({
    value: { resource, configs: entries },
    text: (wide) =>
      printColumns(
        [
          { heading: 'KEY', cell: (entry) => entry.name },
          { heading: 'VALUE', cell: (entry) => entry.value },
          { heading: 'SOURCE', cell: (entry) => entry.source },
          { heading: 'TYPE', wide: true, cell: (entry) => entry.type },
          { heading: 'READ-ONLY', wide: true, cell: (entry) => entry.readOnly },
          { heading: 'DESCRIPTION', wide: true, cell: (entry) => entry.documentation },
        ],
        entries,
        { wide },
      ),
    names: () => entries.map((entry) => entry.name),
  });
}

function chosenEntries(
  context: CommandContext,
  { resource, entries }: ResourceConfigs,
  keys: readonly string[],
  all: boolean,
): readonly ConfigEntry[] {
  if (keys.length === 0) return all ? entries : entries.filter((entry) => entry.source !== 'default');
  return keys.map((key) => {
    const entry = entries.find((candidate) => candidate.name === key);
    if (entry) return entry;
    if (isOfTheFile(context, resource, key)) throw notFound(`${key} ${OF_THE_FILE}`, FILE_HELP);
    const near = closest(
      key,
      entries.map(({ name }) => name),
    );
    throw notFound(
      `no configuration key is called ${JSON.stringify(key)}`,
      near === undefined ? 'get --all shows every key.' : `Did you mean ${near}?`,
    );
  });
}

/** A key that nodes take from their file only: brokers know nothing of it that could be asked or changed. */
function isOfTheFile({ environment }: CommandContext, { kind }: ConfigResource, key: string): boolean {
  return kind !== 'topic' && environment.isNodeKey?.(key) === true;
}

const OF_THE_FILE = "is a key of a node's configuration file; it is neither read nor changed at run time";
const FILE_HELP = 'What is in the file of a node when it starts holds until it is started again.';

async function changeConfigs(
  context: CommandContext,
  resource: ConfigResource,
  changes: readonly (readonly [key: string, value: string | null])[],
  dryRun: boolean,
): Promise<void> {
  try {
    await context.admin().alterConfigs(
      changes.map(([name, value]) => ({ resource, name, value })),
      { ...context.callOptions(), validateOnly: dryRun },
    );
  } catch (error) {
    const unknown = changes.find(([key]) => isOfTheFile(context, resource, key) && isUnknown(error, key));
    throw unknown === undefined
      ? error
      : new CliError('INVALID_CONFIG', EXIT.failed, `${unknown[0]} ${OF_THE_FILE}`, FILE_HELP);
  }
  const label = resource.kind === 'cluster' ? 'cluster' : `${resource.kind}/${resource.name}`;
  await context.show({
    value: {
      resource,
      changes: changes.map(([name, value]) => ({ name, value })),
      validatedOnly: dryRun,
    },
    text: () =>
      changes
        .map(([key, value]) => {
          const what = value === null ? `${key} is back to its default` : `${key}=${value}`;
          return `${label}: ${what}${dryRun ? ' (checked only)' : ''}\n`;
        })
        .join(''),
    names: () => [label],
  });
}

function isUnknown(error: unknown, key: string): boolean {
  return (
    error instanceof MillraceError && error.message.includes(`unknown`) && error.message.includes(`"${key}"`)
  );
}

function parseResource(text: string): ConfigResource {
  if (text === 'cluster') return { kind: 'cluster', name: '' };
  const match = /^(topic|broker)\/(.+)$/.exec(text);
  const [, kind, name] = match ?? [];
  if (kind === 'topic' && name !== undefined) return { kind: 'topic', name };
  if (kind === 'broker' && name !== undefined && /^\d+$/.test(name)) return { kind: 'broker', name };
  throw usageError(
    `${JSON.stringify(text)} is not a resource`,
    'Write topic/NAME, broker/ID (a number), or cluster.',
  );
}
