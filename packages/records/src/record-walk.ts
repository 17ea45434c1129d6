/**
 * A producer's records walked before they are stored: whatever a leader accepts, every consumer of the partition must
 * be able to read. The broker's hot path: no object for a record, and no key or value is looked at.
 */
import { MillraceError } from '@millrace/core';
import type { BatchView } from './batch-view.ts';
import { type DecompressionLimits, inflated } from './inflated.ts';
import { RECORD_BYTES_MIN } from './log-record.ts';
import { refuseLz4OfOthers } from './lz4.ts';

/** To walk over a record, or a header of one, costs what it costs to inflate so many bytes. */
const PIECE_BYTES = 8;
/** Fewer take less time than it takes to append the batch. */
const PIECES_FREE = 2_048;

export interface RecordDemands {
  /** Compacted topics take no record without a key. */
  readonly needsKeys: boolean;
}

/**
 * What `checkBatch` leaves open: that the batch holds exactly the records that its header counts, one after another.
 *
 * @param limits told what many small pieces cost, compressed or not.
 * @returns the records' bytes, decompressed.
 * @throws {MillraceError} INVALID_RECORD for records that contradict the header or themselves, and for bytes that the
 * codec cannot read: clients send again what is CORRUPT_MESSAGE, but the checksum is right. MESSAGE_TOO_LARGE above
 * the limit; UNSUPPORTED_COMPRESSION_TYPE.
 */
export function checkProducedRecords(
  view: BatchView,
  limits: DecompressionLimits,
  { needsKeys }: RecordDemands,
): Buffer {
  const isPlain = view.codecId === 0;
  const bytes = isPlain ? view.recordsBytes : decompressed(view, limits);
  let costBytes = isPlain ? bytes.length : 0;
  try {
    const pieces = walk(bytes, view.recordCount, needsKeys);
    costBytes = pieces > PIECES_FREE ? pieces * PIECE_BYTES : 0;
  } finally {
    if (costBytes > 0) limits.spent?.(costBytes);
  }
  return bytes;
}

function decompressed(view: BatchView, limits: DecompressionLimits): Buffer {
  const { codec, recordsBytes } = view;
  try {
    const bytes = inflated(codec, recordsBytes, limits);
    if (codec === 'lz4') refuseLz4OfOthers(recordsBytes);
    return bytes;
  } catch (error) {
    if (!(error instanceof MillraceError) || error.code !== 'CORRUPT_MESSAGE') throw error;
    throw new MillraceError('INVALID_RECORD', error.message, { cause: error });
  }
}

/**
 * Integers of one and two bytes are read in place: nearly all are. Measured: a method for each costs five times as much.
 *
 * @returns how many records and headers there are.
 */
function walk(bytes: Uint8Array, recordCount: number, needsKeys: boolean): number {
  const sizeBytes = bytes.length;
  const cursor = new LongVarints(bytes);
  let headers = 0;
  let at = 0;
  let low = 0;
  for (let index = 0; index < recordCount; index++) {
    if (at + RECORD_BYTES_MIN > sizeBytes) throw invalid(`the bytes end before record ${index}`);
    let zigzag = bytes[at++]!;
    if (zigzag >= 0x80) {
      low = bytes[at++]!;
      zigzag = low < 0x80 ? (zigzag & 0x7f) | (low << 7) : cursor.zigzag(at - 2);
      if (low >= 0x80) at = cursor.at;
    }
    const end = at + (zigzag >>> 1);
    if ((zigzag & 1) !== 0 || end > sizeBytes || end - at < RECORD_BYTES_MIN - 1) {
      throw invalid(`record ${index} claims an impossible length`);
    }
    // Its attributes are reserved; nobody reads them. Then the timestamp delta.
    at++;
    if (bytes[at++]! >= 0x80 && bytes[at++]! >= 0x80) at = cursor.pastLong(at - 2);

    zigzag = bytes[at++]!;
    if (zigzag >= 0x80) {
      low = bytes[at++]!;
      zigzag = low < 0x80 ? (zigzag & 0x7f) | (low << 7) : cursor.zigzag(at - 2);
      if (low >= 0x80) at = cursor.at;
    }
    if (zigzag !== 2 * index) throw invalid(`record ${index} has another offset delta`);

    zigzag = bytes[at++]!;
    if (zigzag >= 0x80) {
      low = bytes[at++]!;
      zigzag = low < 0x80 ? (zigzag & 0x7f) | (low << 7) : cursor.zigzag(at - 2);
      if (low >= 0x80) at = cursor.at;
    }
    if ((zigzag & 1) === 0) at += zigzag >>> 1;
    else refuseNull(zigzag, index, needsKeys);
    if (at >= end) throw invalid(`the key of record ${index} is longer than the record`);

    zigzag = bytes[at++]!;
    if (zigzag >= 0x80) {
      low = bytes[at++]!;
      zigzag = low < 0x80 ? (zigzag & 0x7f) | (low << 7) : cursor.zigzag(at - 2);
      if (low >= 0x80) at = cursor.at;
    }
    if ((zigzag & 1) === 0) at += zigzag >>> 1;
    else if (zigzag !== 1) throw invalid(`the value of record ${index} has a negative length`);
    if (at >= end) throw invalid(`the value of record ${index} is longer than the record`);

    if (bytes[at] === 0) at++;
    else {
      headers += cursor.headers(at, end, index);
      at = cursor.at;
    }
    if (at !== end) throw invalid(`record ${index} is not as long as it claims`);
  }
  if (at !== sizeBytes) throw invalid('bytes follow the last record');
  return recordCount + headers;
}

