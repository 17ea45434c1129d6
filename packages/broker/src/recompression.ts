/** A producer's batch in the codec that its topic wants. Off the hot path: topics keep the producer's codec by default. */
import {
  BatchBuilder,
  type BatchView,
  type CompressionCodec,
  type DecompressionLimits,
  forEachRecord,
} from '@millrace/records';

/** @throws {MillraceError} if the records cannot be read or grow beyond the limits. */
export function recompressed(view: BatchView, codec: CompressionCodec, limits: DecompressionLimits): Buffer {
  const { producerId, producerEpoch, baseSequence } = view;
  const builder = new BatchBuilder({ codec, capacityBytes: Number.MAX_SAFE_INTEGER });
  // One at a time: all of a batch's records as objects may be a hundred times its bytes.
  forEachRecord(
    view,
    ({ timestamp, key, value, headers }) => void builder.tryAppend(timestamp, key, value, headers),
    limits,
  );
  return builder.build({ producerId, producerEpoch, baseSequence });
}
