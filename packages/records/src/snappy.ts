/**
 * The snappy codec. Java clients wrap raw snappy in the framing of xerial's snappy-java: a 16-byte header,
 * then blocks of at most 32 KiB, each after its length (int32 BE). Others write one raw block; both are read.
 * Never the "framed" format of snappy's own specification: no Kafka client speaks it.
 */
import { KiB } from '@millrace/core';
import type * as Snappy from 'snappy';
import { corrupt, refuseAbove, refusePieces } from './decompressed-size.ts';
import { loadCodec } from './native-module.ts';

/** Magic, version 1, oldest compatible version 1. */
const XERIAL_HEADER = Buffer.from('82534e41505059000000000100000001', 'hex');
const XERIAL_MAGIC = XERIAL_HEADER.subarray(0, 8);
const BLOCK_BYTES = 32 * KiB;
const LENGTH_BYTES = 4;
/** The densest element is a copy of 64 bytes, written in three. */
const GROWTH_MAX = 64 / 3;

let native: typeof Snappy | undefined;

function snappy(): typeof Snappy {
  native ??= loadCodec<typeof Snappy>('snappy', 'snappy');
  return native;
}

export function compressSnappy(bytes: Buffer): Buffer {
  const { compressSync } = snappy();
  const parts: Buffer[] = [XERIAL_HEADER];
  for (let at = 0; at < bytes.length; at += BLOCK_BYTES) {
    const block = compressSync(bytes.subarray(at, at + BLOCK_BYTES));
    const length = Buffer.allocUnsafe(LENGTH_BYTES);
    length.writeInt32BE(block.length);
    parts.push(length, block);
  }
  return Buffer.concat(parts);
}

export function decompressSnappy(bytes: Buffer, maxBytes: number): Buffer {
  const blocks = isXerial(bytes, 0) ? xerialBlocks(bytes) : [bytes];
  refusePieces(blocks.length, bytes.length);
  const sizes = blocks.map(declaredSize);
  refuseAbove(
    maxBytes,
    sizes.reduce((total, size) => total + size, 0),
  );
  if (blocks.some((block, i) => sizes[i]! > block.length * GROWTH_MAX)) {
    throw corrupt('a snappy block claims to become more than it can');
  }
  const { uncompressSync } = snappy();
  const parts = blocks.map((block) => uncompressSync(block) as Buffer);
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
}

function isXerial(bytes: Buffer, at: number): boolean {
  return bytes.length - at >= XERIAL_HEADER.length && XERIAL_MAGIC.equals(bytes.subarray(at, at + 8));
}

/** A stream may begin anew in the middle: writers append, and concatenate, whole streams. */
function xerialBlocks(bytes: Buffer): Buffer[] {
  const blocks: Buffer[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (isXerial(bytes, at)) {
      at += XERIAL_HEADER.length;
      continue;
    }
    const start = at + LENGTH_BYTES;
    if (start > bytes.length) throw corrupt('a snappy block length is cut off');
    const end = start + bytes.readInt32BE(at);
    if (end < start || end > bytes.length) throw corrupt('a snappy block is longer than the batch');
    blocks.push(bytes.subarray(start, end));
    at = end;
  }
  return blocks;
}

/**
 * A raw block opens with its decompressed size, an unsigned varint. The decoder insists on exactly that size, but only
 * after it has made room for it.
 */
function declaredSize(block: Buffer): number {
  let size = 0;
  for (let i = 0; i < Math.min(block.length, 5); i++) {
    size += (block[i]! & 0x7f) * 2 ** (7 * i);
    if (block[i]! < 0x80) return size;
  }
  throw corrupt('a snappy block has no size');
}
