/** `millrace partition`: who leads. */
import { type Command, Option } from 'commander';
import { usageError } from '../cli-error.ts';
import { printColumns } from '../column-printer.ts';
import type { CommandContext } from '../command-context.ts';
import { parsePartitions } from '../option-values.ts';
import { throwFailures } from '../settle.ts';
import type { Shell } from '../shell.ts';
import { chosenPartitions } from './topic-offsets.ts';

export function partitionCommand(program: Command, shell: Shell): void {
  const partition = program.command('partition').alias('partitions').description('Act on single partitions.');
  partition
    .command('elect-leader [topic]')
    .description('Elect leaders: the preferred ones, or an out-of-sync replica where no other is left.')
    .addOption(new Option('-p, --partition <list>', 'only these, such as 0,2,5-7').argParser(parsePartitions))
    .option('--all', 'every partition of every topic')
    .option('--unclean', 'accept a replica that lacks acknowledged records: they are lost')
    .option('--yes', 'do not ask before an unclean election')
    .addHelpText('after', '\nExample:\n  millrace partition elect-leader orders -p 0,2')
    .action(shell.action(electLeader));
}

interface ElectFlags {
  readonly partition?: readonly number[];
  readonly all?: boolean;
  readonly unclean?: boolean;
  readonly yes?: boolean;
}

async function electLeader(
  context: CommandContext,
  flags: ElectFlags,
  topic: string | undefined,
): Promise<void> {
  if ((topic === undefined) !== (flags.all === true)) {
    throw usageError('which partitions?', 'Name a topic, perhaps with -p, or say --all.');
  }
  const partitions =
    topic === undefined
      ? undefined
      : (await chosenPartitions(context, topic, flags.partition)).map((partition) => ({ topic, partition }));
  if (flags.unclean) {
    await context.confirm(
      `Elect leaders that may lack acknowledged records in ${topic ?? 'every topic'}? What they lack is lost.`,
      flags.yes === true,
    );
  }
  const elected = await context
    .admin()
    .electLeaders(flags.unclean ? 'unclean' : 'preferred', partitions, context.callOptions());
  const rows = elected.map(({ topic: name, partition, leader, error }) => ({
    topic: name,
    partition,
    leader: leader === -1 ? null : leader,
    result:
      error === undefined ? 'elected' : error.code === 'ELECTION_NOT_NEEDED' ? 'not needed' : error.code,
  }));
  if (rows.length === 0) context.note('No partition needs an election.');
  await context.show({
    value: { partitions: rows },
    text: () =>
      printColumns(
        [
          { heading: 'TOPIC', cell: (row) => row.topic },
          { heading: 'PARTITION', align: 'right', cell: (row) => row.partition },
          { heading: 'LEADER', align: 'right', cell: (row) => row.leader ?? 'none' },
          { heading: 'RESULT', cell: (row) => row.result },
        ],
        rows,
      ),
    names: () => rows.map((row) => `${row.topic}-${row.partition}`),
  });
  throwFailures(
    elected.flatMap(({ error }) =>
      error === undefined || error.code === 'ELECTION_NOT_NEEDED' ? [] : [error],
    ),
  );
}
