/** Invariant 50: after recovery a log holds, byte for byte, what was appended to it, and all of it that was promised. */
import { splitBatches } from '@millrace/records';
import { compactionFault, factsOf } from '../storage/compacted-log-check.ts';
import type { BatchFact } from '../storage/log-ledger.ts';
import { type ReopenedLog, rangeOf, type StorageInvariant } from '../storage/storage-invariant.ts';

const READ_BYTES = 64 * 1024;

/** Resolves with what the log holds, as it was appended. */
export const recoveryKeepsWhatIsDurable: StorageInvariant<ReopenedLog, readonly BatchFact[]> = {
  number: 50,
  name: 'recovery-keeps-what-is-durable',
  async judge(view, violated) {
    const { log, ledger, promisedTo } = view;
    if (log.offline !== undefined)
      violated(`${ledger.topic}-${ledger.partition} is offline: ${log.offline.message}`, log.offline);
    const { logStartOffset, logEndOffset, flushedOffset } = log;
    const range = rangeOf(view);
    if (flushedOffset !== logEndOffset) violated(`${range} is flushed up to ${flushedOffset}`);
    if (logEndOffset < promisedTo) violated(`${range} was promised up to ${promisedTo}`);
    const { startMin, startMax } = ledger;
    if (logStartOffset < startMin || logStartOffset > startMax) {
      violated(`${range} must start between ${startMin} and ${startMax}`);
    }
    return await readAll(view, range, violated);
  },
};

/** Byte for byte a part of one of the histories. */
async function readAll(
  { log, ledger }: ReopenedLog,
  range: string,
  violated: (text: string) => never,
): Promise<BatchFact[]> {
  const { logStartOffset, logEndOffset } = log;
  const found: Buffer[] = [];
  let offset = logStartOffset;
  let first = -1;
  while (offset < logEndOffset) {
    const bytes = await log.read(offset, READ_BYTES, logEndOffset);
    const views = splitBatches(bytes);
    if (views.length === 0) violated(`${range}: nothing is read at ${offset}`);
    for (const view of views) {
      if (first === -1) first = view.baseOffset;
      found.push(view.bytes);
      offset = view.nextOffset;
    }
  }
  if (found.length === 0) return [];
  const reasons: string[] = [];
  for (const { batches, count, below } of ledger.histories) {
    if (ledger.compactedTo > 0) {
      const known = {
        batches: batches.slice(0, count),
        below,
        startOffset: logStartOffset,
        endOffset: logEndOffset,
      };
      const reason = compactionFault(found, known, ledger.compactedTo);
      if (reason === undefined) return factsOf(found);
      reasons.push(reason);
      continue;
    }
    const at = indexOf(batches, count, first);
    const there = at === -1 ? [] : batches.slice(at, Math.min(count, at + found.length));
    const differs = found.findIndex((bytes, i) => there[i] === undefined || !there[i].bytes.equals(bytes));
    if (at !== -1 && differs === -1) return there;
    reasons.push(
      at === -1 ? `none begins at ${first}` : `batch ${differs} after ${first} was never written so`,
    );
  }
  return violated(`${range} holds what nobody wrote: ${reasons.join('; ')}`);
}

function indexOf(batches: readonly BatchFact[], count: number, baseOffset: number): number {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (batches[middle]!.baseOffset < baseOffset) low = middle + 1;
    else high = middle;
  }
  return low < count && batches[low]!.baseOffset === baseOffset ? low : -1;
}
