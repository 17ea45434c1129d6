/**
 * Judges one log after recovery by what its client knew: invariants 50 (nothing promised is lost), 51 (indexes
 * answer as a scan does), 32 (epochs) and 41 (producers). Violations are thrown as texts with facts in them.
 */
import { below, MillraceError, type Random } from '@millrace/core';
import { BatchView, decodeRecords, splitBatches } from '@millrace/records';
import type { PartitionLog } from '@millrace/storage';
import { compactionFault, factsOf } from './compacted-log-check.ts';
import type { BatchFact, LedgerView } from './log-ledger.ts';

export class StorageViolation extends Error {
  readonly invariant: number;
  /** What the storage itself said, if it noticed: then nothing wrong is served. */
  readonly notice: MillraceError | undefined;

  constructor(invariant: number, message: string, notice?: MillraceError) {
    super(`invariant ${invariant}: ${message}`);
    this.invariant = invariant;
    this.notice = notice;
  }
}

export interface RecoveredLog {
  readonly startOffset: number;
  readonly endOffset: number;
  /** From the one that holds `startOffset` on. */
  readonly batches: readonly BatchFact[];
}

const BASE_SEQUENCE_AT = 53;
const READ_BYTES = 64 * 1024;

/** @param promisedTo all below must be there: what survives this kind of crash. */
export async function checkRecoveredLog(
  log: PartitionLog,
  ledger: LedgerView,
  promisedTo: number,
  random: Random,
): Promise<RecoveredLog> {
  const where = `${ledger.topic}-${ledger.partition}`;
  if (log.offline !== undefined)
    throw new StorageViolation(50, `${where} is offline: ${log.offline.message}`, log.offline);
  const { logStartOffset, logEndOffset, flushedOffset, highWatermark } = log;
  const range = `${where} from ${logStartOffset} to ${logEndOffset}`;
  if (flushedOffset !== logEndOffset)
    throw new StorageViolation(50, `${range} is flushed up to ${flushedOffset}`);
  if (logEndOffset < promisedTo) throw new StorageViolation(50, `${range} was promised up to ${promisedTo}`);
  const { startMin, startMax } = ledger;
  if (logStartOffset < startMin || logStartOffset > startMax) {
    throw new StorageViolation(50, `${range} must start between ${startMin} and ${startMax}`);
  }
  if (highWatermark > Math.max(ledger.highWatermarkMax, logStartOffset)) {
    throw new StorageViolation(
      24,
      `${range} has high watermark ${highWatermark} > ${ledger.highWatermarkMax}`,
    );
  }
  const batches = await readAll(log, ledger, range);
  checkEpochs(log, ledger, batches, range);
  await checkIndexes(log, batches, random, range);
  checkProducers(log, batches, range);
  return { startOffset: logStartOffset, endOffset: logEndOffset, batches };
}

/** What the log lost must not pass for a duplicate: the client would count it as stored. Appends: do it last. */
export function checkLostBatches(log: PartitionLog, ledger: LedgerView, endOffset: number): void {
  for (const { batches, count } of ledger.histories) {
    const lost = batches.slice(0, count).find((fact) => fact.baseOffset >= endOffset && fact.producer);
    if (lost === undefined) continue;
    const isElsewhere = ledger.histories.some((history) =>
      history.batches.some((fact) => fact.bytes !== lost.bytes && isSameBatch(fact, lost)),
    );
    if (isElsewhere) continue;
    let answer: { readonly duplicate: boolean };
    try {
      answer = log.appendAsLeader(Buffer.from(lost.bytes), Math.max(log.lastEpoch, 0));
    } catch (error) {
      if (error instanceof MillraceError && error.code === 'OUT_OF_ORDER_SEQUENCE_NUMBER') return;
      throw error;
    }
    if (answer.duplicate) {
      throw new StorageViolation(41, `the batch at ${lost.baseOffset} is lost but passes for a duplicate`);
    }
    return;
  }
}

function isSameBatch(one: BatchFact, other: BatchFact): boolean {
  return (
    one.producer?.producerId === other.producer?.producerId &&
    one.producer?.baseSequence === other.producer?.baseSequence
  );
}

