/** What every codec says about sizes: nothing above the caller's limit, nothing past the end of the bytes. */
import { MillraceError } from '@millrace/core';

/** @throws {MillraceError} INVALID_RECORD if `sizeBytes` is above the limit. */
export function refuseAbove(maxBytes: number, sizeBytes: number): void {
  if (sizeBytes > maxBytes) throw tooLarge(maxBytes);
}

export function tooLarge(maxBytes: number): MillraceError {
  return new MillraceError('INVALID_RECORD', `compressed records inflate to more than ${maxBytes} bytes`);
}

export function corrupt(message: string, cause?: unknown): MillraceError {
  return new MillraceError('CORRUPT_MESSAGE', message, cause === undefined ? undefined : { cause });
}
