/** What a log demands of batches before it writes them. Looks at headers and checksums only; changes nothing. */
import { MillraceError } from '@millrace/core';
import { BatchView, emptyBatch, splitBatches } from '@millrace/records';
import type { LogConfig } from './log-config.ts';

export interface LeaderAppend {
  readonly baseOffset: number;
  readonly lastOffset: number;
  /** The batch was appended before; the offsets are those of the first time. */
  readonly duplicate: boolean;
  /** -1 unless the topic's timestamp type is 'append'. */
  readonly logAppendTimeMs: number;
}

/** @throws {MillraceError} INVALID_RECORD unless `bytes` is exactly one batch; MESSAGE_TOO_LARGE. */
export function soleBatch(bytes: Buffer, maxBytes: number): BatchView {
  if (bytes.length > maxBytes) {
    throw new MillraceError(
      'MESSAGE_TOO_LARGE',
      `the batch has ${bytes.length} bytes; the topic takes ${maxBytes}`,
    );
  }
  const batch = BatchView.at(bytes, 0);
  if (batch === undefined || batch.sizeBytes !== bytes.length) {
    throw new MillraceError('INVALID_RECORD', 'a partition takes exactly one whole batch at a time');
  }
  return batch;
}

/** The producer's times must be near the broker's, as the topic says. @throws {MillraceError} INVALID_TIMESTAMP */
export function checkTimestamps(batch: BatchView, config: LogConfig, nowMs: number): void {
  if (config.timestampType === 'append') return;
  const { baseTimestamp, maxTimestamp } = batch;
  if (maxTimestamp < 0) return;
  if (maxTimestamp - nowMs > config.timestampAfterMaxMs) {
    throw new MillraceError(
      'INVALID_TIMESTAMP',
      `timestamp ${maxTimestamp} is more than message.timestamp.after.max.ms=${config.timestampAfterMaxMs} ahead`,
    );
  }
  if (nowMs - baseTimestamp > config.timestampBeforeMaxMs) {
    throw new MillraceError(
      'INVALID_TIMESTAMP',
      `timestamp ${baseTimestamp} is more than message.timestamp.before.max.ms=${config.timestampBeforeMaxMs} ago`,
    );
  }
}

/**
 * What the leader compacted may be one empty batch from before our end on: of that only what we lack is taken.
 * Batches of records, and those that tell of a producer, begin and end everywhere where they were appended.
 */
export function withoutKnownGap(bytes: Buffer, expected: number): Buffer {
  const first = BatchView.at(bytes, 0);
  if (first === undefined || first.baseOffset >= expected || first.lastOffset < expected) return bytes;
  if (first.recordCount !== 0 || first.producerId !== -1 || !first.isCrcValid()) return bytes;
  const { lastOffset, leaderEpoch, sizeBytes } = first;
  return Buffer.concat([
    emptyBatch({ baseOffset: expected, lastOffset, leaderEpoch }),
    bytes.subarray(sizeBytes),
  ]);
}

/**
 * The whole batches of a leader's answer; a torn one at its end is left out.
 *
 * @param mayBeginEarlier the log is empty: its first batch may begin before `expected` if it reaches it.
 * @throws {MillraceError} CORRUPT_MESSAGE
 */
export function checkFollowerBatches(
  bytes: Buffer,
  expected: number,
  lastEpoch: number,
  mayBeginEarlier: boolean,
): BatchView[] {
  const batches = splitBatches(bytes);
  let [offset, epoch] = [expected, lastEpoch];
  for (const batch of batches) {
    const { baseOffset, leaderEpoch, lastOffset } = batch;
    const isEarlier =
      mayBeginEarlier && batch === batches[0] && baseOffset < expected && lastOffset >= expected;
    if (baseOffset !== offset && !isEarlier) {
      throw corrupt(`the leader sent offset ${baseOffset} where ${offset} is due`);
    }
    if (batch.lastOffsetDelta < 0) throw corrupt(`the batch at offset ${baseOffset} ends before it begins`);
    if (leaderEpoch < epoch)
      throw corrupt(`the batch at offset ${baseOffset} has epoch ${leaderEpoch} after ${epoch}`);
    if (!batch.isCrcValid()) throw corrupt(`the batch at offset ${baseOffset} does not match its checksum`);
    offset = batch.nextOffset;
    epoch = leaderEpoch;
  }
  return batches;
}

function corrupt(message: string): MillraceError {
  return new MillraceError('CORRUPT_MESSAGE', message);
}
