/** `millrace consume`: records in, text out. */
import type { ConsumerRecord } from '@millrace/client';
import { type Command, Option } from 'commander';
import type { ByteBuffer } from '../byte-buffer.ts';
import { usageError } from '../cli-error.ts';
import { consumerOptions, propertyFor } from '../client-properties.ts';
import type { CommandContext } from '../command-context.ts';
import { consumeInGroup } from '../consume-group.ts';
import { consumeRecords, type PrintRecord } from '../consume-run.ts';
import { consumeRanges, endsOf } from '../consume-start.ts';
import type { GlobalOptions, OutputFormat } from '../global-options.ts';
import { parseCount, parsePartitions } from '../option-values.ts';
import { bytesValue, toJson, toYaml } from '../plain-value.ts';
import { compileFormat, VALUE_PER_LINE } from '../record-format.ts';
import type { Shell } from '../shell.ts';
import { parseStartPosition, type StartPosition } from '../start-position.ts';
import { chosenPartitions } from './topic-offsets.ts';

export function consumeCommand(program: Command, shell: Shell): void {
  program
    .command('consume <topic...>')
    .description('Print records: their values, one a line, unless -f or -o says otherwise.')
    .option(
      '--offset <position>',
      'beginning, end, N, -N from the end, or @TIME (ms or ISO 8601) (default: end)',
    )
    .option('--from-beginning', 'the same as --offset beginning; in a group, where it has committed nothing')
    .option('-g, --group <group>', 'as a member of this group: share its partitions, commit what is printed')
    .addOption(new Option('-p, --partition <list>', 'only these, such as 0,2,5-7').argParser(parsePartitions))
    .addOption(new Option('-n, --count <records>', 'stop after this many').argParser(parseCount))
    .option('-e, --exit-at-end', 'stop at the end, as it was when the command began')
    .option(
      '-f, --format <template>',
      '%t topic, %p partition, %o offset, %k key, %v value, %T timestamp, %h headers, \\n, \\t',
    )
    .addHelpText(
      'after',
      `
With -o json each record is one line: {"topic","partition","offset","timestamp","key","value","headers"}.

Example:
  millrace consume orders --from-beginning --exit-at-end -f '%p/%o %k=%v\\n'
  millrace consume orders --group billing`,
    )
    .action(shell.action(consume));
}

interface ConsumeFlags {
  readonly offset?: string;
  readonly fromBeginning?: boolean;
  readonly group?: string;
  readonly partition?: readonly number[];
  readonly count?: number;
  readonly exitAtEnd?: boolean;
  readonly format?: string;
}

/** Large enough that printing, not handing over, is the work. */
const BATCH_RECORDS = 10_000;

async function consume(
  context: CommandContext,
  flags: ConsumeFlags,
  topics: readonly string[],
): Promise<void> {
  const position = startPosition(flags);
  const print = printer(context.options.output, flags.format);
  checkProperties(context.options, flags);
  if (flags.group !== undefined) return consumeShared(context, flags, flags.group, topics, print);
  const partitions = [];
  for (const topic of new Set(topics)) {
    const chosen = await chosenPartitions(context, topic, flags.partition);
    partitions.push(...chosen.map((partition) => ({ topic, partition })));
  }
  const consumer = context.client().consumer(
    // Records that retention deletes while they are being read are gone; what is left still follows.
    consumerOptions(context.options, { autoOffsetReset: 'earliest', maxPollRecords: BATCH_RECORDS }),
  );
  context.onClose(() => consumer.close().catch(() => {}));

  const ranges = await consumeRanges(context, consumer, partitions, position);
  const ends = flags.exitAtEnd ? endsOf(ranges) : undefined;
  const toRead = ends === undefined ? ranges : ranges.filter(({ start, end }) => start < end);
  consumer.assign(toRead.map(({ topic, partition }) => ({ topic, partition })));
  for (const { topic, partition, start } of toRead) consumer.seek({ topic, partition }, start);
  context.detail(
    `reading ${toRead.map((range) => `${range.topic}-${range.partition}@${range.start}`).join(' ')}`,
  );

  const isNothingRead = ends !== undefined && toRead.length === 0;
  if (isNothingRead && position.kind === 'end' && ranges.some(({ beginning, end }) => beginning < end)) {
    context.note(
      'Started at the end, so there is nothing to read; --from-beginning reads the records there are.',
    );
  }
  const limits = { count: flags.count ?? Number.POSITIVE_INFINITY, ends };
  await consumeRecords(consumer, context.stdout, print, limits, context.environment);
  context.throwIfInterrupted();
}

