/** The record batch format: views, builder, checksums, compression. Pure: bytes in, bytes out. */
export {
  BatchBuilder,
  type BatchBuilderOptions,
  type BatchMemory,
  type BatchProducer,
  buildBatch,
  type RecordInput,
} from './batch-builder.ts';
export { checkBatch } from './batch-check.ts';
export { HEADER_BYTES } from './batch-header.ts';
export { type EmptyBatch, emptiedBatch, emptyBatch, type Thinning, thinBatch } from './batch-thinning.ts';
export { BatchView, splitBatches } from './batch-view.ts';
export { COMPRESSION_CODECS, type CompressionCodec, codecId, codecOfId } from './codec-id.ts';
export { compress, decompress } from './compression.ts';
export { crc32c } from './crc32c.ts';
export type { DecompressionLimits } from './inflated.ts';
export { type LogRecord, NO_HEADERS, type RecordHeader } from './log-record.ts';
export { convertMessageSet } from './message-set.ts';
export { murmur2 } from './murmur2.ts';
export { type ProducedFormats, producedBatch } from './produced-batch.ts';
export { RecordCursor } from './record-cursor.ts';
export { checkRecords, decodeRecords, forEachPlainRecord, forEachRecord } from './record-reader.ts';
export { checkProducedRecords, type RecordDemands } from './record-walk.ts';
export { VARLONG_MAX, VarintCursor, varintSize, varlongSize, writeVarint, writeVarlong } from './varint.ts';
