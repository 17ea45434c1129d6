/** `group delete` and `group delete-offsets`. */
import type { TopicPartition } from '@millrace/client';
import { MillraceError } from '@millrace/core';
import { notFound, usageError } from '../cli-error.ts';
import { printColumns } from '../column-printer.ts';
import type { CommandContext } from '../command-context.ts';
import { deleteEach } from '../delete-each.ts';
import { liveGroupError } from '../live-group.ts';
import { quotedName } from '../printable.ts';
import { settleEach, throwFailures } from '../settle.ts';
import { parseTopicSelectors } from '../topic-selector.ts';
import { partitionsText } from './group-describe.ts';
import { checkGroupNames } from './group-list.ts';

/** What is refused because of members. */
const LIVE: ReadonlySet<string> = new Set(['NON_EMPTY_GROUP', 'GROUP_SUBSCRIBED_TO_TOPIC']);

export async function deleteGroups(
  context: CommandContext,
  flags: { readonly ifExists?: boolean; readonly yes?: boolean },
  groupIds: readonly string[],
): Promise<void> {
  checkGroupNames(groupIds);
  await context.confirm(
    `Delete ${groupIds.map(quotedName).join(', ')} with what ${groupIds.length === 1 ? 'it has' : 'they have'} committed?`,
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
    throw isLive ? await whoIsThere(context, groupId, error, 'it cannot be deleted') : error;
  }
}

interface DeleteOffsetsFlags {
  readonly topic?: readonly string[];
  readonly allTopics?: boolean;
  readonly yes?: boolean;
}

export async function deleteOffsets(
  context: CommandContext,
  flags: DeleteOffsetsFlags,
  groupId: string,
): Promise<void> {
  checkGroupNames([groupId]);
  const chosen = await chosenOffsets(context, flags, groupId);
  await context.confirm(
    `Forget what group ${quotedName(groupId)} has committed of ${partitionsText(chosen)}?`,
    flags.yes === true,
  );
  // A topic is read by members or it is not: its partitions are refused together.
  const topics = [...new Set(chosen.map(({ topic }) => topic))];
  const { done, failures } = await settleEach(topics, async (topic) => {
    const partitions = chosen.filter((each) => each.topic === topic);
    await deleteOffsetsOf(context, groupId, topic, partitions);
    return partitions;
  });
  const deleted = done.flat();
  if (deleted.length > 0 || failures.length === 0) await showDeleted(context, groupId, deleted);
  throwFailures(failures);
}

/** @throws {CliError} USAGE, NOT_FOUND */
async function chosenOffsets(
  context: CommandContext,
  flags: DeleteOffsetsFlags,
  groupId: string,
): Promise<TopicPartition[]> {
  const selectors = parseTopicSelectors(flags.topic ?? []);
  if (selectors.length > 0 && flags.allTopics)
    throw usageError('--topic and --all-topics exclude each other');
  if (selectors.length === 0 && !flags.allTopics)
    throw usageError('offsets of which topics?', 'Say --topic or --all-topics.');
  const committed = await context.admin().groupOffsets(groupId, undefined, context.callOptions());
  if (flags.allTopics) {
    if (committed.length === 0) throw notFound(`group ${quotedName(groupId)} has committed nothing`);
    return committed.map(({ topic, partition }) => ({ topic, partition }));
  }
  return selectors.flatMap(({ topic, partitions }) => {
    const there = committed.filter((offset) => offset.topic === topic).map(({ partition }) => partition);
    const wanted = partitions ?? there;
    const missing = wanted.filter((partition) => !there.includes(partition));
    if (wanted.length === 0 || missing.length > 0) {
      const what = missing.length > 0 ? ` in partition ${missing.join(', ')}` : '';
      throw notFound(`group ${quotedName(groupId)} has committed nothing of topic ${topic}${what}`);
    }
    return wanted.map((partition) => ({ topic, partition }));
  });
}

/** @throws one failure, of the topic, although each of its partitions has been refused. */
async function deleteOffsetsOf(
  context: CommandContext,
  groupId: string,
  topic: string,
  partitions: readonly TopicPartition[],
): Promise<void> {
  try {
    await context.admin().deleteGroupOffsets(groupId, partitions, context.callOptions());
  } catch (error) {
    const errors: unknown[] = error instanceof AggregateError ? error.errors : [error];
    const refusal = errors.find((each) => each instanceof MillraceError && LIVE.has(each.code));
    if (refusal === undefined) throw error;
    throw await whoIsThere(context, groupId, refusal, `offsets of topic ${topic} cannot be deleted`);
  }
}

async function showDeleted(
  context: CommandContext,
  groupId: string,
  deleted: readonly TopicPartition[],
): Promise<void> {
  await context.show({
    value: { groupId, deleted },
    text: () =>
      printColumns(
        [
          { heading: 'TOPIC', isName: true, cell: (row) => row.topic },
          { heading: 'PARTITION', align: 'right', cell: (row) => row.partition },
          { heading: 'STATUS', cell: () => 'Deleted' },
        ],
        deleted,
      ),
    names: () => deleted.map(({ topic, partition }) => `${topic}:${partition}`),
  });
}

/** Who keeps the group alive; the refusal itself if that cannot be told any more. */
async function whoIsThere(
  context: CommandContext,
  groupId: string,
  refusal: unknown,
  what: string,
): Promise<unknown> {
  const groups = await context
    .admin()
    .describeGroups([groupId], context.callOptions())
    .catch(() => []);
  const [group] = groups;
  return group === undefined || group.members.length === 0 ? refusal : liveGroupError(group, what);
}
