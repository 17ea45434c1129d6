/** Which of the oldest segments may go, and their going. Never touches what is not committed. */

import { diskErrorCode } from './file-system.ts';
import type { FileTurns } from './file-turns.ts';
import type { LogConfig } from './log-config.ts';
import type { LogContents } from './log-contents.ts';
import type { LogOffsets } from './log-offsets.ts';
import type { LogResources } from './log-resources.ts';
import type { Segment } from './segment.ts';
import { storageFailure } from './storage-failure.ts';

export interface RetentionLimits {
  readonly logStartOffset: number;
  /** Segments that reach beyond it stay: nobody may lose what is not committed. */
  readonly highWatermark: number;
  readonly endOffset: number;
  readonly nowMs: number;
}

/** @returns how many of the first segments to delete; all of them asks for a roll first. */
async function expiredSegments(
  segments: readonly Segment[],
  config: LogConfig,
  limits: RetentionLimits,
): Promise<number> {
  const { retentionBytes, retentionMs } = config;
  let totalBytes = segments.reduce((sum, segment) => sum + segment.sizeBytes, 0);
  let count = 0;
  for (const [i, segment] of segments.entries()) {
    const end = segments[i + 1]?.baseOffset ?? limits.endOffset;
    if (segment.isEmpty || end > limits.highWatermark) break;
    const isBeforeStart = end <= limits.logStartOffset;
    const isBeyondSize = retentionBytes >= 0 && totalBytes - segment.sizeBytes >= retentionBytes;
    if (!isBeforeStart && !isBeyondSize && !(await isTooOld(segment, retentionMs, limits.nowMs, config)))
      break;
    totalBytes -= segment.sizeBytes;
    count++;
  }
  return count;
}

export interface Deletion {
  readonly contents: LogContents;
  readonly offsets: LogOffsets;
  readonly config: LogConfig;
  readonly nowMs: number;
  readonly resources: LogResources;
  readonly turns: FileTurns;
  /** The log is being cut or went offline. */
  readonly isStopped: () => boolean;
  /** Runs work that writes, and takes the log offline if it fails. */
  readonly write: (work: () => void) => void;
  /** As LogContents.sync; takes the log offline if it fails. */
  readonly sync: () => Promise<void>;
}

/** Moves the log start up to `offset`, durably, and deletes segments before it. The contents are synced. @throws {MillraceError} OFFSET_OUT_OF_RANGE */
export async function deleteBefore(deletion: Deletion, offset: number): Promise<void> {
  const { contents, offsets, resources, write } = deletion;
  if (!offsets.mayStartAt(offset)) return;
  offsets.startMovedTo(offset);
  write(() => contents.side.startMoved(offset, contents.segments.startOffset));
  await resources.checkpoint();
  await deleteExpired(deletion);
}

/** Deletes what retention and the log start offset let go. Moves the log start first, durably. @throws {MillraceError} */
export async function deleteExpired(deletion: Deletion): Promise<void> {
  try {
    await deletion.turns.run(() => deleteNow(deletion));
  } catch (error) {
    if (diskErrorCode(error) === undefined) throw error;
    throw storageFailure('expired segments cannot be deleted', error);
  }
}

async function deleteNow(deletion: Deletion): Promise<void> {
  const { contents, offsets, config, nowMs, resources, isStopped, write, sync } = deletion;
  const { segments, side, generation } = contents;
  const isDisturbed = (): boolean => generation !== contents.generation || isStopped();
  const { logStart, highWatermark, logEnd } = offsets;
  const limits = { logStartOffset: logStart, highWatermark, endOffset: logEnd, nowMs };
  const count = await expiredSegments(segments.all, config, limits);
  if (count === 0 || isDisturbed()) return;
  if (count === segments.all.length) write(() => segments.roll(config));
  const firstKept = segments.all[count]!.baseOffset;
  await side.keepProducers(firstKept, contents.endOffset, segments.all);
  if (isDisturbed()) return;
  const isNews = firstKept > offsets.startWritten;
  // Before it moves, for any log's checkpoint may tell of it then. What a power loss tears below would not be replayed,
  // and what it told of epochs and producers would be gone.
  if (isNews) await sync();
  if (isDisturbed()) return;
  if (firstKept > offsets.logStart) offsets.startMovedTo(firstKept);
  if (isNews) {
    const { logStart: start } = offsets;
    // Written down before the files go: later it tells a deletion from a loss. The last try may have failed.
    await resources.checkpoint();
    if (isDisturbed()) return;
    offsets.startWritten = start;
  }
  write(() => {
    const removed = segments.deleteFirst(count);
    contents.disturbReaders();
    side.startMoved(offsets.logStart, segments.startOffset);
    resources.removeLater(removed, config.fileDeleteDelayMs);
  });
}

async function isTooOld(
  segment: Segment,
  retentionMs: number,
  nowMs: number,
  config: LogConfig,
): Promise<boolean> {
  if (retentionMs < 0) return false;
  if (segment.newest === undefined && !segment.isLoaded) {
    await segment.load(config);
    segment.unload();
  }
  return nowMs - (segment.newest?.timestamp ?? segment.openedMs) > retentionMs;
}
