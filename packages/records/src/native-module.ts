/**
 * Loads a codec on first use, synchronously, so that a process which never meets it never pays for it.
 * Not for anything but codec packages.
 */
import { createRequire } from 'node:module';
import { MillraceError } from '@millrace/core';
import type { CompressionCodec } from './codec-id.ts';

const require = createRequire(import.meta.url);

/** @throws {MillraceError} UNSUPPORTED_COMPRESSION_TYPE where the package has no binary for this platform. */
export function loadCodec<T>(codec: CompressionCodec, packageName: string): T {
  try {
    return require(packageName) as T;
  } catch (cause) {
    throw new MillraceError(
      'UNSUPPORTED_COMPRESSION_TYPE',
      `the ${codec} codec cannot be loaded on this platform (${packageName})`,
      { cause },
    );
  }
}
