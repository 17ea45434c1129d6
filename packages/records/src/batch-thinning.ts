/**
 * A batch without some of its records, as compaction leaves it: offsets, producer, epoch and codec stay, and so does
 * the last offset delta. Pure. Source: KIP-534 for the delete horizon; Kafka's `MemoryRecords.filterTo`.
 */
import {
  ATTRIBUTE,
  CRC_START,
  FIELD,
  HEADER_BYTES,
  LENGTH_PREFIX_BYTES,
  writeInt64,
} from './batch-header.ts';
import type { BatchView } from './batch-view.ts';
import { compress } from './compression.ts';
import { crc32c } from './crc32c.ts';
import type { DecompressionLimits } from './inflated.ts';
import { RecordCursor } from './record-cursor.ts';
import { varintSize, varlongSize, writeVarint, writeVarlong } from './varint.ts';

export interface Thinning {
  /** Whether the record stays. It is asked once for each. */
  readonly keeps: (record: RecordCursor) => boolean;
  /** Given to a batch in which a tombstone stays and that has none yet: when the tombstone may go. */
  readonly deleteHorizonMs: number;
  readonly limits: DecompressionLimits;
}

/** Records that stay, as pairs of positions, with what the new header says of them. */
interface Kept {
  readonly spans: number[];
  /** Of each, where what follows the timestamp delta begins, and its time. */
  readonly tails: number[];
  readonly timestamps: number[];
  count: number;
  maxTimestamp: number;
  hasTombstone: boolean;
}

/**
 * @returns the batch's own bytes if nothing changes; undefined if no record stays.
 * @throws {MillraceError} as RecordCursor for records that cannot be read.
 */
export function thinBatch(view: BatchView, { keeps, deleteHorizonMs, limits }: Thinning): Buffer | undefined {
  const records = new RecordCursor(view, limits);
  const kept: Kept = {
    spans: [],
    tails: [],
    timestamps: [],
    count: 0,
    maxTimestamp: -1,
    hasTombstone: false,
  };
  while (records.next()) if (keeps(records)) keep(kept, records);
  if (kept.count === 0) return undefined;
  const needsHorizon = kept.hasTombstone && view.deleteHorizonMs === undefined;
  if (kept.count === view.recordCount && !needsHorizon) return view.bytes;
  const plain = needsHorizon ? rebased(records.bytes, kept, deleteHorizonMs) : joined(records.bytes, kept);
  const stored = compress(view.codec, plain);
  const batch = Buffer.allocUnsafeSlow(HEADER_BYTES + stored.length);
  view.bytes.copy(batch, 0, 0, HEADER_BYTES);
  stored.copy(batch, HEADER_BYTES);
  if (needsHorizon) {
    batch.writeUInt16BE(view.attributes | ATTRIBUTE.deleteHorizon, FIELD.attributes);
    writeInt64(batch, FIELD.baseTimestamp, deleteHorizonMs);
  }
  if (view.timestampType === 'create') writeInt64(batch, FIELD.maxTimestamp, kept.maxTimestamp);
  batch.writeInt32BE(kept.count, FIELD.recordCount);
  return sealed(batch);
}

export interface EmptyBatch {
  readonly baseOffset: number;
  /** Inclusive. */
  readonly lastOffset: number;
  readonly leaderEpoch: number;
}

/** A batch of no records in place of those between two offsets. It belongs to no producer and has no time. */
export function emptyBatch({ baseOffset, lastOffset, leaderEpoch }: EmptyBatch): Buffer {
  const batch = Buffer.alloc(HEADER_BYTES);
  batch[FIELD.magic] = 2;
  writeInt64(batch, FIELD.baseOffset, baseOffset);
  batch.writeInt32BE(leaderEpoch, FIELD.leaderEpoch);
  batch.writeInt32BE(lastOffset - baseOffset, FIELD.lastOffsetDelta);
  for (const field of [FIELD.baseTimestamp, FIELD.maxTimestamp, FIELD.producerId])
    writeInt64(batch, field, -1);
  batch.writeInt16BE(-1, FIELD.producerEpoch);
  batch.writeInt32BE(-1, FIELD.baseSequence);
  return sealed(batch);
}

/** The batch with none of its records: what it tells of its producer stays. */
export function emptiedBatch(view: BatchView): Buffer {
  const batch = Buffer.from(view.bytes.subarray(0, HEADER_BYTES));
  const kept = ATTRIBUTE.logAppendTime | ATTRIBUTE.transactional | ATTRIBUTE.control;
  batch.writeUInt16BE(view.attributes & kept, FIELD.attributes);
  writeInt64(batch, FIELD.baseTimestamp, -1);
  batch.writeInt32BE(0, FIELD.recordCount);
  return sealed(batch);
}

function keep(kept: Kept, { start, end, tailStart, timestamp, hasValue }: RecordCursor): void {
  const { spans } = kept;
  // Neighbours are copied as one.
  if (spans.length > 0 && spans.at(-1) === start) spans[spans.length - 1] = end;
  else spans.push(start, end);
  kept.tails.push(tailStart, end);
  kept.timestamps.push(timestamp);
  kept.count++;
  kept.maxTimestamp = Math.max(kept.maxTimestamp, timestamp);
  kept.hasTombstone ||= !hasValue;
}

function joined(bytes: Buffer, { spans }: Kept): Buffer {
  const parts: Buffer[] = [];
  for (let i = 0; i < spans.length; i += 2) parts.push(bytes.subarray(spans[i], spans[i + 1]));
  return Buffer.concat(parts);
}

/** With timestamp deltas against another base. */
function rebased(bytes: Buffer, { tails, timestamps }: Kept, baseTimestamp: number): Buffer {
  const sizes = timestamps.map(
    (timestamp, i) => 1 + varlongSize(timestamp - baseTimestamp) + tails[2 * i + 1]! - tails[2 * i]!,
  );
  const out = Buffer.allocUnsafe(sizes.reduce((sum, size) => sum + varintSize(size) + size, 0));
  let at = 0;
  for (const [i, timestamp] of timestamps.entries()) {
    at = writeVarint(out, at, sizes[i]!);
    out[at++] = 0;
    at = writeVarlong(out, at, timestamp - baseTimestamp);
    at += bytes.copy(out, at, tails[2 * i], tails[2 * i + 1]);
  }
  return out;
}

function sealed(batch: Buffer): Buffer {
  batch.writeInt32BE(batch.length - LENGTH_PREFIX_BYTES, FIELD.length);
  batch.writeUInt32BE(crc32c(batch, CRC_START), FIELD.crc);
  return batch;
}
