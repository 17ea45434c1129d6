/** `group list`. Also which groups a command means that names none. */
import type { GroupState, GroupType } from '@millrace/client';
import { usageError } from '../cli-error.ts';
import { printColumns } from '../column-printer.ts';
import type { CommandContext } from '../command-context.ts';
import { parseRegex } from './topic-lifecycle.ts';

const GROUP_STATES = [
  'Empty',
  'PreparingRebalance',
  'CompletingRebalance',
  'Assigning',
  'Reconciling',
  'Stable',
  'Dead',
] as const satisfies readonly GroupState[];

const GROUP_TYPES = ['classic', 'consumer'] as const satisfies readonly GroupType[];

export async function listGroups(
  context: CommandContext,
  flags: { readonly state?: string; readonly type?: string; readonly regex?: string },
): Promise<void> {
  const pattern = flags.regex === undefined ? undefined : parseRegex(flags.regex);
  const all = await context.admin().listGroups({
    ...context.callOptions(),
    states: chosenWords('--state', flags.state, GROUP_STATES),
    types: chosenWords('--type', flags.type, GROUP_TYPES),
  });
  const groups = pattern ? all.filter(({ groupId }) => pattern.test(groupId)) : all;
  await context.show({
    value: { groups },
    text: (wide) =>
      printColumns(
        [
          { heading: 'GROUP', isName: true, cell: (group) => group.groupId },
          { heading: 'TYPE', cell: (group) => group.type },
          { heading: 'PROTOCOL', wide: true, cell: (group) => group.protocolType },
          { heading: 'STATE', cell: (group) => group.state },
        ],
        groups,
        { wide },
      ),
    names: () => groups.map(({ groupId }) => groupId),
  });
}

/** @throws {CliError} USAGE for an empty name: it is a variable that was not set rather than a group. */
export function checkGroupNames(groupIds: readonly string[]): void {
  if (groupIds.includes(''))
    throw usageError('the name of a group is empty', '"group list" shows which there are.');
}

/** Those named, each once; every group if none is. @throws {CliError} USAGE */
export async function chosenGroups(
  context: CommandContext,
  groupIds: readonly string[],
): Promise<readonly string[]> {
  checkGroupNames(groupIds);
  if (groupIds.length > 0) return [...new Set(groupIds)];
  const groups = await context.admin().listGroups(context.callOptions());
  return groups.map(({ groupId }) => groupId);
}

/** Some of `allowed`, however they are written. @throws {CliError} USAGE */
function chosenWords<const W extends string>(
  flag: string,
  text: string | undefined,
  allowed: readonly W[],
): readonly W[] {
  if (text === undefined) return [];
  return text.split(',').map((word) => {
    const wanted = word.trim();
    const found = allowed.find((each) => each.toLowerCase() === wanted.toLowerCase());
    if (found !== undefined) return found;
    throw usageError(`${flag} does not know ${JSON.stringify(wanted)}`, `It knows ${allowed.join(', ')}.`);
  });
}
