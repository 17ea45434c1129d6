/** A producer's batch in the codec that its topic wants. Off the hot path: topics keep the producer's codec by default. */
import { MillraceError } from '@millrace/core';
import {
  BatchBuilder,
  type BatchView,
  type CompressionCodec,
  forEachPlainRecord,
  VARLONG_MAX,
} from '@millrace/records';

/**
 * @param plain its records, decompressed.
 * @throws {MillraceError} INVALID_RECORD if a record cannot be written again.
 */
export function recompressed(view: BatchView, plain: Buffer, codec: CompressionCodec): Buffer {
  const { producerId, producerEpoch, baseSequence } = view;
  const builder = new BatchBuilder({ codec, capacityBytes: Number.MAX_SAFE_INTEGER });
  let firstTimestamp: number | undefined;
  // One at a time: all of a batch's records as objects may be a hundred times its bytes.
  forEachPlainRecord(view, plain, ({ timestamp, key, value, headers }) => {
    firstTimestamp ??= timestamp;
    if (!Number.isSafeInteger(timestamp) || Math.abs(timestamp - firstTimestamp) > VARLONG_MAX) {
      throw new MillraceError('INVALID_RECORD', `timestamp ${timestamp} cannot be written again`);
    }
    builder.tryAppend(timestamp, key, value, headers);
  });
  return builder.build({ producerId, producerEpoch, baseSequence });
}
