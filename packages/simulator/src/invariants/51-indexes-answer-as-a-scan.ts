/** Invariant 51: what an index finds, by offset or by timestamp, is what a scan of the log finds. */
import { below } from '@millrace/core';
import { BatchView, decodeRecords } from '@millrace/records';
import type { BatchFact } from '../storage/log-ledger.ts';
import type { KnownContents, StorageInvariant } from '../storage/storage-invariant.ts';

export const indexesAnswerAsAScan: StorageInvariant<KnownContents> = {
  number: 51,
  name: 'indexes-answer-as-a-scan',
  async judge({ log, batches, random, range }, violated) {
    if (batches.length === 0) return;
    for (let i = 0; i < 3; i++) {
      const fact = batches[below(random, batches.length)]!;
      const offset = Math.max(log.logStartOffset, fact.baseOffset);
      const bytes = await log.read(offset, 1, log.logEndOffset);
      if (!bytes.equals(fact.bytes)) violated(`${range}: reading ${offset} finds other bytes`);
    }
    const { timestamp } = batches[below(random, batches.length)]!;
    const wanted = timestamp + below(random, 3) - 1;
    const found = await log.offsetForTimestamp(wanted);
    const expected = scanForTimestamp(batches, wanted, log.logStartOffset);
    if (found?.offset !== expected) {
      violated(`${range}: timestamp ${wanted} is at ${expected}, found at ${found?.offset}`);
    }
  },
};

function scanForTimestamp(batches: readonly BatchFact[], wanted: number, from: number): number | undefined {
  for (const { bytes } of batches) {
    const records = decodeRecords(BatchView.at(bytes, 0)!);
    const first = records.find(({ offset, timestamp }) => offset >= from && timestamp >= wanted);
    if (first !== undefined) return first.offset;
  }
  return undefined;
}
