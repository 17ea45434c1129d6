/**
 * Prints what a consumer reads until the count is reached, the end is reached, or the user has enough. Each batch is
 * one write, and the next is read when standard output has room: a slow reader slows the consumer, it does not fill
 * the memory.
 */
import type { ConsumerRecord } from '@millrace/client';
import { ByteBuffer } from './byte-buffer.ts';
import type { ConsumerClient } from './cluster-client.ts';
import type { CliEnvironment } from './environment.ts';
import type { OutputStream } from './output-stream.ts';
import { batchesOrQuiet, passedEnds } from './passed-ends.ts';

export interface ConsumeLimits {
  /** Most records in all. */
  readonly count: number;
  /** By `partitionKey`, the offset at which reading it ends; absent: never. */
  readonly ends: ReadonlyMap<string, bigint> | undefined;
}

/** A partition whose end was not reached is looked into after twice this long without a batch. */
const QUIET_MS = 500;

export type PrintRecord = (record: ConsumerRecord, out: ByteBuffer) => void;

export const WRITE_BYTES = 256 * 1024;

export function partitionKey(topic: string, partition: number): string {
  return `${topic}:${partition}`;
}

/**
 * @returns how many records were printed.
 * @throws {BrokenPipeError} when nobody reads the output any more; {MillraceError} CANCELLED when `signal` aborts.
 */
export async function consumeRecords(
  consumer: ConsumerClient,
  stdout: OutputStream,
  print: PrintRecord,
  limits: ConsumeLimits,
  { clock, interrupted: signal }: Pick<CliEnvironment, 'clock' | 'interrupted'>,
): Promise<number> {
  const out = new ByteBuffer(WRITE_BYTES);
  const unfinished = limits.ends && new Map(limits.ends);
  let left = limits.count;
  if (left === 0 || unfinished?.size === 0) return 0;
  const batches = consumer.batches({ signal });
  let passed: ReadonlySet<string> = new Set();
  for await (const batch of unfinished ? batchesOrQuiet(batches, clock, QUIET_MS) : batches) {
    if (batch === undefined) {
      // Believed when the next look is as quiet: a batch may have been on its way while the positions were asked for.
      for (const key of passed) unfinished!.delete(key);
      if (unfinished!.size === 0) break;
      passed = await passedEnds(consumer, unfinished!, { timeoutMs: QUIET_MS, signal });
      continue;
    }
    passed = new Set();
    const key = partitionKey(batch.topic, batch.partition);
    const end = limits.ends?.get(key);
    for (const record of batch.records) {
      if (left === 0 || (end !== undefined && record.offset >= end)) break;
      print(record, out);
      left -= 1;
      if (out.length >= WRITE_BYTES) await stdout.write(out.take());
    }
    if (out.length > 0) await stdout.write(out.take());
    if (end !== undefined && batch.nextOffset >= end && unfinished?.delete(key)) {
      consumer.pause([{ topic: batch.topic, partition: batch.partition }]);
    }
    if (left === 0 || unfinished?.size === 0) break;
  }
  return limits.count - left;
}