/** Byte for byte a part of one of the histories. */
async function readAll(log: PartitionLog, ledger: LedgerView, range: string): Promise<BatchFact[]> {
  const { logStartOffset, logEndOffset } = log;
  const found: Buffer[] = [];
  let offset = logStartOffset;
  let first = -1;
  while (offset < logEndOffset) {
    const bytes = await log.read(offset, READ_BYTES, logEndOffset);
    const views = splitBatches(bytes);
    if (views.length === 0) throw new StorageViolation(51, `${range}: nothing is read at ${offset}`);
    for (const view of views) {
      if (first === -1) first = view.baseOffset;
      found.push(view.bytes);
      offset = view.nextOffset;
    }
  }
  if (found.length === 0) return [];
  const reasons: string[] = [];
  for (const { batches, count } of ledger.histories) {
    if (ledger.compactedTo > 0) {
      const known = {
        batches: batches.slice(0, count),
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
  throw new StorageViolation(50, `${range} holds what nobody wrote: ${reasons.join('; ')}`);
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

function checkEpochs(
  log: PartitionLog,
  ledger: LedgerView,
  batches: readonly BatchFact[],
  range: string,
): void {
  for (const [i, { baseOffset, epoch, lastOffset }] of batches.entries()) {
    const at = Math.max(baseOffset, log.logStartOffset);
    if (log.epochAt(at) !== epoch) {
      throw new StorageViolation(
        32,
        `${range}: offset ${at} has epoch ${epoch}, the cache says ${log.epochAt(at)}`,
      );
    }
    const next = batches[i + 1];
    if (next === undefined || next.epoch === epoch) continue;
    const end = log.endOffsetForEpoch(epoch);
    if (end.epoch !== epoch || end.endOffset !== lastOffset + 1) {
      throw new StorageViolation(
        32,
        `${range}: epoch ${epoch} ends at ${lastOffset + 1}, not ${end.endOffset}`,
      );
    }
  }
  const { lastEpoch } = log;
  if (lastEpoch > ledger.epochMax || lastEpoch < (batches.at(-1)?.epoch ?? -1)) {
    throw new StorageViolation(32, `${range}: last epoch ${lastEpoch}, largest ever ${ledger.epochMax}`);
  }
}

async function checkIndexes(
  log: PartitionLog,
  batches: readonly BatchFact[],
  random: Random,
  range: string,
): Promise<void> {
  if (batches.length === 0) return;
  for (let i = 0; i < 3; i++) {
    const fact = batches[below(random, batches.length)]!;
    const offset = Math.max(log.logStartOffset, fact.baseOffset);
    const bytes = await log.read(offset, 1, log.logEndOffset);
    if (!bytes.equals(fact.bytes))
      throw new StorageViolation(51, `${range}: reading ${offset} finds other bytes`);
  }
  const { timestamp } = batches[below(random, batches.length)]!;
  const wanted = timestamp + below(random, 3) - 1;
  const found = await log.offsetForTimestamp(wanted);
  const expected = scanForTimestamp(batches, wanted, log.logStartOffset);
  if (found?.offset !== expected) {
    throw new StorageViolation(
      51,
      `${range}: timestamp ${wanted} is at ${expected}, found at ${found?.offset}`,
    );
  }
}

function scanForTimestamp(batches: readonly BatchFact[], wanted: number, from: number): number | undefined {
  for (const { bytes } of batches) {
    const records = decodeRecords(BatchView.at(bytes, 0)!);
    const first = records.find(({ offset, timestamp }) => offset >= from && timestamp >= wanted);
    if (first !== undefined) return first.offset;
  }
  return undefined;
}

/** The newest batch of each producer is known as appended, and one after a gap is refused. */
function checkProducers(log: PartitionLog, batches: readonly BatchFact[], range: string): void {
  const newest = new Map<number, BatchFact>();
  for (const fact of batches) if (fact.producer !== undefined) newest.set(fact.producer.producerId, fact);
  for (const [producerId, { bytes, baseOffset, lastOffset, producer }] of newest) {
    const epoch = Math.max(log.lastEpoch, 0);
    const answer = outcome(() => log.appendAsLeader(Buffer.from(bytes), epoch));
    if (answer !== `duplicate of ${baseOffset}`) {
      throw new StorageViolation(41, `${range}: producer ${producerId} retries ${baseOffset}: ${answer}`);
    }
    const gap = Buffer.from(bytes);
    gap.writeInt32BE(producer!.baseSequence + lastOffset - baseOffset + 2, BASE_SEQUENCE_AT);
    const refusal = outcome(() => log.appendAsLeader(gap, epoch));
    if (refusal !== 'OUT_OF_ORDER_SEQUENCE_NUMBER') {
      throw new StorageViolation(41, `${range}: producer ${producerId} leaves a gap: ${refusal}`);
    }
  }
}

function outcome(append: () => { readonly duplicate: boolean; readonly baseOffset: number }): string {
  try {
    const { duplicate, baseOffset } = append();
    return `${duplicate ? 'duplicate of' : 'appended at'} ${baseOffset}`;
  } catch (error) {
    return error instanceof MillraceError ? error.code : String(error);
  }
}
