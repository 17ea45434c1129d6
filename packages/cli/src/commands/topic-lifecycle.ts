/** `topic create`, `list`, `delete`, `add-partitions`. */
import type { CreatedTopic, NewTopic } from '@millrace/client';
import { MillraceError } from '@millrace/core';
import { usageError } from '../cli-error.ts';
import { printColumns } from '../column-printer.ts';
import type { CommandContext } from '../command-context.ts';
import { deleteEach } from '../delete-each.ts';
import { splitAssignment } from '../global-options.ts';
import { settleEach, throwFailures } from '../settle.ts';

interface CreateFlags {
  readonly partitions?: number;
  readonly replicationFactor?: number;
  readonly config?: readonly string[];
  readonly ifNotExists?: boolean;
  readonly dryRun?: boolean;
}

export async function createTopics(
  context: CommandContext,
  flags: CreateFlags,
  names: readonly string[],
): Promise<void> {
  const configs = Object.fromEntries((flags.config ?? []).map((text) => splitAssignment(text, '-c')));
  const { done, failures } = await settleEach(names, (name) => createOne(context, flags, name, configs));
  const created = done.filter((topic) => topic !== undefined);
  await context.show({
    value: { topics: created, validatedOnly: flags.dryRun === true },
    text: () =>
      created.map(({ name }) => `${flags.dryRun ? 'Would create' : 'Created'} topic ${name}.\n`).join(''),
    names: () => created.map((topic) => topic.name),
  });
  throwFailures(failures);
}

async function createOne(
  context: CommandContext,
  flags: CreateFlags,
  name: string,
  configs: Record<string, string>,
): Promise<CreatedTopic | undefined> {
  // Metrics of most systems map both to the same character, so that such topics collide there.
  if (name.includes('.') && name.includes('_')) {
    context.note(`warning: topic ${name} has "." and "_" in its name; metric names may not tell them apart.`);
  }
  const topic: NewTopic = {
    name,
    configs,
    ...(flags.partitions === undefined ? {} : { partitions: flags.partitions }),
    ...(flags.replicationFactor === undefined ? {} : { replicationFactor: flags.replicationFactor }),
  };
  try {
    return await context
      .admin()
      .createTopic(topic, { ...context.callOptions(), validateOnly: flags.dryRun === true });
  } catch (error) {
    const exists = error instanceof MillraceError && error.code === 'TOPIC_ALREADY_EXISTS';
    if (!exists || !flags.ifNotExists) throw error;
    context.note(`Topic ${name} exists already.`);
    return undefined;
  }
}

export async function listTopics(
  context: CommandContext,
  flags: { readonly internal?: boolean; readonly regex?: string },
): Promise<void> {
  const pattern = flags.regex === undefined ? undefined : parseRegex(flags.regex);
  const { admin, output } = { admin: context.admin(), output: context.options.output };
  const all = await admin.listTopics({
    ...context.callOptions(),
    includeInternal: flags.internal === true,
  });
  const names = pattern ? all.filter((name) => pattern.test(name)) : all;
  // Names alone are one cheap call; the columns need every partition of every topic.
  const topics =
    output === 'name' || names.length === 0 ? [] : await admin.describeTopics(names, context.callOptions());
  const rows = topics.map((topic) => ({
    name: topic.name,
    topicId: topic.topicId,
    partitionCount: topic.partitions.length,
    replicationFactor: topic.partitions[0]?.replicas.length ?? 0,
    internal: topic.isInternal,
  }));
  await context.show({
    value: { topics: rows },
    text: (wide) =>
      printColumns(
        [
          { heading: 'NAME', cell: (row) => row.name },
          { heading: 'PARTITIONS', align: 'right', cell: (row) => row.partitionCount },
          { heading: 'REPLICAS', align: 'right', cell: (row) => row.replicationFactor },
          { heading: 'TOPIC-ID', wide: true, cell: (row) => row.topicId },
          { heading: 'INTERNAL', wide: true, cell: (row) => row.internal },
        ],
        rows,
        { wide },
      ),
    names: () => names,
  });
}

export function parseRegex(text: string): RegExp {
  try {
    return new RegExp(text, 'u');
  } catch (error) {
    throw usageError(`--regex ${JSON.stringify(text)}: ${(error as Error).message}`);
  }
}

export async function deleteTopics(
  context: CommandContext,
  flags: { readonly ifExists?: boolean; readonly yes?: boolean },
  names: readonly string[],
): Promise<void> {
  await context.confirm(`Delete ${names.join(', ')} with all records?`, flags.yes === true);
  await deleteEach(context, names, {
    noun: 'topic',
    missing: 'UNKNOWN_TOPIC_OR_PARTITION',
    ifExists: flags.ifExists === true,
    remove: (name) => context.admin().deleteTopic(name, context.callOptions()),
  });
}

export async function addPartitions(
  context: CommandContext,
  flags: { readonly partitions?: number; readonly by?: number; readonly dryRun?: boolean },
  topic: string,
): Promise<void> {
  if (flags.partitions === undefined && flags.by === undefined) {
    throw usageError('how many partitions?', 'Give the new total with -p, or how many to add with --by.');
  }
  const [before] = await context.admin().describeTopics([topic], context.callOptions());
  const previousCount = before!.partitions.length;
  const totalCount = flags.partitions ?? previousCount + flags.by!;
  await context.admin().createPartitions([{ topic, totalCount }], {
    ...context.callOptions(),
    validateOnly: flags.dryRun === true,
  });
  await context.show({
    value: { topic, previousCount, partitionCount: totalCount, validatedOnly: flags.dryRun === true },
    text: () =>
      `Topic ${topic} ${flags.dryRun ? 'would have' : 'has'} ${totalCount} partitions (before: ${previousCount}).\n`,
    names: () => [topic],
  });
}
