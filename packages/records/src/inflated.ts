/**
 * Decompression for those who account for it: what a few bytes may become is bounded for one batch, and known to
 * whoever bounds many. Never on a path that stores or sends batches as they are.
 */
import type { CompressionCodec } from './codec-id.ts';
import { decompress } from './compression.ts';

export interface DecompressionLimits {
  /** Records that would inflate beyond this are refused without inflating them. */
  readonly maxDecompressedBytes: number;
  /** Told what was spent, in bytes: also for what turned out to be no records, and something for the smallest. */
  readonly spent?: (bytes: number) => void;
}

/** To call a codec costs what so many bytes cost. */
export const CALL_BYTES = 1024;

/** A byte becomes so many at most; zstd repeats a byte 128 KiB long in four. */
const GROWTH_MAX: Readonly<Record<CompressionCodec, number>> = {
  none: 1,
  gzip: 1_032,
  snappy: 22,
  lz4: 255,
  zstd: 32_768,
};

/** As `decompress`. What fails counts as all that it might have become. @throws {MillraceError} as `decompress`. */
export function inflated(codec: CompressionCodec, bytes: Buffer, limits: DecompressionLimits): Buffer {
  return accounted(codec, bytes.length, limits, (maxBytes) => decompress(codec, bytes, maxBytes));
}

/** @param sizeBytes of what is compressed. @param inflate as `decompress` of that codec, for bytes that need another one. */
export function accounted(
  codec: CompressionCodec,
  sizeBytes: number,
  { maxDecompressedBytes, spent }: DecompressionLimits,
  inflate: (maxBytes: number) => Buffer,
): Buffer {
  let costBytes =
    codec === 'none' ? 0 : Math.min(maxDecompressedBytes, CALL_BYTES + sizeBytes * GROWTH_MAX[codec]);
  try {
    const plain = inflate(maxDecompressedBytes);
    costBytes = CALL_BYTES + plain.length;
    return plain;
  } finally {
    spent?.(costBytes);
  }
}
