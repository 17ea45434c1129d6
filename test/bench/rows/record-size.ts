/** Sizes that rows and their floors share. */
import { KiB, MiB } from '@millrace/core';

/** A batch of a producer that is never idle: the default `batchSize`. */
export const BATCH_BYTES = 512 * KiB;

/** An answer to a consumer that lags: the default `maxPartitionFetchBytes`. */
export const FETCH_BYTES = MiB;

/** What batch format v2 adds to a record without key and headers, in bytes. */
const RECORD_OVERHEAD_BYTES = 9;

/** Records per second that so many bytes per second can carry. */
export function recordsPerS(bytesPerS: number, recordBytes: number): number {
  return bytesPerS / (recordBytes + RECORD_OVERHEAD_BYTES);
}
