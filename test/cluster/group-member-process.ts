/**
 * One consumer of a group in a process of its own, so that a test can kill or stop it. Tells what happens to it as lines
 * of JSON. A line is out before the next thing is done: what a killed process had handled is known.
 */
import { writeSync } from 'node:fs';
import { type Consumer, Millrace, type TopicPartition } from '@millrace/client';
import type { MemberEvent, MemberJob } from './group-member.ts';

const job = JSON.parse(process.argv[2]!) as MemberJob;

function tell(event: MemberEvent): void {
  writeSync(1, `${JSON.stringify(event)}\n`);
}

function note(kind: 'assigned' | 'revoked' | 'lost') {
  return (partitions: readonly TopicPartition[]): void =>
    tell({ kind, atMs: Date.now(), partitions: partitions.map(({ partition }) => partition) });
}

function handled(partition: number, offset: bigint, availableMs: number): void {
  tell({ kind: 'handled', atMs: Date.now(), partition, offset: Number(offset), availableMs });
}

async function runHandlers(consumer: Consumer): Promise<void> {
  process.once('SIGTERM', () => void consumer.close());
  await consumer.run({
    concurrency: 4,
    eachRecord: ({ partition, offset, timestamp }) => handled(partition, offset, timestamp),
  });
}

/** Handles and commits record by record, with more in hand than it will ever finish. */
async function stopAfter(consumer: Consumer, last: number, ending: 'close' | 'crash'): Promise<void> {
  for (;;) {
    for (const { topic, partition, offset, timestamp } of await consumer.poll({ maxRecords: 40 })) {
      handled(partition, offset, timestamp);
      await consumer.commit([{ topic, partition, offset: offset + 1n }]);
      if (Number(offset) < last) continue;
      if (ending === 'crash') process.kill(process.pid, 'SIGKILL');
      await consumer.close();
      return;
    }
  }
}

const millrace = new Millrace({ bootstrap: job.bootstrap, clientId: job.name });
const consumer = millrace.consumer({
  groupId: job.groupId,
  autoOffsetReset: 'earliest',
  enableAutoCommit: job.stopAfter === undefined,
  autoCommitIntervalMs: 1_000,
});
consumer.subscribe([job.topic], {
  onAssigned: note('assigned'),
  onRevoked: note('revoked'),
  onLost: note('lost'),
});
if (job.stopAfter === undefined) await runHandlers(consumer);
else await stopAfter(consumer, job.stopAfter.offset, job.stopAfter.ending);
await millrace.close();
