/**
 * Walks the batches of a log file from a position on, in chunks. Reports where the whole batches end and
 * why; what that means (a torn tail, damage) is the caller's to judge. Never changes the file.
 */
import { MillraceError } from '@millrace/core';
import { BatchView, HEADER_BYTES } from '@millrace/records';
import type { DiskFile } from './file-system.ts';

const CHUNK_BYTES = 1024 * 1024;
export const LOOKUP_BYTES = 16 * 1024;
/** Position of the length field, and what it does not count. */
const LENGTH_AT = 8;
const LENGTH_PREFIX_BYTES = 12;
const MAGIC_AT = 16;
const MAX_TIMESTAMP_AT = 35;

export interface BatchHeader {
  readonly baseOffset: number;
  readonly sizeBytes: number;
  readonly maxTimestamp: number;
}

export interface ScanEnd {
  /** First byte after the last good batch. */
  readonly position: number;
  /** Why the scan stopped before the end; undefined if every byte up to `end` was good. */
  readonly fault: string | undefined;
}

/** Called for each batch; a text is a fault that stops the scan before this batch, STOP_SCAN ends it without one. */
export type BatchVisitor = (batch: BatchView, position: number) => string | undefined;

export const STOP_SCAN = 'stop';

/**
 * @param end exclusive; bytes of the file after it are not looked at.
 * @param firstChunkBytes LOOKUP_BYTES for those who look for one batch.
 */
export async function scanBatches(
  file: DiskFile,
  start: number,
  end: number,
  visit: BatchVisitor,
  firstChunkBytes = CHUNK_BYTES,
): Promise<ScanEnd> {
  let position = start;
  let chunkBytes = firstChunkBytes;
  while (position < end) {
    const buffer = Buffer.allocUnsafe(Math.min(chunkBytes, end - position));
    const chunk = buffer.subarray(0, await file.read(buffer, position));
    const walked = walk(chunk, position, visit);
    if (walked.fault === STOP_SCAN) return { position: walked.position, fault: undefined };
    if (walked.fault !== undefined) return walked;
    if (walked.position === position) {
      const needed = batchBytes(chunk);
      if (chunk.length < buffer.length || needed > end - position)
        return { position, fault: 'the last batch is cut off' };
      chunkBytes = Math.max(needed, HEADER_BYTES);
    }
    position = walked.position;
  }
  return { position, fault: undefined };
}

/** The header of the batch at `position`, with no records behind it; undefined if there is none. */
export async function readHeader(file: DiskFile, position: number): Promise<BatchHeader | undefined> {
  const bytes = Buffer.allocUnsafe(HEADER_BYTES);
  if ((await file.read(bytes, position)) < HEADER_BYTES || bytes[MAGIC_AT] !== 2) return undefined;
  return {
    baseOffset: Number(bytes.readBigInt64BE(0)),
    sizeBytes: LENGTH_PREFIX_BYTES + bytes.readInt32BE(LENGTH_AT),
    maxTimestamp: Number(bytes.readBigInt64BE(MAX_TIMESTAMP_AT)),
  };
}

function walk(chunk: Buffer, base: number, visit: BatchVisitor): ScanEnd {
  let at = 0;
  try {
    for (let batch = BatchView.at(chunk, at); batch !== undefined; batch = BatchView.at(chunk, at)) {
      const fault = visit(batch, base + at);
      if (fault !== undefined) return { position: base + at, fault };
      at += batch.sizeBytes;
    }
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error;
    return { position: base + at, fault: error.message };
  }
  return { position: base + at, fault: undefined };
}

/** Of the batch that begins the chunk; at least a header, or a length of nothing would be read for ever. */
function batchBytes(chunk: Buffer): number {
  if (chunk.length < LENGTH_PREFIX_BYTES) return HEADER_BYTES;
  return Math.max(HEADER_BYTES, LENGTH_PREFIX_BYTES + chunk.readInt32BE(LENGTH_AT));
}
