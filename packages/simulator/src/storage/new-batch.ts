/** The batches of the storage workload: small and large, of producers that count and of nobody, with keys if logs are compacted. */
import { below, type Random } from '@millrace/core';
import { buildBatch } from '@millrace/records';

const PRODUCERS = 3;
/** More than a cleaning has room for. */
const KEYS = 12;

/** @param sequences of each producer the next one; NaN for one that has come to its end. */
export function newBatch(random: Random, sequences: Map<number, number>, hasKeys: boolean): Buffer {
  const isLarge = below(random, 12) === 0;
  const bytes = isLarge ? 1000 + below(random, 3000) : below(random, 150);
  const count = 1 + below(random, 3);
  const timestamp = 1000 + below(random, 500);
  const records = Array.from({ length: count }, (_, i) => ({
    timestamp: timestamp + i,
    ...keyed(random, Buffer.alloc(bytes, 97 + below(random, 26)), hasKeys),
  }));
  const producerId = below(random, 2 * PRODUCERS);
  const baseSequence = sequences.get(producerId) ?? 0;
  if (producerId >= PRODUCERS || Number.isNaN(baseSequence)) return Buffer.from(buildBatch(records));
  sequences.set(producerId, baseSequence + count);
  return Buffer.from(buildBatch(records, { producer: { producerId, producerEpoch: 0, baseSequence } }));
}

function keyed(
  random: Random,
  value: Buffer,
  hasKeys: boolean,
): { key: Buffer | null; value: Buffer | null } {
  if (!hasKeys) return { key: null, value };
  const key = Buffer.from(`key-${below(random, KEYS)}`);
  return { key, value: below(random, 5) === 0 ? null : value };
}
