/** `topic offsets` and `topic truncate`. */
import type { OffsetSpec } from '@millrace/client';
import { notFound, usageError } from '../cli-error.ts';
import { printColumns } from '../column-printer.ts';
import type { CommandContext } from '../command-context.ts';
import { parseTimestampMs } from '../start-position.ts';

export async function showOffsets(
  context: CommandContext,
  flags: { readonly time?: string; readonly partition?: readonly number[] },
  topic: string,
): Promise<void> {
  const at = flags.time === undefined ? undefined : parseOffsetSpec(flags.time);
  const partitions = await chosenPartitions(context, topic, flags.partition);
  if (at === undefined) await showRanges(context, topic, partitions);
  else await showOffsetsAt(context, topic, partitions, at);
}

async function showRanges(
  context: CommandContext,
  topic: string,
  partitions: readonly number[],
): Promise<void> {
  const ask = (at: OffsetSpec) =>
    context.admin().listOffsets(
      partitions.map((partition) => ({ topic, partition, at })),
      context.callOptions(),
    );
  const [earliest, latest] = await Promise.all([ask('earliest'), ask('latest')]);
  const rows = partitions.map((partition, index) => ({
    topic,
    partition,
    earliest: earliest[index]!.offset,
    latest: latest[index]!.offset,
  }));
  await context.show({
    value: { offsets: rows },
    text: () =>
      printColumns(
        [
          { heading: 'TOPIC', cell: (row) => row.topic },
          { heading: 'PARTITION', align: 'right', cell: (row) => row.partition },
          { heading: 'EARLIEST', align: 'right', cell: (row) => row.earliest },
          { heading: 'LATEST', align: 'right', cell: (row) => row.latest },
          { heading: 'RECORDS', align: 'right', cell: (row) => row.latest - row.earliest },
        ],
        rows,
      ),
    names: () => rows.map((row) => `${topic}:${row.partition}:${row.latest}`),
  });
}

async function showOffsetsAt(
  context: CommandContext,
  topic: string,
  partitions: readonly number[],
  at: OffsetSpec,
): Promise<void> {
  const found = await context.admin().listOffsets(
    partitions.map((partition) => ({ topic, partition, at })),
    context.callOptions(),
  );
  // Nothing as new as asked has no offset; the wire says -1, people and scripts should not.
  const rows = found.map(({ partition, offset, timestamp }) => ({
    topic,
    partition,
    offset: offset === -1n ? null : offset,
    timestamp: timestamp === -1 ? null : String(timestamp),
  }));
  await context.show({
    value: { offsets: rows },
    text: () =>
      printColumns(
        [
          { heading: 'TOPIC', cell: (row) => row.topic },
          { heading: 'PARTITION', align: 'right', cell: (row) => row.partition },
          { heading: 'OFFSET', align: 'right', cell: (row) => row.offset ?? undefined },
          { heading: 'TIMESTAMP', align: 'right', cell: (row) => row.timestamp ?? undefined },
        ],
        rows,
      ),
    names: () => rows.map((row) => `${topic}:${row.partition}:${row.offset ?? ''}`),
  });
}

export async function truncateTopic(
  context: CommandContext,
  flags: { readonly before: string; readonly partition?: readonly number[]; readonly yes?: boolean },
  topic: string,
): Promise<void> {
  const before = parseBefore(flags.before);
  const partitions = await chosenPartitions(context, topic, flags.partition);
  await context.confirm(
    `Delete the records of ${topic} before ${flags.before} in partition ${partitions.join(', ')}?`,
    flags.yes === true,
  );
  const deleted = await context.admin().deleteRecords(
    partitions.map((partition) => ({ topic, partition, before })),
    context.callOptions(),
  );
  const rows = deleted.map(({ partition, lowWatermark }) => ({ topic, partition, lowWatermark }));
  await context.show({
    value: { partitions: rows },
    text: () =>
      printColumns(
        [
          { heading: 'TOPIC', cell: (row) => row.topic },
          { heading: 'PARTITION', align: 'right', cell: (row) => row.partition },
          { heading: 'LOW-WATERMARK', align: 'right', cell: (row) => row.lowWatermark },
        ],
        rows,
      ),
    names: () => rows.map((row) => `${topic}:${row.partition}:${row.lowWatermark}`),
  });
}

/** The partitions asked for, or all. @throws {CliError} NOT_FOUND naming those that the topic does not have. */
export async function chosenPartitions(
  context: CommandContext,
  topic: string,
  wanted: readonly number[] | undefined,
): Promise<readonly number[]> {
  const [info] = await context.admin().describeTopics([topic], context.callOptions());
  const existing = new Set(info!.partitions.map(({ partition }) => partition));
  const missing = (wanted ?? []).filter((partition) => !existing.has(partition));
  if (missing.length > 0) {
    throw notFound(
      `topic ${topic} has no partition ${missing.join(', ')}`,
      `It has ${existing.size}, numbered from 0.`,
    );
  }
  return wanted ?? [...existing].sort((a, b) => a - b);
}

function parseOffsetSpec(text: string): OffsetSpec {
  if (text === 'earliest' || text === 'latest') return text;
  if (text === 'max-timestamp') return 'maxTimestamp';
  return { timestampMs: Number(parseTimestampMs(text.replace(/^@/, ''))) };
}

function parseBefore(text: string): bigint | 'latest' {
  if (text === 'end' || text === 'latest') return 'latest';
  if (/^\d{1,18}$/.test(text)) return BigInt(text);
  throw usageError(`--before ${JSON.stringify(text)} is not an offset`, 'Give a number, or "end".');
}
