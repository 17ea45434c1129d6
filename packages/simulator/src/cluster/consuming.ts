/** A consumer's day: reads every topic from its beginning, goes back now and then, pauses partitions; what it saw is written down. */

import { type ConsumerRecord, string } from '@millrace/client';
import { below, formatTopicPartition, sleep, type TopicPartition, unit } from '@millrace/core';
import { type CrewMember, codeOf } from './client-crew.ts';

const POLL_MS = 1_000;
const FAILURE_PAUSE_MS = 200;

export async function consume(member: CrewMember): Promise<void> {
  const { name, life, millrace, random, crew } = member;
  const consumer = millrace.consumer<Buffer, string>({
    autoOffsetReset: 'earliest',
    valueDeserializer: string,
    maxPollRecords: [3, 500][below(random, 2)]!,
    fetchMaxWaitMs: [50, 500][below(random, 2)]!,
    maxPartitionFetchBytes: [512, 1_048_576][below(random, 2)]!,
    prefetchMaxBytes: [1_024, 33_554_432][below(random, 2)]!,
  });
  const partitions = partitionsOf(member);
  consumer.assign(partitions);
  for (const partition of partitions) crew.history.seek(name, formatTopicPartition(partition));
  while (!crew.isDone) {
    try {
      const records = await consumer.poll({ timeoutMs: POLL_MS, maxRecords: 1 + below(random, 200) });
      recordPoll(member, records);
    } catch (error) {
      life.note('poll failed', codeOf(error));
      await sleep(life.clock, FAILURE_PAUSE_MS);
    }
    if (unit(random) < 0.02) {
      const partition = partitions[below(random, partitions.length)]!;
      const start = crew.deletedUpTo.get(formatTopicPartition(partition)) ?? 0;
      crew.history.seek(name, formatTopicPartition(partition));
      if (below(random, 3) === 0) consumer.seekToBeginning([partition]);
      else consumer.seek(partition, start + below(random, 20));
    }
    if (unit(random) < 0.01) consumer.pause([partitions[below(random, partitions.length)]!]);
    else if (unit(random) < 0.05) consumer.resume();
  }
  await consumer.close();
}

export function recordPoll(
  { name, crew }: CrewMember,
  records: readonly ConsumerRecord<Buffer, string>[],
): void {
  crew.counts.polled += records.length;
  const byPartition = new Map<string, { offset: number; value: string }[]>();
  for (const record of records) {
    const key = formatTopicPartition(record);
    const seen = { offset: Number(record.offset), value: record.value ?? '' };
    const list = byPartition.get(key);
    if (list === undefined) byPartition.set(key, [seen]);
    else list.push(seen);
  }
  for (const [partition, list] of byPartition) crew.history.poll(name, partition, list);
}

function partitionsOf({ crew }: CrewMember): TopicPartition[] {
  return crew.layout.topics.flatMap(({ name: topic, partitions }) =>
    Array.from({ length: partitions }, (_, partition) => ({ topic, partition })),
  );
}
