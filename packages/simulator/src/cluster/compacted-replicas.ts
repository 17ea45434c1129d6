/**
 * Replicas of a compacted log are cleaned each by itself, so their bytes differ. What counts is the newest record of each
 * key: every replica holds it, at the same offset, or it is a tombstone and may be gone.
 */
import { forEachRecord, splitBatches } from '@millrace/records';

/** By key the offset of its newest record and its value; without keys that were removed. */
function newestOfEachKey(bytes: Buffer): Map<string, string> {
  const newest = new Map<string, string>();
  for (const batch of splitBatches(bytes)) {
    if (batch.isControl) continue;
    forEachRecord(batch, ({ offset, key, value }) => {
      const name = key === null ? `at ${offset}` : Buffer.from(key).toString('latin1');
      if (value === null) newest.delete(name);
      else newest.set(name, `${offset} ${Buffer.from(value).toString('latin1')}`);
    });
  }
  return newest;
}

/** Whether both logs say the same of every key. */
export function saySame(one: Buffer, other: Buffer): boolean {
  const [a, b] = [newestOfEachKey(one), newestOfEachKey(other)];
  return a.size === b.size && [...a].every(([key, newest]) => b.get(key) === newest);
}
