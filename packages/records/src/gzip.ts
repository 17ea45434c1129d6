/** The gzip codec: one or several gzip members, as RFC 1952 allows. */
import { constants, gunzipSync, gzipSync } from 'node:zlib';
import { tooLarge } from './decompressed-size.ts';

export function compressGzip(bytes: Buffer, level = constants.Z_DEFAULT_COMPRESSION): Buffer {
  return gzipSync(bytes, { level });
}

/** zlib stops by itself once the output passes the limit. */
export function decompressGzip(bytes: Buffer, maxBytes: number): Buffer {
  try {
    return gunzipSync(bytes, { maxOutputLength: maxBytes });
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? tooLarge(maxBytes) : error;
  }
}
