/** Which of the oldest segments may go. Pure but for loading a time index; deletes nothing itself. */
import type { LogConfig } from './log-config.ts';
import type { Segment } from './segment.ts';

export interface RetentionLimits {
  readonly logStartOffset: number;
  /** Segments that reach beyond it stay: nobody may lose what is not committed. */
  readonly highWatermark: number;
  readonly endOffset: number;
  readonly nowMs: number;
}

/** @returns how many of the first segments to delete; all of them asks for a roll first. */
export async function expiredSegments(
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
