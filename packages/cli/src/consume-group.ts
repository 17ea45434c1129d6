/**
 * `consume --group`: a member of a group that prints what it is given. Progress is what was printed: a record is
 * committed after standard output has taken it, so that one who goes away loses none and `-n` takes exactly so many.
 */
import { MillraceError, type TopicPartition } from '@millrace/client';
import { ByteBuffer } from './byte-buffer.ts';
import { consumerOptions, propertyFor } from './client-properties.ts';
import type { ConsumerClient } from './cluster-client.ts';
import type { CommandContext } from './command-context.ts';
import { type PrintRecord, WRITE_BYTES } from './consume-run.ts';

export interface GroupReading {
  readonly groupId: string;
  readonly topics: readonly string[];
  /** Where the group has committed nothing. */
  readonly startsAt: 'earliest' | 'latest';
  /** Most records in all. */
  readonly count: number;
}

/** Large enough that printing is the work, small enough that another member does not wait long for its partitions. */
const POLL_RECORDS = 1_000;

/** Until the count is reached. @throws {BrokenPipeError}; {MillraceError} CANCELLED when the user interrupts. */
export async function consumeInGroup(
  context: CommandContext,
  { groupId, topics, startsAt, count }: GroupReading,
  print: PrintRecord,
): Promise<void> {
  const options = consumerOptions(context.options, { autoOffsetReset: startsAt });
  const pollRecords = propertyFor('maxPollRecords', context.options) ? options.maxPollRecords! : POLL_RECORDS;
  const consumer = context.client().consumer({ ...options, groupId, enableAutoCommit: true });
  context.onClose(() => closed(context, consumer));
  consumer.subscribe(topics, {
    onAssigned: (partitions) => context.detail(`assigned: ${names(partitions)}`),
    onRevoked: (partitions) => context.detail(`given up: ${names(partitions)}`),
    onLost: (partitions) => context.note(`warning: taken away, and may be read twice: ${names(partitions)}`),
    onStalled: ({ message }) => context.note(`warning: ${message}`),
    onError: ({ message }) => context.note(`warning: ${message}`),
  });
  const out = new ByteBuffer(WRITE_BYTES);
  let left = count;
  while (left > 0) {
    const maxRecords = Math.min(left, pollRecords);
    const records = await consumer.poll({ maxRecords, signal: context.interrupted });
    if (records.length === 0) return;
    for (const record of records) {
      print(record, out);
      if (out.length >= WRITE_BYTES) await context.stdout.write(out.take());
    }
    if (out.length > 0) await context.stdout.write(out.take());
    left -= records.length;
  }
  await consumer.commit(undefined, context.callOptions());
}

/** Leaves the group. What could not be committed will be printed again by whoever reads next: that is told. */
async function closed(context: CommandContext, consumer: ConsumerClient): Promise<void> {
  try {
    await consumer.close({ timeoutMs: context.options.timeoutMs });
  } catch (error) {
    const why = error instanceof MillraceError ? error.message : String(error);
    context.note(`warning: the last records were printed but not committed: ${why}`);
  }
}

function names(partitions: readonly TopicPartition[]): string {
  return partitions.length === 0
    ? 'nothing'
    : partitions.map(({ topic, partition }) => `${topic}-${partition}`).join(' ');
}
