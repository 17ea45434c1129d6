/**
 * Finds the frames and blocks of zstd data (RFC 8878) and how large each may become, without inflating any.
 * Never judges a block's content; the decoder does.
 */
import { KiB } from '@millrace/core';
import { corrupt } from './decompressed-size.ts';

const FRAME_MAGIC = 0xfd2fb528;
/** Sixteen magics open frames that decoders must pass over. */
const SKIPPABLE_MAGIC = 0x184d2a50;
const BLOCK_BYTES_MAX = 128 * KiB;
const BLOCK_HEADER_BYTES = 3;
const DICTIONARY_ID_BYTES = [0, 1, 2, 4] as const;

export interface ZstdFrame {
  /** The whole frame. Shares memory. */
  readonly bytes: Buffer;
  /** Decompressed size as declared; streaming writers, Java's among them, do not declare it. */
  readonly contentBytes: number | undefined;
  /** The frame cannot become larger than this. */
  readonly boundBytes: number;
  /** Where each block ends within `bytes`. */
  readonly blockEnds: readonly number[];
}

/** The data frames in `bytes`, in order. @throws {MillraceError} CORRUPT_MESSAGE if one is cut off or malformed. */
export function zstdFrames(bytes: Buffer): ZstdFrame[] {
  const frames: ZstdFrame[] = [];
  for (let at = 0; at < bytes.length; ) {
    const magic = littleEndian(bytes, at, 4);
    if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC) {
      at = within(bytes, at + 8 + littleEndian(bytes, at + 4, 4));
      continue;
    }
    if (magic !== FRAME_MAGIC) throw corrupt('the records are not a zstd frame');
    const frame = readFrame(bytes.subarray(at));
    frames.push(frame);
    at += frame.bytes.length;
  }
  return frames;
}

interface FrameHeader {
  readonly headerBytes: number;
  readonly contentBytes: number | undefined;
  readonly blockBytesMax: number;
  readonly hasChecksum: boolean;
}

function readFrame(bytes: Buffer): ZstdFrame {
  const { headerBytes, contentBytes, blockBytesMax, hasChecksum } = readHeader(bytes);
  const blockEnds: number[] = [];
  let boundBytes = 0;
  let at = headerBytes;
  for (let isLast = false; !isLast; ) {
    const header = littleEndian(bytes, at, BLOCK_HEADER_BYTES);
    isLast = (header & 1) === 1;
    const type = (header >>> 1) & 3;
    const size = header >>> 3;
    if (type === 3) throw corrupt('a zstd block has a reserved type');
    if (size > blockBytesMax) throw corrupt('a zstd block is larger than its frame allows');
    // A raw block (0) is its own content, a run (1) is one byte repeated, a compressed block (2) is unknown.
    boundBytes += type === 2 ? blockBytesMax : size;
    at = within(bytes, at + BLOCK_HEADER_BYTES + (type === 1 ? 1 : size));
    blockEnds.push(at);
  }
  if (contentBytes !== undefined && contentBytes > boundBytes) {
    throw corrupt('a zstd frame claims to become more than its blocks can');
  }
  const end = within(bytes, at + (hasChecksum ? 4 : 0));
  return { bytes: bytes.subarray(0, end), contentBytes, boundBytes: contentBytes ?? boundBytes, blockEnds };
}

function readHeader(bytes: Buffer): FrameHeader {
  const descriptor = littleEndian(bytes, 4, 1);
  if (descriptor & 0x08) throw corrupt('the zstd frame header has a reserved bit set');
  const isSingleSegment = (descriptor & 0x20) !== 0;
  let at = 5;
  let windowBytes = 0;
  if (!isSingleSegment) {
    const window = littleEndian(bytes, at++, 1);
    const base = 2 ** (10 + (window >>> 3));
    windowBytes = base + (base / 8) * (window & 7);
  }
  at += DICTIONARY_ID_BYTES[(descriptor & 3) as 0 | 1 | 2 | 3];
  const sizeCode = descriptor >>> 6;
  const sizeBytes = sizeCode === 0 ? Number(isSingleSegment) : 2 ** sizeCode;
  let contentBytes: number | undefined;
  // Two-byte sizes start at 256: one byte covers what is below.
  if (sizeBytes > 0) contentBytes = littleEndian(bytes, at, sizeBytes) + (sizeBytes === 2 ? 256 : 0);
  return {
    headerBytes: at + sizeBytes,
    contentBytes,
    blockBytesMax: Math.min(isSingleSegment ? contentBytes! : windowBytes, BLOCK_BYTES_MAX),
    hasChecksum: (descriptor & 0x04) !== 0,
  };
}

function littleEndian(bytes: Buffer, at: number, size: number): number {
  within(bytes, at + size);
  if (size <= 6) return bytes.readUIntLE(at, size);
  return bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 2 ** 32;
}

function within(bytes: Buffer, end: number): number {
  if (end > bytes.length) throw corrupt('the zstd frame is cut off');
  return end;
}
