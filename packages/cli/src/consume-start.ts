/** Finds the partitions to consume, and the offset at which each begins and ends. */
import type { TopicPartition } from '@millrace/client';
import type { ConsumerClient } from './cluster-client.ts';
import type { CommandContext } from './command-context.ts';
import { partitionKey } from './consume-run.ts';
import type { StartPosition } from './start-position.ts';

export interface ConsumeRange extends TopicPartition {
  /** Of the oldest record that is kept. */
  readonly beginning: bigint;
  readonly start: bigint;
  /** Where the partition ended when the command began. */
  readonly end: bigint;
}

/** Looks everything up once, so that "the end" means one moment for all partitions. */
export async function consumeRanges(
  context: CommandContext,
  consumer: ConsumerClient,
  partitions: readonly TopicPartition[],
  position: StartPosition,
): Promise<ConsumeRange[]> {
  const options = context.callOptions();
  const [beginnings, ends] = await Promise.all([
    consumer.beginningOffsets(partitions, options),
    consumer.endOffsets(partitions, options),
  ]);
  const starts = await startsOf(context, consumer, partitions, position);
  return partitions.map(({ topic, partition }, index) => {
    const beginning = beginnings[index]!.offset;
    const end = ends[index]!.offset;
    const wanted = starts(index, beginning, end);
    const start = clamp(wanted, beginning, end);
    if (wanted !== start && position.kind === 'offset') {
      context.note(
        `${topic}-${partition} holds offsets ${beginning} to ${end}; reading it from ${start} instead of ${wanted}.`,
      );
    }
    return { topic, partition, beginning, start, end };
  });
}

/** Ends by partition, without those that hold nothing to read. */
export function endsOf(ranges: readonly ConsumeRange[]): Map<string, bigint> {
  return new Map(
    ranges
      .filter(({ start, end }) => start < end)
      .map(({ topic, partition, end }) => [partitionKey(topic, partition), end]),
  );
}

function clamp(offset: bigint, low: bigint, high: bigint): bigint {
  if (offset < low) return low;
  return offset > high ? high : offset;
}

type StartOf = (index: number, beginning: bigint, end: bigint) => bigint;

async function startsOf(
  context: CommandContext,
  consumer: ConsumerClient,
  partitions: readonly TopicPartition[],
  position: StartPosition,
): Promise<StartOf> {
  switch (position.kind) {
    case 'beginning':
      return (_index, beginning) => beginning;
    case 'end':
      return (_index, _beginning, end) => end;
    case 'offset':
      return () => position.offset;
    case 'tail':
      return (_index, _beginning, end) => end - position.count;
    case 'timestamp': {
      const timestampMs = Number(position.timestampMs);
      const found = await consumer.offsetsForTimes(
        partitions.map(({ topic, partition }) => ({ topic, partition, timestampMs })),
        context.callOptions(),
      );
      // Nothing as new as that: only what is still to come.
      return (index, _beginning, end) => found[index]!.found?.offset ?? end;
    }
  }
}
