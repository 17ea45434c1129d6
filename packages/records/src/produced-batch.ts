/**
 * The one batch that a produce request brings for a partition, whatever generation of clients it is from. Says what
 * bytes may stand there; what a batch may hold is `checkBatch`'s to say.
 */
import { MillraceError } from '@millrace/core';
import { FIELD, MAGIC_V2 } from './batch-header.ts';
import { BatchView } from './batch-view.ts';
import { codecId } from './codec-id.ts';
import type { DecompressionLimits } from './inflated.ts';
import { convertMessageSet } from './message-set.ts';

/** What the version of the request allows. */
export interface ProducedFormats {
  /** Produce 0 to 2: message formats 0 and 1 as well. Later ones bring batches only. */
  readonly takesOldFormats: boolean;
  /** Produce 7 and later. */
  readonly takesZstd: boolean;
}

/**
 * A window on `records`, or a new buffer if they were of an older format. As in Kafka, several batches are refused;
 * so is one that is cut short, which Kafka leaves out without a word.
 *
 * @throws {MillraceError} INVALID_RECORD unless there is exactly one batch of a format that may come,
 * CORRUPT_MESSAGE for a torn one, UNSUPPORTED_COMPRESSION_TYPE, UNSUPPORTED_FOR_MESSAGE_FORMAT for formats unknown,
 * and what `convertMessageSet` throws.
 */
export function producedBatch(
  records: Buffer | null,
  formats: ProducedFormats,
  limits: DecompressionLimits,
): Buffer {
  if (records === null || records.length === 0) throw invalid('there are no records');
  if (records.length <= FIELD.magic) throw torn();
  const magic = records.readInt8(FIELD.magic);
  if (magic === 0 || magic === 1) {
    if (formats.takesOldFormats) return convertMessageSet(records, limits);
    throw invalid(`message format ${magic} in a request that brings batches of format ${MAGIC_V2}`);
  }
  const view = BatchView.at(records, 0);
  if (view === undefined) throw torn();
  if (view.sizeBytes !== records.length) throw invalid('exactly one batch is expected for each partition');
  if (!formats.takesZstd && view.codecId === codecId('zstd')) {
    throw new MillraceError('UNSUPPORTED_COMPRESSION_TYPE', 'zstd needs a newer version of the request');
  }
  return view.bytes;
}

function invalid(message: string): MillraceError {
  return new MillraceError('INVALID_RECORD', message);
}

function torn(): MillraceError {
  return new MillraceError('CORRUPT_MESSAGE', 'the batch is cut short');
}
