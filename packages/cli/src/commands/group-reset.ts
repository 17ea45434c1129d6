/** `group reset`: where the offsets of a group would go, and with `--execute` there they are. */
import { readFile } from 'node:fs/promises';
import type { GroupInfo, TopicPartition } from '@millrace/client';
import { MillraceError } from '@millrace/core';
import { CliError, notFound, usageError } from '../cli-error.ts';
import type { AdminClient } from '../cluster-client.ts';
import { printColumns } from '../column-printer.ts';
import type { CommandContext } from '../command-context.ts';
import { EXIT } from '../exit-code.ts';
import { liveGroupError } from '../live-group.ts';
import { type PartitionOffset, parseOffsetCsv, toOffsetCsv } from '../offset-csv.ts';
import { type ResetFlags, type ResetTarget, resetTarget } from '../offset-reset.ts';
import { quotedName } from '../printable.ts';
import { parseTopicSelectors } from '../topic-selector.ts';
import { checkGroupNames } from './group-list.ts';
import { chosenPartitions } from './topic-offsets.ts';

export async function resetOffsets(
  context: CommandContext,
  flags: ResetFlags,
  groupId: string,
): Promise<void> {
  checkGroupNames([groupId]);
  const target = resetTarget(flags, context.environment.clock.wallMs());
  const selectors = parseTopicSelectors(flags.topic ?? []);
  const listed = target.kind === 'file' ? await readOffsets(target.path, groupId) : undefined;
  const group = await groupWithoutMembers(context, groupId);
  const partitions: TopicPartition[] = [];
  if (flags.allTopics) partitions.push(...(await committedPartitions(context, groupId)));
  for (const { topic, partitions: some } of listed === undefined ? selectors : selectorsOf(listed)) {
    const chosen = await chosenPartitions(context, topic, some);
    partitions.push(...chosen.map((partition) => ({ topic, partition })));
  }
  const plan = sorted(await planned(context, groupId, partitions, target, listed));
  if (flags.execute) {
    try {
      await context.admin().alterGroupOffsets(groupId, plan, context.callOptions());
    } catch (error) {
      throw await asLive(context, groupId, error);
    }
  }
  await show(context, groupId, plan, flags);
  if (flags.execute) return;
  const isNew =
    group === undefined ? ` Group ${quotedName(groupId)} does not exist yet; it would be made.` : '';
  context.note(`Nothing was changed: --execute does it.${isNew}`);
}

async function show(
  context: CommandContext,
  group: string,
  plan: readonly PartitionOffset[],
  flags: ResetFlags,
): Promise<void> {
  await context.show({
    value: { groupId: group, executed: flags.execute === true, offsets: plan },
    text: () =>
      flags.export
        ? toOffsetCsv(plan)
        : printColumns(
            [
              { heading: 'GROUP', isName: true, cell: () => group },
              { heading: 'TOPIC', isName: true, cell: (row) => row.topic },
              { heading: 'PARTITION', align: 'right', cell: (row) => row.partition },
              { heading: 'NEW-OFFSET', align: 'right', cell: (row) => row.offset },
            ],
            plan,
          ),
    names: () => plan.map(({ topic, partition, offset }) => `${topic}:${partition}:${offset}`),
  });
}

/** Undefined for one that does not exist: to commit for it is to make it. @throws {CliError} while it has members. */
async function groupWithoutMembers(context: CommandContext, groupId: string): Promise<GroupInfo | undefined> {
  try {
    const [group] = await context.admin().describeGroups([groupId], context.callOptions());
    if (group!.members.length > 0) throw liveGroupError(group!, 'their offsets cannot be moved');
    return group!;
  } catch (error) {
    if (error instanceof MillraceError && error.code === 'GROUP_ID_NOT_FOUND') return undefined;
    throw error;
  }
}

/** A member may have joined since the group was looked at. */
async function asLive(context: CommandContext, groupId: string, error: unknown): Promise<unknown> {
  if (!(error instanceof MillraceError) || error.code !== 'NON_EMPTY_GROUP') return error;
  return groupWithoutMembers(context, groupId).then(
    () => error,
    (refusal: unknown) => refusal,
  );
}

