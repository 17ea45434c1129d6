/** Bytes as a node's sockets bring them: in memory that the next ones come in, so that whoever keeps a piece sees it change. */
import { type BufferPool, KiB } from '@millrace/core';

/** Less is never used again. */
const POOLED_BYTES_MIN = 8 * KiB;

/** A copy in memory of the pool. The caller holds it. */
export function inUsedMemory(bytes: Buffer, buffers: BufferPool): Buffer {
  const copy = buffers.take(Math.max(bytes.length, POOLED_BYTES_MIN)).subarray(0, bytes.length);
  bytes.copy(copy);
  return copy;
}
