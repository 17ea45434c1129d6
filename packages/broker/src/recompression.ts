/** A producer's batch in the codec that its topic wants. Off the hot path: topics keep the producer's codec by default. */
import {
  type BatchView,
  buildBatch,
  type CompressionCodec,
  type DecompressionLimits,
  decodeRecords,
} from '@millrace/records';

/** @throws {MillraceError} if the records cannot be read or grow beyond the limits. */
export function recompressed(view: BatchView, codec: CompressionCodec, limits: DecompressionLimits): Buffer {
  const { producerId, producerEpoch, baseSequence } = view;
  return buildBatch(decodeRecords(view, limits), {
    codec,
    producer: { producerId, producerEpoch, baseSequence },
  });
}
