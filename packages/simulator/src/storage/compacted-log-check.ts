/**
 * Judges what compaction left of a log by the batches that were appended: what is there was written so, every offset is
 * covered, and nothing is gone but what a newer record of the same key, or a tombstone's end, made needless.
 */
import { BatchView, decodeRecords, type LogRecord, splitBatches } from '@millrace/records';
import type { BatchFact } from './log-ledger.ts';

export interface KnownLog {
  readonly batches: readonly BatchFact[];
  /** What was written right before them, wholly below `startOffset`. */
  readonly below: readonly BatchFact[];
  readonly startOffset: number;
  readonly endOffset: number;
}

/** Why it cannot be that log after compaction; undefined if it can. @param compactedTo from there on nothing may differ. */
export function compactionFault(
  found: readonly Buffer[],
  known: KnownLog,
  compactedTo: number,
): string | undefined {
  const there = found.map((bytes) => BatchView.at(bytes, 0)!);
  return unwritten(there, known, compactedTo) ?? missing(there, known) ?? lostProducer(there, known);
}

export function factsOf(found: readonly Buffer[]): BatchFact[] {
  return found.map((bytes) => {
    const view = BatchView.at(bytes, 0)!;
    const { baseOffset, lastOffset, leaderEpoch, producerId, producerEpoch, baseSequence } = view;
    return {
      baseOffset,
      lastOffset,
      epoch: leaderEpoch,
      timestamp: decodeRecords(view)[0]?.timestamp ?? 0,
      bytes,
      producer: producerId < 0 ? undefined : { producerId, producerEpoch, baseSequence },
    };
  });
}

function unwritten(
  found: readonly BatchView[],
  { batches, below, startOffset }: KnownLog,
  compactedTo: number,
): string | undefined {
  const written = [...below, ...batches];
  const records = recordsOf(batches.map(({ bytes, baseOffset, epoch }) => placed(bytes, baseOffset, epoch)));
  const byBase = new Map(batches.map((fact) => [fact.baseOffset, fact]));
  let expected = found[0]!.baseOffset;
  if (expected > startOffset) return `it begins at ${expected}, after ${startOffset}`;
  for (const view of found) {
    const { baseOffset, lastOffset, leaderEpoch } = view;
    if (baseOffset !== expected) return `offset ${expected} is in no batch`;
    expected = view.nextOffset;
    const first = written.findLast((fact) => fact.baseOffset <= baseOffset);
    const last = written.findLast((fact) => fact.baseOffset <= lastOffset);
    if (first === undefined || last === undefined) return `nothing was written at ${baseOffset}`;
    if (first.epoch !== leaderEpoch || last.epoch !== leaderEpoch) {
      return `the batch at ${baseOffset} has epoch ${leaderEpoch} instead of ${first.epoch} to ${last.epoch}`;
    }
    if (lastOffset >= compactedTo && !byBase.get(baseOffset)?.bytes.equals(view.bytes)) {
      return `the batch at ${baseOffset} was never written so, and ${compactedTo} is the end of compaction`;
    }
    if (!view.isCrcValid()) return `the batch at ${baseOffset} has a wrong checksum`;
    for (const record of decodeRecords(view)) {
      const original = records.get(record.offset);
      if (original === undefined || !isSame(original, record)) {
        return `the record at ${record.offset} was never written so`;
      }
    }
  }
  return undefined;
}

/** The newest of each key must be there, unless it is a tombstone. */
function missing(
  found: readonly BatchView[],
  { batches, startOffset, endOffset }: KnownLog,
): string | undefined {
  const there = recordsOf(found);
  const newest = new Map<string, LogRecord>();
  for (const record of recordsOf(
    batches.map((fact) => placed(fact.bytes, fact.baseOffset, fact.epoch)),
  ).values()) {
    if (record.offset >= startOffset && record.offset < endOffset) newest.set(String(record.key), record);
  }
  for (const [key, { offset, value }] of newest) {
    if (value !== null && !there.has(offset)) return `${key} was written last at ${offset}, and that is gone`;
  }
  return undefined;
}

/** The newest batch of each producer must be there, with records or without. */
function lostProducer(
  found: readonly BatchView[],
  { batches, startOffset, endOffset }: KnownLog,
): string | undefined {
  const newest = new Map<number, BatchFact>();
  for (const fact of batches) {
    const { producer, baseOffset, lastOffset } = fact;
    if (producer !== undefined && lastOffset >= startOffset && baseOffset < endOffset)
      newest.set(producer.producerId, fact);
  }
  for (const [producerId, { baseOffset, lastOffset }] of newest) {
    const isThere = found.some(
      (view) =>
        view.producerId === producerId && view.baseOffset === baseOffset && view.lastOffset === lastOffset,
    );
    if (!isThere) return `the last batch of producer ${producerId}, at ${baseOffset}, is gone`;
  }
  return undefined;
}

/** As it stands in the log: what was kept may not have its offset yet. */
function placed(bytes: Buffer, baseOffset: number, epoch: number): BatchView {
  const [view] = splitBatches(Buffer.from(bytes));
  view!.assignOffsets(baseOffset, epoch);
  return view!;
}

function recordsOf(batches: readonly BatchView[]): Map<number, LogRecord> {
  return new Map(batches.flatMap((view) => decodeRecords(view)).map((record) => [record.offset, record]));
}

function isSame(one: LogRecord, other: LogRecord): boolean {
  const isEqual = (a: Buffer | null, b: Buffer | null): boolean =>
    a === null || b === null ? a === b : a.equals(b);
  return one.timestamp === other.timestamp && isEqual(one.key, other.key) && isEqual(one.value, other.value);
}
