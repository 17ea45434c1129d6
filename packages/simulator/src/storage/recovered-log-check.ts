/**
 * Judges one log after recovery by what its client knew: invariants 50 (nothing promised is lost), 51 (indexes
 * answer as a scan does), 32 (epochs) and 41 (producers). Violations are thrown as texts with facts in them.
 */
import { MillraceError, type Random } from '@millrace/core';
import type { PartitionLog } from '@millrace/storage';
import { recoveryKeepsWhatIsDurable } from '../invariants/50-recovery-keeps-what-is-durable.ts';
import { indexesAnswerAsAScan } from '../invariants/51-indexes-answer-as-a-scan.ts';
import type { BatchFact, LedgerView } from './log-ledger.ts';
import { rangeOf, StorageViolation } from './storage-invariant.ts';

export interface RecoveredLog {
  readonly startOffset: number;
  readonly endOffset: number;
  /** From the one that holds `startOffset` on. */
  readonly batches: readonly BatchFact[];
}

const BASE_SEQUENCE_AT = 53;

/** @param promisedTo all below must be there: what survives this kind of crash. */
export async function checkRecoveredLog(
  log: PartitionLog,
  ledger: LedgerView,
  promisedTo: number,
  random: Random,
): Promise<RecoveredLog> {
  const batches = await recoveryKeepsWhatIsDurable.judge(
    { log, ledger, promisedTo },
    verdictOf(recoveryKeepsWhatIsDurable),
  );
  const range = rangeOf({ log, ledger });
  const { logStartOffset, logEndOffset, highWatermark } = log;
  if (highWatermark > Math.max(ledger.highWatermarkMax, logStartOffset)) {
    throw new StorageViolation(
      24,
      `${range} has high watermark ${highWatermark} > ${ledger.highWatermarkMax}`,
    );
  }
  checkEpochs(log, ledger, batches, range);
  await indexesAnswerAsAScan.judge({ log, batches, random, range }, verdictOf(indexesAnswerAsAScan));
  checkProducers(log, batches, range);
  return { startOffset: logStartOffset, endOffset: logEndOffset, batches };
}

function verdictOf({ number }: { readonly number: number }): (text: string, notice?: MillraceError) => never {
  return (text, notice) => {
    throw new StorageViolation(number, text, notice);
  };
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
