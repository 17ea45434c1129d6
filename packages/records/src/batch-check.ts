/**
 * What a broker demands of a producer's batch before it appends it. Looks at the header and the checksum
 * only: records are never decoded here, since this runs for every batch produced.
 */
import { MillraceError } from '@millrace/core';
import { ATTRIBUTE } from './batch-header.ts';
import type { BatchView } from './batch-view.ts';
import { codecOfId } from './codec-id.ts';
import type { DecompressionLimits } from './inflated.ts';
import { RECORD_BYTES_MIN } from './log-record.ts';

/** Attributes that only the cluster itself may set. */
const FORBIDDEN_ATTRIBUTES =
  ATTRIBUTE.logAppendTime | ATTRIBUTE.control | ATTRIBUTE.deleteHorizon | ATTRIBUTE.unusedMask;

/**
 * @throws {MillraceError} CORRUPT_MESSAGE if the checksum is wrong, UNSUPPORTED_COMPRESSION_TYPE, INVALID_RECORD
 * if the header contradicts itself or claims what a producer may not.
 */
export function checkBatch(view: BatchView, limits: DecompressionLimits): void {
  if (!view.isCrcValid()) {
    throw new MillraceError('CORRUPT_MESSAGE', 'the batch does not match its checksum');
  }
  codecOfId(view.codecId);
  if ((view.attributes & FORBIDDEN_ATTRIBUTES) !== 0) {
    throw invalid(`attributes 0x${view.attributes.toString(16)} are not a producer's to set`);
  }
  checkCounts(view, limits);
  checkTimestamps(view);
  checkProducer(view);
}

function checkCounts(view: BatchView, { maxDecompressedBytes }: DecompressionLimits): void {
  const { recordCount, lastOffsetDelta } = view;
  if (recordCount <= 0) throw invalid(`the batch claims ${recordCount} records`);
  if (lastOffsetDelta !== recordCount - 1) {
    throw invalid(`last offset delta ${lastOffsetDelta} does not fit ${recordCount} records`);
  }
  const roomBytes = view.codecId === 0 ? view.recordsBytes.length : maxDecompressedBytes;
  if (recordCount * RECORD_BYTES_MIN > roomBytes) {
    throw invalid(`${roomBytes} bytes cannot hold ${recordCount} records`);
  }
}

/** -1 means none. Beyond 2^53 a time could not be carried as a number. */
function checkTimestamps({ baseTimestamp, maxTimestamp }: BatchView): void {
  for (const timestamp of [baseTimestamp, maxTimestamp]) {
    if (timestamp < -1 || timestamp > Number.MAX_SAFE_INTEGER) {
      throw invalid(`timestamp ${timestamp} is out of range`);
    }
  }
}

/** Clients without a producer id fill epoch and sequence with what they like; both mean nothing then. */
function checkProducer(view: BatchView): void {
  const { producerId, producerEpoch, baseSequence } = view;
  if (producerId === -1) {
    if (view.isTransactional) throw invalid('a transactional batch has no producer id');
    return;
  }
  if (producerId < 0 || producerId > Number.MAX_SAFE_INTEGER) {
    throw invalid(`producer id ${producerId} is out of range`);
  }
  if (producerEpoch < 0 || baseSequence < 0) {
    throw invalid(`producer ${producerId} has epoch ${producerEpoch} and sequence ${baseSequence}`);
  }
}

function invalid(message: string): MillraceError {
  return new MillraceError('INVALID_RECORD', message);
}
