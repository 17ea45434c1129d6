/**
 * Finds partitions of which nothing before the end is left to read, although no batch said so: what was left may have
 * been deleted, or cut by an unclean election, or holds no records. Looks only while the consumer is quiet, and
 * decides nothing for a batch that is on its way.
 */
import { type ConsumerBatch, MillraceError } from '@millrace/client';
import type { Clock, Timer } from '@millrace/core';
import type { ConsumerClient } from './cluster-client.ts';

/** Every batch, and `undefined` after each `quietMs` without one. */
export async function* batchesOrQuiet(
  batches: AsyncIterable<ConsumerBatch>,
  clock: Clock,
  quietMs: number,
): AsyncGenerator<ConsumerBatch | undefined, void> {
  const iterator = batches[Symbol.asyncIterator]();
  let next = iterator.next();
  try {
    for (;;) {
      const result = await withinQuiet(next, clock, quietMs);
      if (result === undefined) {
        yield undefined;
        continue;
      }
      if (result.done) return;
      yield result.value;
      next = iterator.next();
    }
  } finally {
    // Ends when the consumer does; nobody waits for what is still on its way.
    next.catch(() => {});
    iterator.return?.().catch(() => {});
  }
}

async function withinQuiet<T>(next: Promise<T>, clock: Clock, quietMs: number): Promise<T | undefined> {
  let timer: Timer | undefined;
  const quiet = new Promise<undefined>((resolve) => {
    timer = clock.schedule(quietMs, () => resolve(undefined));
  });
  try {
    return await Promise.race([next, quiet]);
  } finally {
    timer?.cancel();
  }
}

/**
 * Of `ends`, the keys of those that reading has passed: the position jumped over what is gone, or the log ends earlier
 * now. @throws {MillraceError} what the consumer would have thrown at its reader.
 */
export async function passedEnds(
  consumer: ConsumerClient,
  ends: ReadonlyMap<string, bigint>,
  limits: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<Set<string>> {
  const passed = new Set<string>();
  for (const [key, end] of ends) {
    const colon = key.lastIndexOf(':');
    const partition = { topic: key.slice(0, colon), partition: Number(key.slice(colon + 1)) };
    try {
      const position = await consumer.position(partition, limits);
      const [now] = await consumer.endOffsets([partition], limits);
      if (position >= end || position >= now!.offset) passed.add(key);
    } catch (error) {
      // What passes is waited out by the consumer, too.
      if (!(error instanceof MillraceError && error.retriable)) throw error;
    }
  }
  return passed;
}