async function consumeShared(
  context: CommandContext,
  flags: ConsumeFlags,
  groupId: string,
  topics: readonly string[],
  print: PrintRecord,
): Promise<void> {
  if (groupId === '') throw usageError('--group needs a name');
  if (flags.partition !== undefined)
    throw usageError(
      '--group and --partition exclude each other',
      'The group says who reads which partition.',
    );
  if (flags.exitAtEnd)
    throw usageError('--group and --exit-at-end exclude each other', 'Others may read the rest; -n stops.');
  if (flags.offset !== undefined)
    throw usageError(
      '--group and --offset exclude each other: a group goes on where it has committed',
      'Use --from-beginning for a new group, or "millrace group reset" before.',
    );
  const names = [...new Set(topics)];
  // A topic that is not there is a slip of the pen here, though a member would wait for it.
  await context.admin().describeTopics(names, context.callOptions());
  const startsAt = flags.fromBeginning ? 'earliest' : 'latest';
  const count = flags.count ?? Number.POSITIVE_INFINITY;
  await consumeInGroup(context, { groupId, topics: names, startsAt, count }, print);
  context.throwIfInterrupted();
}

/** `-X` of what the command decides by its flags would be passed over: refused, with the flag that decides. */
function checkProperties(options: GlobalOptions, { group, fromBeginning }: ConsumeFlags): void {
  const groupId = propertyFor('groupId', options);
  if (groupId !== undefined && groupId.value !== group) {
    const flag = `Say --group ${groupId.value === '' ? 'NAME' : groupId.value}.`;
    throw usageError(`-X ${groupId.name} does not choose the group of "consume"`, flag);
  }
  const autoCommit = propertyFor('enableAutoCommit', options);
  const commits = String(group !== undefined);
  if (autoCommit !== undefined && autoCommit.value.trim().toLowerCase() !== commits) {
    const help =
      group === undefined ? 'Say --group to commit.' : 'Leave out --group to read without committing.';
    throw usageError(
      `-X ${autoCommit.name}=${autoCommit.value}: "consume" commits what it has printed with --group, and only then`,
      help,
    );
  }
  const reset = propertyFor('autoOffsetReset', options);
  if (reset !== undefined && reset.value !== 'earliest' && group !== undefined && fromBeginning)
    throw usageError(`-X ${reset.name}=${reset.value} and --from-beginning exclude each other`);
}

function startPosition(flags: ConsumeFlags): StartPosition {
  if (!flags.fromBeginning) return parseStartPosition(flags.offset ?? 'end');
  if (flags.offset !== undefined) throw usageError('--from-beginning and --offset exclude each other');
  return { kind: 'beginning' };
}

function printer(output: OutputFormat, format: string | undefined): PrintRecord {
  if (format !== undefined) {
    if (output !== 'table' && output !== 'wide')
      throw usageError(`--format and -o ${output} exclude each other`);
    return compileFormat(format);
  }
  switch (output) {
    case 'table':
      return compileFormat(VALUE_PER_LINE);
    case 'wide':
      return compileFormat('%t-%p %o %T %k %v\\n');
    case 'name':
      return compileFormat('%t:%p:%o\\n');
    case 'json':
      return (record, out) => out.appendText(`${toJson(recordValue(record))}\n`);
    case 'yaml':
      return (record: ConsumerRecord, out: ByteBuffer) =>
        out.appendText(`---\n${toYaml(recordValue(record))}`);
  }
}

function recordValue(record: ConsumerRecord): object {
  return {
    topic: record.topic,
    partition: record.partition,
    offset: record.offset,
    timestamp: String(record.timestamp),
    key: bytesValue(record.key),
    value: bytesValue(record.value),
    headers: record.headers.map(({ key, value }) => ({ key, value: bytesValue(value) })),
  };
}
