/** Bytes as a node's sockets bring them: in memory that the next ones come in, so that whoever keeps a piece sees it change. */
import { BufferPool } from '@millrace/core';

/** A copy in memory of the pool. The caller holds it. */
export function inUsedMemory(bytes: Buffer, buffers: BufferPool): Buffer {
  const copy = buffers.take(Math.max(bytes.length, BufferPool.bytesMin)).subarray(0, bytes.length);
  bytes.copy(copy);
  return copy;
}
