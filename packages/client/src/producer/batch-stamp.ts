/**
 * Gives a finished batch a new producer identity and sequence (record batch format v2: bytes 43 to 56, under
 * the CRC at 17). Only for batches that no broker has written.
 */
import { type BatchProducer, crc32c } from '@millrace/records';

const CRC = 17;
const CRC_START = 21;
const PRODUCER_ID = 43;
const PRODUCER_EPOCH = 51;
const BASE_SEQUENCE = 53;

export function restampBatch(
  batch: Buffer,
  { producerId, producerEpoch, baseSequence }: BatchProducer,
): void {
  const isSame =
    batch.readBigInt64BE(PRODUCER_ID) === BigInt(producerId) &&
    batch.readInt16BE(PRODUCER_EPOCH) === producerEpoch &&
    batch.readInt32BE(BASE_SEQUENCE) === baseSequence;
  if (isSame) return;
  batch.writeBigInt64BE(BigInt(producerId), PRODUCER_ID);
  batch.writeInt16BE(producerEpoch, PRODUCER_EPOCH);
  batch.writeInt32BE(baseSequence, BASE_SEQUENCE);
  batch.writeUInt32BE(crc32c(batch, CRC_START), CRC);
}
