/** `group list`. Also which groups a command means that names none. */

import { printColumns } from '../column-printer.ts';
import type { CommandContext } from '../command-context.ts';
import { parseRegex } from './topic-lifecycle.ts';

export async function listGroups(
  context: CommandContext,
  flags: { readonly state?: string; readonly type?: string; readonly regex?: string },
): Promise<void> {
  const pattern = flags.regex === undefined ? undefined : parseRegex(flags.regex);
  const all = await context.admin().listGroups({
    ...context.callOptions(),
    states: wordsOf(flags.state),
    types: wordsOf(flags.type),
  });
  const groups = pattern ? all.filter(({ groupId }) => pattern.test(groupId)) : all;
  await context.show({
    value: { groups },
    text: (wide) =>
      printColumns(
        [
          { heading: 'GROUP', cell: (group) => group.groupId },
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

/** Those named, each once; every group if none is. */
export async function chosenGroups(
  context: CommandContext,
  groupIds: readonly string[],
): Promise<readonly string[]> {
  if (groupIds.length > 0) return [...new Set(groupIds)];
  const groups = await context.admin().listGroups(context.callOptions());
  return groups.map(({ groupId }) => groupId);
}

function wordsOf(text: string | undefined): string[] {
  return (text ?? '')
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
}
