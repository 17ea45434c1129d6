/**
 * Records walked in place: where each lies, its offset and time, where its key is. One object for all records of a
 * batch, for work that looks at millions of them. Trusts lengths no more than the reader does; never decodes headers.
 */
import { MillraceError } from '@millrace/core';
import type { BatchView } from './batch-view.ts';
import { type DecompressionLimits, inflated } from './inflated.ts';
import { RECORD_BYTES_MIN } from './log-record.ts';
import { VarintCursor } from './varint.ts';

/** The fields speak of the record that `next` came to. */
export class RecordCursor {
  /** The batch's records, decompressed. */
  readonly bytes: Buffer;
  /** Of the whole record, its length included. */
  start = 0;
  end = 0;
  /** After the timestamp delta: what does not change when the batch gets another base timestamp. */
  tailStart = 0;
  offset = 0;
  /** Milliseconds since the epoch. */
  timestamp = 0;
  /** -1 for a record without a key. */
  keyStart = -1;
  keyEnd = -1;
  /** False for a tombstone. */
  hasValue = false;
  readonly #varints: VarintCursor;
  readonly #baseOffset: number;
  readonly #baseTimestamp: number;
  readonly #appendTime: number | undefined;
  readonly #lastOffset: number;
  #left: number;

  /** @throws {MillraceError} CORRUPT_MESSAGE, INVALID_RECORD, MESSAGE_TOO_LARGE, UNSUPPORTED_COMPRESSION_TYPE, as `decodeRecords`. */
  constructor(view: BatchView, limits: DecompressionLimits) {
    this.bytes = inflated(view.codec, view.recordsBytes, limits);
    this.#varints = new VarintCursor(this.bytes);
    this.#baseOffset = view.baseOffset;
    this.#baseTimestamp = view.baseTimestamp;
    this.#appendTime = view.timestampType === 'append' ? view.maxTimestamp : undefined;
    this.#lastOffset = view.lastOffset;
    this.offset = this.#baseOffset - 1;
    this.#left = view.recordCount;
    if (this.#left < 0 || this.#left * RECORD_BYTES_MIN > this.bytes.length) {
      throw invalid(`${this.bytes.length} bytes cannot hold ${this.#left} records`);
    }
  }

  /** @returns false after the last record. @throws {MillraceError} CORRUPT_MESSAGE, INVALID_RECORD or MESSAGE_TOO_LARGE. */
  next(): boolean {
    const varints = this.#varints;
    if (this.#left === 0) {
      if (this.end !== this.bytes.length) throw invalid('bytes follow the last record');
      return false;
    }
    this.#left--;
    this.start = this.end;
    const bodyBytes = varints.varint();
    const end = varints.position + bodyBytes;
    if (bodyBytes < RECORD_BYTES_MIN - 1 || end > this.bytes.length) throw corrupt('record', bodyBytes);
    // Its attributes are reserved.
    varints.position++;
    const timestamp = this.#baseTimestamp + varints.varlong();
    this.timestamp = this.#appendTime ?? timestamp;
    this.tailStart = varints.position;
    const offset = this.#baseOffset + varints.varint();
    if (offset <= this.offset || offset > this.#lastOffset) {
      throw invalid(`offset delta ${offset - this.#baseOffset} is out of order or beyond the last one`);
    }
    this.offset = offset;
    const keyBytes = varints.varint();
    this.keyStart = keyBytes < 0 ? -1 : varints.position;
    this.keyEnd = keyBytes < 0 ? -1 : varints.position + keyBytes;
    if (keyBytes > 0) varints.position += keyBytes;
    const valueBytes = varints.varint();
    this.hasValue = valueBytes >= 0;
    const isWhole = varints.position + Math.max(0, valueBytes) < end;
    if (keyBytes < -1 || valueBytes < -1 || !isWhole) throw corrupt('key or a value', valueBytes);
    varints.position = end;
    this.end = end;
    return true;
  }
}

function corrupt(what: string, length: number): MillraceError {
  return new MillraceError('CORRUPT_MESSAGE', `a ${what} claims an impossible length of ${length}`);
}

function invalid(message: string): MillraceError {
  return new MillraceError('INVALID_RECORD', message);
}