function refuseNull(zigzag: number, index: number, needsKeys: boolean): void {
  if (zigzag !== 1) throw invalid(`the key of record ${index} has a negative length`);
  if (!needsKeys) return;
  throw invalid(`record ${index} of the batch has no key; a compacted topic takes none without`);
}

class LongVarints {
  /** After what was read last. */
  at = 0;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** An int32 as it is written, unsigned. */
  zigzag(start: number): number {
    const bytes = this.#bytes;
    const [first, second, third] = [bytes[start]!, bytes[start + 1]!, bytes[start + 2]!];
    if (first >= 0x80 && second >= 0x80 && third < 0x80) {
      this.at = start + 3;
      return (first & 0x7f) | ((second & 0x7f) << 7) | (third << 14);
    }
    let at = start;
    let zigzag = 0;
    for (let shift = 0; shift < 35 && at < bytes.length; shift += 7) {
      const byte = bytes[at++]!;
      zigzag |= (byte & 0x7f) << shift;
      if (byte >= 0x80) continue;
      if (shift === 28 && byte > 0x0f) break;
      this.at = at;
      return zigzag >>> 0;
    }
    throw invalid('a record holds an integer that is cut off, or longer than 32 bits');
  }

  /** Passes over a long integer that readers can hold. */
  pastLong(start: number): number {
    const bytes = this.#bytes;
    let at = start;
    let zigzag = 0;
    for (let scale = 1; scale < 2 ** 63 && at < bytes.length; scale *= 0x80) {
      const byte = bytes[at++]!;
      zigzag += (byte & 0x7f) * scale;
      if (byte >= 0x80) continue;
      if (zigzag > Number.MAX_SAFE_INTEGER) break;
      return at;
    }
    throw invalid('a timestamp delta is cut off, or beyond 2^52');
  }

  headers(start: number, end: number, index: number): number {
    const bytes = this.#bytes;
    const zigzagCount = this.zigzag(start);
    if ((zigzagCount & 1) !== 0) throw invalid(`record ${index} claims a negative number of headers`);
    const count = zigzagCount >>> 1;
    let at = this.at;
    for (let i = 0; i < count; i++) {
      let zigzag = bytes[at++]!;
      if (!(zigzag < 0x80)) {
        zigzag = this.zigzag(at - 1);
        at = this.at;
      }
      if ((zigzag & 1) !== 0) throw invalid(`a header of record ${index} has no key`);
      at += zigzag >>> 1;
      if (at >= end) throw invalid(`a header key of record ${index} is longer than the record`);
      zigzag = bytes[at++]!;
      if (!(zigzag < 0x80)) {
        zigzag = this.zigzag(at - 1);
        at = this.at;
      }
      if ((zigzag & 1) === 0) at += zigzag >>> 1;
      else if (zigzag !== 1) throw invalid(`a header value of record ${index} has a negative length`);
      if (at > end) throw invalid(`a header value of record ${index} is longer than the record`);
    }
    this.at = at;
    return count;
  }
}

function invalid(message: string): MillraceError {
  return new MillraceError('INVALID_RECORD', message);
}
