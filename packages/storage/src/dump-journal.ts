/** The records of a journal file as entries for people. Bytes in, entries out; judges a torn end as replay does. */
import { crc32c } from '@millrace/records';
import type { DumpEntry } from './dump-entry.ts';
import { JOURNAL_HEADER_BYTES, type JournalHeader, readJournalHeader } from './journal-record.ts';
import { durableAfter } from './journal-replay.ts';

/**
 * @param fileNumber the one in the file's name: records of another number are left from an earlier use of the file.
 * @param entriesOfPayload what to show of the batches that begin at a position; called for whole records only.
 */
export function* dumpJournal(
  bytes: Buffer,
  fileNumber: number,
  entriesOfPayload: (batches: Buffer, position: number) => Iterable<DumpEntry>,
): Generator<DumpEntry> {
  let at = 0;
  for (;;) {
    const header = readJournalHeader(bytes, at, fileNumber);
    const next = header === undefined ? durableAfter(bytes, at, fileNumber) : undefined;
    if (next !== undefined) {
      yield { kind: 'damage', position: at, problem: `${next - at} bytes that are no whole record` };
      at = next;
      continue;
    }
    if (header === undefined) break;
    const payloadAt = at + JOURNAL_HEADER_BYTES;
    const end = payloadAt + header.payloadBytes;
    const isValid = end <= bytes.length && crc32c(bytes, payloadAt, end) === header.payloadCrc;
    yield recordEntry(header, at, isValid);
    if (isValid) yield* entriesOfPayload(bytes.subarray(payloadAt, end), payloadAt);
    else if (durableAfter(bytes, at, fileNumber) === undefined) break;
    else yield { kind: 'damage', position: at, problem: 'the batches do not match their checksum' };
    at = end;
  }
  if (at < bytes.length) yield { kind: 'unused', position: at, sizeBytes: bytes.length - at };
}

function recordEntry(header: JournalHeader, position: number, isValid: boolean): DumpEntry {
  const { kind: record, roundStart, payloadBytes } = header;
  const place = { kind: 'journal', position, record } as const;
  const rest = { roundStart, sizeBytes: JOURNAL_HEADER_BYTES + payloadBytes, isValid };
  if (record === 'begin') return { ...place, endOfPrevious: header.baseOffset, ...rest };
  const { topicId, partition, baseOffset, lastOffset, leaderEpoch } = header;
  return { ...place, topicId, partition, baseOffset, lastOffset, leaderEpoch, ...rest };
}
