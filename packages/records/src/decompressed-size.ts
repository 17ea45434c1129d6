/** What every codec says about sizes: nothing above the caller's limit, nothing past the end of the bytes. */
import { MillraceError } from '@millrace/core';

const PIECES_FREE = 1_024;
const PIECE_BYTES_MIN = 512;

/** @throws {MillraceError} MESSAGE_TOO_LARGE if `sizeBytes` is above the limit: producers that can cut the batch up and try again. */
export function refuseAbove(maxBytes: number, sizeBytes: number): void {
  if (sizeBytes > maxBytes) throw tooLarge(maxBytes);
}

export function tooLarge(maxBytes: number): MillraceError {
  return new MillraceError('MESSAGE_TOO_LARGE', `compressed records inflate to more than ${maxBytes} bytes`);
}

/**
 * Compressed data comes in one piece, or in pieces of many KiB each: thousands of them with nothing inside would cost
 * more than the largest batch.
 *
 * @throws {MillraceError} CORRUPT_MESSAGE for more frames, or blocks, than so many bytes are ever cut into.
 */
export function refusePieces(count: number, totalBytes: number): void {
  if (count > PIECES_FREE + totalBytes / PIECE_BYTES_MIN)
    throw corrupt(`${totalBytes} bytes in ${count} pieces`);
}

export function corrupt(message: string, cause?: unknown): MillraceError {
  return new MillraceError('CORRUPT_MESSAGE', message, cause === undefined ? undefined : { cause });
}
