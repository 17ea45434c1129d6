/** Finds the batch that holds an offset in a loaded segment: index first, then header by header. */
import type { DiskFile } from './file-system.ts';
import { LOOKUP_BYTES, STOP_SCAN, scanBatches } from './log-scan.ts';
import type { Segment } from './segment.ts';

export interface LocatedBatch {
  readonly position: number;
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly leaderEpoch: number;
  readonly maxTimestamp: number;
  readonly sizeBytes: number;
}

/** The first offset after the last segment, which is loaded. */
export function endOf(segments: readonly Segment[]): number {
  return segments.at(-1)!.nextOffset;
}

/** The segment that holds `offset`, if any does. */
export function segmentOf(segments: readonly Segment[], offset: number): Segment | undefined {
  let low = 0;
  let high = segments.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (segments[middle]!.baseOffset <= offset) low = middle + 1;
    else high = middle;
  }
  return segments[low - 1];
}

/** Undefined if the segment holds no such batch where its index says, or at all. */
export async function locateBatch(segment: Segment, offset: number): Promise<LocatedBatch | undefined> {
  const start = segment.positionBefore(offset);
  const end = segment.sizeBytes;
  let found: LocatedBatch | undefined;
  await segment.withFile((file: DiskFile) =>
    scanBatches(
      file,
      start,
      end,
      (batch, position) => {
        if (batch.lastOffset < offset) return undefined;
        // Beyond it already: the index led too far, or the batch is missing.
        if (batch.baseOffset <= offset) {
          const { baseOffset, lastOffset, leaderEpoch, maxTimestamp, sizeBytes } = batch;
          found = { position, baseOffset, lastOffset, leaderEpoch, maxTimestamp, sizeBytes };
        }
        return STOP_SCAN;
      },
      LOOKUP_BYTES,
    ),
  );
  return found;
}

/**
 * Why a cut at `cut` would not end the segment there; undefined if it would. `cut` itself may be damaged and only seem to
 * hold what is looked for, and the end is found from the last batches that stay: damage there would put it anywhere.
 */
export async function faultAt(segment: Segment, cut: LocatedBatch): Promise<string | undefined> {
  const known = segment.positionBefore(cut.baseOffset - 1);
  const start = known < cut.position ? known : 0;
  const end = cut.position + cut.sizeBytes;
  let expected = start === 0 ? segment.baseOffset : undefined;
  const { fault } = await segment.withFile((file: DiskFile) =>
    scanBatches(file, start, end, (batch, position) => {
      const { baseOffset } = batch;
      if (baseOffset !== (expected ?? baseOffset)) return `offset ${baseOffset} where ${expected} is due`;
      expected = batch.nextOffset;
      const isSound = batch.lastOffsetDelta >= 0 && (position !== cut.position || batch.isCrcValid());
      return isSound ? undefined : `the batch at offset ${baseOffset} is damaged`;
    }),
  );
  return fault;
}
