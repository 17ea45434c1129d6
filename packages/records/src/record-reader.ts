/**
 * Records out of a batch. Keys and values share memory with the batch, or with what it decompressed to.
 * Trusts nothing: a batch whose CRC is right may still be hostile. Never on a broker's append or fetch path.
 */
import { MiB, MillraceError } from '@millrace/core';
import type { BatchView } from './batch-view.ts';
import { type DecompressionLimits, inflated } from './inflated.ts';
import { type LogRecord, NO_HEADERS, RECORD_BYTES_MIN, type RecordHeader } from './log-record.ts';
import { VarintCursor } from './varint.ts';

const LIMITS_DEFAULT: DecompressionLimits = { maxDecompressedBytes: 64 * MiB };

/**
 * Every record, in order. Batches that compaction thinned are fine.
 *
 * @throws {MillraceError} CORRUPT_MESSAGE for bytes that are no records, INVALID_RECORD if they contradict
 * the header, MESSAGE_TOO_LARGE above the limit, UNSUPPORTED_COMPRESSION_TYPE.
 */
export function decodeRecords(view: BatchView, limits: DecompressionLimits = LIMITS_DEFAULT): LogRecord[] {
  const records: LogRecord[] = [];
  forEachRecord(view, (record) => records.push(record), limits);
  return records;
}

/** As `decodeRecords`, one record at a time. */
export function forEachRecord(
  view: BatchView,
  visit: (record: LogRecord) => void,
  limits: DecompressionLimits = LIMITS_DEFAULT,
): void {
  forEachPlainRecord(view, inflated(view.codec, view.recordsBytes, limits), visit);
}

/** As `forEachRecord`, for a batch whose records are decompressed already: `bytes`. */
export function forEachPlainRecord(view: BatchView, bytes: Buffer, visit: (record: LogRecord) => void): void {
  refuseTooMany(view, bytes);
  const reader = new RecordReader(bytes, view);
  for (let left = view.recordCount; left > 0; left--) visit(reader.next());
  if (!reader.isAtEnd) throw contradiction('bytes follow the last record');
}

/**
 * Walks the records without keeping any: lengths, count and offset deltas (rising, within the header's last one).
 *
 * @throws {MillraceError} as `decodeRecords`.
 */
export function checkRecords(view: BatchView, limits: DecompressionLimits): void {
  let previous = view.baseOffset - 1;
  forEachRecord(
    view,
    ({ offset }) => {
      if (offset <= previous || offset > view.lastOffset) {
        throw contradiction(
          `offset delta ${offset - view.baseOffset} is out of order or beyond the last one`,
        );
      }
      previous = offset;
    },
    limits,
  );
}

/** The bytes must be enough for as many as the header claims. */
function refuseTooMany({ recordCount }: BatchView, bytes: Buffer): void {
  if (recordCount >= 0 && recordCount * RECORD_BYTES_MIN <= bytes.length) return;
  throw contradiction(`${bytes.length} bytes cannot hold ${recordCount} records`);
}

class RecordReader {
  readonly #bytes: Buffer;
  readonly #cursor: VarintCursor;
  readonly #baseOffset: number;
  readonly #baseTimestamp: number;
  /** The time of every record if the leader set it. */
  readonly #appendTime: number | undefined;

  constructor(bytes: Buffer, view: BatchView) {
    this.#bytes = bytes;
    this.#cursor = new VarintCursor(bytes);
    this.#baseOffset = view.baseOffset;
    this.#baseTimestamp = view.baseTimestamp;
    this.#appendTime = view.timestampType === 'append' ? view.maxTimestamp : undefined;
  }

  get isAtEnd(): boolean {
    return this.#cursor.position === this.#bytes.length;
  }

  next(): LogRecord {
    const cursor = this.#cursor;
    const bodyBytes = cursor.varint();
    const end = cursor.position + bodyBytes;
    if (bodyBytes < RECORD_BYTES_MIN - 1 || end > this.#bytes.length) throw corrupt('record', bodyBytes);
    // Records' own attributes are reserved; readers skip them.
    cursor.position++;
    const timestamp = this.#baseTimestamp + cursor.varlong();
    const offset = this.#baseOffset + cursor.varint();
    const key = this.#slice(end, 'key');
    const value = this.#slice(end, 'value');
    const headerCount = cursor.varint();
    const headers = headerCount === 0 ? NO_HEADERS : this.#headers(headerCount, end);
    if (cursor.position !== end) throw contradiction('a record is not as long as it claims');
    return { offset, timestamp: this.#appendTime ?? timestamp, key, value, headers };
  }

  #slice(end: number, what: string): Buffer | null {
    const length = this.#cursor.varint();
    if (length === -1) return null;
    const start = this.#cursor.position;
    if (length < 0 || start + length > end) throw corrupt(what, length);
    this.#cursor.position = start + length;
    return this.#bytes.subarray(start, start + length);
  }

  #headers(count: number, end: number): RecordHeader[] {
    // A header takes two bytes or more.
    if (count < 0 || count * 2 > end - this.#cursor.position) throw corrupt('header list', count);
    const headers: RecordHeader[] = [];
    for (let i = 0; i < count; i++) {
      const key = this.#slice(end, 'header key');
      if (key === null) throw corrupt('header key', -1);
      headers.push({ key: key.toString('utf8'), value: this.#slice(end, 'header value') });
    }
    return headers;
  }
}

function corrupt(what: string, length: number): MillraceError {
  return new MillraceError('CORRUPT_MESSAGE', `a ${what} claims an impossible length of ${length}`);
}

function contradiction(message: string): MillraceError {
  return new MillraceError('INVALID_RECORD', message);
}
