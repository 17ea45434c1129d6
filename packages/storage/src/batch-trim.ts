/** Cuts a run of batches down to what a reader asked for. Looks only at headers; never copies. */

import { MillraceError } from '@millrace/core';
import { BatchView, HEADER_BYTES } from '@millrace/records';

export interface TrimRange {
  readonly fromOffset: number;
  readonly maxBytes: number;
  /** Exclusive: batches that reach beyond it are left out. */
  readonly upTo: number;
  /** The first batch counts even if it alone exceeds `maxBytes`. Source: KIP-74. */
  readonly minOneBatch: boolean;
}

export interface TrimmedBatches {
  readonly bytes: Buffer;
  /** Where in the run the first batch that is not before `fromOffset` begins, and where the result ends. */
  readonly start: number;
  readonly end: number;
  /** Size of the batch at `start` if the run ends inside it; 0 if the answer is complete. */
  readonly missingBytes: number;
  /** Why the run cannot hold what was asked for. */
  readonly fault: string | undefined;
}

const LENGTH_AT = 8;
const LENGTH_PREFIX_BYTES = 12;
const NOTHING = Buffer.alloc(0);

export function trimBatches(
  run: Buffer,
  { fromOffset, maxBytes, upTo, minOneBatch }: TrimRange,
): TrimmedBatches {
  let start = 0;
  try {
    let batch = BatchView.at(run, 0);
    while (batch !== undefined && batch.lastOffset < fromOffset) {
      start += batch.sizeBytes;
      batch = BatchView.at(run, start);
    }
    if (batch === undefined) {
      return { bytes: NOTHING, start, end: start, missingBytes: sizeAt(run, start), fault: undefined };
    }
    if (batch.baseOffset > fromOffset) {
      return failed(start, `offset ${batch.baseOffset} stands where ${fromOffset} was expected`);
    }
    let end = start;
    while (batch !== undefined && batch.nextOffset <= upTo) {
      const isOver = end + batch.sizeBytes - start > maxBytes;
      if (isOver && !(minOneBatch && end === start)) break;
      end += batch.sizeBytes;
      batch = end - start < maxBytes ? BatchView.at(run, end) : undefined;
    }
    return { bytes: run.subarray(start, end), start, end, missingBytes: 0, fault: undefined };
  } catch (error) {
    if (error instanceof MillraceError) return failed(start, error.message);
    throw error;
  }
}

function failed(start: number, fault: string): TrimmedBatches {
  return { bytes: NOTHING, start, end: start, missingBytes: 0, fault };
}

function sizeAt(run: Buffer, at: number): number {
  return run.length - at < LENGTH_PREFIX_BYTES
    ? HEADER_BYTES
    : LENGTH_PREFIX_BYTES + run.readInt32BE(at + LENGTH_AT);
}
