/** `group delete` and `group delete-offsets`. */
import type { TopicPartition } from '@millrace/client';
import { MillraceError } from '@millrace/core';
import { notFound, usageError } from '../cli-error.ts';
import { printColumns } from '../column-printer.ts';
import type { CommandContext } from '../command-context.ts';
import { deleteEach } from '../delete-each.ts';
import { liveGroupError } from '../live-group.ts';
import { parseTopicSelectors } from '../topic-selector.ts';
import { partitionsText } from './group-describe.ts';

export async function deleteGroups(
  context: CommandContext,
  flags: { readonly ifExists?: boolean; readonly yes?: boolean },
  groupIds: readonly string[],
): Promise<void> {
  await context.confirm(
    `Delete ${groupIds.join(', ')} with what ${groupIds.length === 1 ? 'it has' : 'they have'} committed?`,
    flags.yes === true,
  );
  await deleteEach(context, [...new Set(groupIds)], {
    noun: 'group',
    missing: 'GROUP_ID_NOT_FOUND',
    ifExists: flags.ifExists === true,
    remove: (groupId) => deleteGroup(context, groupId),
  });
}

async function deleteGroup(context: CommandContext, groupId: string): Promise<void> {
  try {
    await context.admin().deleteGroups([groupId], context.callOptions());
  } catch (error) {
    const isLive = error instanceof MillraceError && error.code === 'NON_EMPTY_GROUP';
    throw isLive ? await whoIsThere(context, groupId, error) : error;
  }
}

export async function deleteOffsets(
  context: CommandContext,
  flags: { readonly topic?: readonly string[]; readonly yes?: boolean },
  groupId: string,
): Promise<void> {
  const selectors = parseTopicSelectors(flags.topic ?? []);
  if (selectors.length === 0) throw usageError('offsets of which topics?', 'Name them with --topic.');
  const committed = await context.admin().groupOffsets(groupId, undefined, context.callOptions());
  const chosen: TopicPartition[] = [];
  for (const { topic, partitions } of selectors) {
    const there = committed.filter((offset) => offset.topic === topic).map(({ partition }) => partition);
    const wanted = partitions ?? there;
    const missing = wanted.filter((partition) => !there.includes(partition));
    if (wanted.length === 0 || missing.length > 0) {
      const what = missing.length > 0 ? ` in partition ${missing.join(', ')}` : '';
      throw notFound(`group ${groupId} has committed nothing of topic ${topic}${what}`);
    }
    chosen.push(...wanted.map((partition) => ({ topic, partition })));
  }
  await context.confirm(
    `Forget what group ${groupId} has committed of ${partitionsText(chosen)}?`,
    flags.yes === true,
  );
  await context.admin().deleteGroupOffsets(groupId, chosen, context.callOptions());
  await context.show({
    value: { groupId, deleted: chosen },
    text: () =>
      printColumns(
        [
          { heading: 'TOPIC', cell: (row) => row.topic },
          { heading: 'PARTITION', align: 'right', cell: (row) => row.partition },
          { heading: 'STATUS', cell: () => 'Deleted' },
        ],
        chosen,
      ),
    names: () => chosen.map(({ topic, partition }) => `${topic}:${partition}`),
  });
}

/** Who keeps the group alive; the refusal itself if that cannot be told any more. */
async function whoIsThere(context: CommandContext, groupId: string, refusal: unknown): Promise<unknown> {
  const groups = await context
    .admin()
    .describeGroups([groupId], context.callOptions())
    .catch(() => []);
  const [group] = groups;
  return group === undefined || group.members.length === 0
    ? refusal
    : liveGroupError(group, 'it cannot be deleted');
}
