/**
 * Compression of a batch's records, each codec in the framing that Java clients write and read. Synchronous.
 * Codecs load on first use. Never inflates more than the caller allows, whatever the input claims.
 */
import { MillraceError } from '@millrace/core';
import type { CompressionCodec } from './codec-id.ts';
import { corrupt, refuseAbove } from './decompressed-size.ts';
import { compressGzip, decompressGzip } from './gzip.ts';
import { compressLz4, decompressLz4 } from './lz4.ts';
import { compressSnappy, decompressSnappy } from './snappy.ts';
import { compressZstd, decompressZstd } from './zstd.ts';

/**
 * `level` counts for gzip (1-9) and zstd (1-22) only; their defaults if absent. With 'none', returns `bytes` itself.
 *
 * @throws {MillraceError} UNSUPPORTED_COMPRESSION_TYPE if the codec has no binary for this platform.
 */
export function compress(codec: CompressionCodec, bytes: Buffer, level?: number): Buffer {
  switch (codec) {
    case 'none':
      return bytes;
    case 'gzip':
      return compressGzip(bytes, level);
    case 'snappy':
      return compressSnappy(bytes);
    case 'lz4':
      return compressLz4(bytes);
    case 'zstd':
      return compressZstd(bytes, level);
  }
}

/**
 * At most `maxBytes` come back; what would inflate beyond is refused before it does. With 'none', returns
 * `bytes` itself.
 *
 * @throws {MillraceError} MESSAGE_TOO_LARGE above the limit, CORRUPT_MESSAGE for bytes the codec cannot read,
 * UNSUPPORTED_COMPRESSION_TYPE if the codec has no binary for this platform.
 */
export function decompress(codec: CompressionCodec, bytes: Buffer, maxBytes: number): Buffer {
  try {
    return decompressWith(codec, bytes, maxBytes);
  } catch (error) {
    if (error instanceof MillraceError) throw error;
    throw corrupt(`the records are not valid ${codec} data`, error);
  }
}

function decompressWith(codec: CompressionCodec, bytes: Buffer, maxBytes: number): Buffer {
  switch (codec) {
    case 'none':
      refuseAbove(maxBytes, bytes.length);
      return bytes;
    case 'gzip':
      return decompressGzip(bytes, maxBytes);
    case 'snappy':
      return decompressSnappy(bytes, maxBytes);
    case 'lz4':
      return decompressLz4(bytes, maxBytes);
    case 'zstd':
      return decompressZstd(bytes, maxBytes);
  }
}
