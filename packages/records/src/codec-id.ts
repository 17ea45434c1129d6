/** Names and numbers of the compression codecs of record batches. Never loads a codec. */
import { MillraceError } from '@millrace/core';

export type CompressionCodec = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';

/** In the order of their numbers. */
export const COMPRESSION_CODECS: readonly CompressionCodec[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];

/** The number in bits 0-2 of a batch's attributes. */
export function codecId(codec: CompressionCodec): number {
  return COMPRESSION_CODECS.indexOf(codec);
}

/** @throws {MillraceError} UNSUPPORTED_COMPRESSION_TYPE for a number without a codec. */
export function codecOfId(id: number): CompressionCodec {
  const codec = COMPRESSION_CODECS[id];
  if (codec === undefined)
    throw new MillraceError('UNSUPPORTED_COMPRESSION_TYPE', `compression codec ${id} does not exist`);
  return codec;
}