async function committedPartitions(context: CommandContext, groupId: string): Promise<TopicPartition[]> {
  const offsets = await context.admin().groupOffsets(groupId, undefined, context.callOptions());
  if (offsets.length > 0) return offsets.map(({ topic, partition }) => ({ topic, partition }));
  throw notFound(
    `group ${groupId} has committed nothing, so --all-topics means no topic`,
    'Name topics with --topic.',
  );
}

async function planned(
  context: CommandContext,
  groupId: string,
  partitions: readonly TopicPartition[],
  target: ResetTarget,
  listed: readonly PartitionOffset[] | undefined,
): Promise<PartitionOffset[]> {
  const admin = context.admin();
  const at = (spec: Parameters<AdminClient['listOffsets']>[0][number]['at']) =>
    admin.listOffsets(
      partitions.map((partition) => ({ ...partition, at: spec })),
      context.callOptions(),
    );
  const [starts, ends] = await Promise.all([at('earliest'), at('latest')]);
  const plan = (offsetOf: (i: number) => bigint): PartitionOffset[] =>
    partitions.map((partition, i) => {
      const place = { ...partition, start: starts[i]!.offset, end: ends[i]!.offset };
      return { ...partition, offset: clamped(context, place, offsetOf(i)) };
    });
  switch (target.kind) {
    case 'earliest':
      return plan((i) => starts[i]!.offset);
    case 'latest':
      return plan((i) => ends[i]!.offset);
    case 'offset':
      return plan(() => target.offset);
    case 'time': {
      const found = await at({ timestampMs: target.timestampMs });
      // Nothing as new as that: only what is still to come.
      return plan((i) => (found[i]!.offset < 0n ? ends[i]!.offset : found[i]!.offset));
    }
    case 'file':
      return plan((i) => offsetIn(listed!, partitions[i]!));
    case 'current': {
      const committed = await admin.groupOffsets(groupId, partitions, context.callOptions());
      return plan((i) => committed[i]!.offset ?? ends[i]!.offset);
    }
    case 'shift': {
      const committed = await admin.groupOffsets(groupId, partitions, context.callOptions());
      return plan((i) => shifted(groupId, committed[i]!, target.by));
    }
  }
}

function shifted(
  groupId: string,
  { topic, partition, offset }: TopicPartition & { readonly offset: bigint | null },
  by: bigint,
): bigint {
  if (offset !== null) return offset + by;
  throw new CliError(
    'NO_OFFSET_FOR_PARTITION',
    EXIT.failed,
    `group ${groupId} has committed nothing of ${topic}-${partition}, so there is nothing to shift from`,
    'Choose partitions with --topic, or another place to move to.',
  );
}

/** Offsets outside the log would be read from somewhere else anyway: the nearest end is what they mean. */
function clamped(
  context: CommandContext,
  { topic, partition, start, end }: TopicPartition & { readonly start: bigint; readonly end: bigint },
  wanted: bigint,
): bigint {
  const offset = wanted < start ? start : wanted > end ? end : wanted;
  if (offset !== wanted) {
    context.note(
      `warning: ${topic}-${partition} holds offsets ${start} to ${end}; the new offset is ${offset} instead of ${wanted}.`,
    );
  }
  return offset;
}

async function readOffsets(path: string, groupId: string): Promise<PartitionOffset[]> {
  const offsets = parseOffsetCsv(await readFile(path, 'utf8'), groupId, path);
  if (offsets.length === 0) throw usageError(`${path} holds no offset of group ${groupId}`);
  return offsets;
}

function selectorsOf(offsets: readonly PartitionOffset[]): { topic: string; partitions: number[] }[] {
  const topics = [...new Set(offsets.map(({ topic }) => topic))];
  return topics.map((topic) => ({
    topic,
    partitions: offsets.filter((each) => each.topic === topic).map(({ partition }) => partition),
  }));
}

function offsetIn(offsets: readonly PartitionOffset[], { topic, partition }: TopicPartition): bigint {
  return offsets.find((each) => each.topic === topic && each.partition === partition)!.offset;
}

function sorted(plan: readonly PartitionOffset[]): PartitionOffset[] {
  return plan.toSorted((a, b) =>
    a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1,
  );
}
