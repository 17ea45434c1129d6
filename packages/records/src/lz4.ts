/**
 * The lz4 codec: LZ4 frames (frame format 1.6), with or without content size, one or several. Frames are walked
 * before they are inflated: the tokens alone give the exact size, which no frame header can be trusted for.
 */
import { KiB } from '@millrace/core';
import type * as Lz4 from 'lz4-napi';
import { corrupt, refuseAbove, refusePieces } from './decompressed-size.ts';
import { loadCodec } from './native-module.ts';
import { xxh32 } from './xxh32.ts';

const FRAME_MAGIC = 0x184d2204;
/** Sixteen magics open frames that decoders must pass over. */
const SKIPPABLE_MAGIC = 0x184d2a50;
/** Flags, block size, and the content size if there is one; the checksum byte follows. */
const DESCRIPTOR_START = 4;
const FLAG = {
  independentBlocks: 0x20,
  blockChecksum: 0x10,
  contentSize: 0x08,
  contentChecksum: 0x04,
  dictionary: 0x01,
} as const;
const STORED_BIT = 0x80000000;
const CHECKSUM_BYTES = 4;
const MATCH_BYTES_MIN = 4;
/** 64 KiB, 256 KiB, 1 MiB or 4 MiB, by bits 4-6 of the second descriptor byte. */
const BLOCK_BYTES_MIN = 64 * KiB;

let native: typeof Lz4 | undefined;

function lz4(): typeof Lz4 {
  native ??= loadCodec<typeof Lz4>('lz4', 'lz4-napi');
  return native;
}

export function compressLz4(bytes: Buffer): Buffer {
  return lz4().compressFrameSync(bytes);
}

export function decompressLz4(bytes: Buffer, maxBytes: number): Buffer {
  return inflate(framesOf(bytes, maxBytes));
}

/**
 * As `decompressLz4`, for what the first clients with lz4 wrote, and all of them in message format 0: their header
 * checksum covers the frame's magic too, which no decoder takes. Source: KIP-57.
 */
export function decompressOldLz4(bytes: Buffer, maxBytes: number): Buffer {
  return inflate(framesOf(bytes, maxBytes).map(withHeaderChecksum));
}

/**
 * Java's consumers, and so Kafka's brokers, read one frame, of blocks that do not refer to each other.
 *
 * @throws {MillraceError} CORRUPT_MESSAGE for anything else, though `decompressLz4` may read it.
 */
export function refuseLz4OfOthers(bytes: Buffer): void {
  const { end, isSkippable } = readFrame(bytes, 0);
  if (isSkippable || end !== bytes.length) throw corrupt('the records are not exactly one lz4 frame');
  if (bytes[DESCRIPTOR_START]! & FLAG.independentBlocks) return;
  throw corrupt('the blocks of the lz4 frame depend on each other, which consumers in Java cannot read');
}

function withHeaderChecksum(frame: Buffer): Buffer {
  const mended = Buffer.from(frame);
  const end = DESCRIPTOR_START + 2 + (frame[DESCRIPTOR_START]! & FLAG.contentSize ? 8 : 0);
  mended[end] = (xxh32(frame.subarray(DESCRIPTOR_START, end)) >>> 8) & 0xff;
  return mended;
}

function framesOf(bytes: Buffer, maxBytes: number): Buffer[] {
  const frames: Buffer[] = [];
  let sizeBytes = 0;
  for (let at = 0; at < bytes.length; ) {
    const frame = readFrame(bytes, at);
    sizeBytes += frame.sizeBytes;
    refuseAbove(maxBytes, sizeBytes);
    if (!frame.isSkippable) frames.push(bytes.subarray(at, frame.end));
    refusePieces(frames.length, bytes.length);
    at = frame.end;
  }
  if (frames.length === 0) throw corrupt('there is no lz4 frame');
  return frames;
}

function inflate(frames: readonly Buffer[]): Buffer {
  const parts = frames.map((frame) => lz4().decompressFrameSync(frame));
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
}

interface Frame {
  readonly end: number;
  readonly sizeBytes: number;
  readonly isSkippable: boolean;
}

function readFrame(bytes: Buffer, start: number): Frame {
  const magic = uint32(bytes, start);
  if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC) {
    return { end: within(bytes, start + 8 + uint32(bytes, start + 4)), sizeBytes: 0, isSkippable: true };
  }
  if (magic !== FRAME_MAGIC) throw corrupt('the records are not an lz4 frame');
  within(bytes, start + 6);
  const flags = bytes[start + 4]!;
  if (flags >>> 6 !== 1) throw corrupt('the lz4 frame has an unknown version');
  if (flags & FLAG.dictionary) throw corrupt('the lz4 frame needs a dictionary');
  const sizeCode = (bytes[start + 5]! >>> 4) & 7;
  if (sizeCode < 4) throw corrupt('the lz4 frame has an unknown block size');
  const blockBytesMax = BLOCK_BYTES_MIN * 4 ** (sizeCode - 4);
  const blockTrailer = flags & FLAG.blockChecksum ? CHECKSUM_BYTES : 0;

  let at = start + 7 + (flags & FLAG.contentSize ? 8 : 0);
  let sizeBytes = 0;
  for (;;) {
    const header = uint32(bytes, at);
    at += 4;
    if (header === 0) break;
    const isStored = header >= STORED_BIT;
    const end = within(bytes, at + (isStored ? header - STORED_BIT : header));
    const blockBytes = isStored ? end - at : inflatedSize(bytes, at, end);
    if (blockBytes > blockBytesMax) throw corrupt('an lz4 block is larger than its frame allows');
    sizeBytes += blockBytes;
    at = end + blockTrailer;
  }
  if (flags & FLAG.contentChecksum) at += CHECKSUM_BYTES;
  return { end: within(bytes, at), sizeBytes, isSkippable: false };
}

/** Adds up a block's literals and matches without producing them. */
function inflatedSize(bytes: Buffer, start: number, end: number): number {
  let size = 0;
  let at = start;
  const extended = (nibble: number): number => {
    let length = nibble;
    if (nibble < 15) return length;
    for (let byte = 255; byte === 255 && at < end; ) {
      byte = bytes[at++]!;
      length += byte;
    }
    return length;
  };
  while (at < end) {
    const token = bytes[at++]!;
    const literals = extended(token >>> 4);
    size += literals;
    at += literals;
    // The last sequence of a block has literals only.
    if (at >= end) break;
    at += 2;
    size += extended(token & 0x0f) + MATCH_BYTES_MIN;
  }
  if (at > end) throw corrupt('an lz4 block ends inside a sequence');
  return size;
}

function uint32(bytes: Buffer, at: number): number {
  within(bytes, at + 4);
  return bytes.readUInt32LE(at);
}

function within(bytes: Buffer, end: number): number {
  if (end > bytes.length) throw corrupt('the lz4 frame is cut off');
  return end;
}
