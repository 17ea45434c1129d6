/**
 * What compaction decides, without touching a file: how much of a log is dirty, whether that is worth a cleaning, which
 * log comes first, which segments become one, which records stay. Pure. Source: KIP-58, KIP-280, KIP-354, KIP-534.
 */
import type { LogConfig } from './log-config.ts';

/** A sealed segment. */
export interface SealedSegment {
  readonly baseOffset: number;
  /** Where the next one begins. */
  readonly endOffset: number;
  readonly sizeBytes: number;
  /** -1 if no record has one, or nobody needs to know. */
  readonly oldestTimestamp: number;
  readonly newestTimestamp: number;
}

export interface CleanableLimits {
  /** All below was cleaned before. */
  readonly firstDirtyOffset: number;
  /** Segments that reach beyond it stay as they are. */
  readonly upTo: number;
  /** A tombstone that was seen before may go at that time. */
  readonly deleteHorizonMs: number;
  readonly nowMs: number;
}

/** What a cleaning of one log would look at. */
export interface DirtyRange {
  readonly from: number;
  readonly to: number;
  /** Of the log's bytes up to `to`, those from `from` on. 0 for a log that has none. */
  readonly dirtyRatio: number;
  readonly isDue: boolean;
}

export function dirtyRange(
  segments: readonly SealedSegment[],
  config: LogConfig,
  { firstDirtyOffset, upTo, deleteHorizonMs, nowMs }: CleanableLimits,
): DirtyRange {
  const from = Math.max(firstDirtyOffset, segments[0]?.baseOffset ?? 0);
  let [to, cleanBytes, dirtyBytes, isLate] = [from, 0, 0, false];
  for (const { endOffset, sizeBytes, newestTimestamp, oldestTimestamp } of segments) {
    if (endOffset > upTo) break;
    if (endOffset <= from) {
      cleanBytes += sizeBytes;
      continue;
    }
    if (config.minCompactionLagMs > 0 && nowMs - newestTimestamp < config.minCompactionLagMs) break;
    dirtyBytes += sizeBytes;
    isLate ||= oldestTimestamp >= 0 && nowMs - oldestTimestamp > config.maxCompactionLagMs;
    to = endOffset;
  }
  const dirtyRatio = dirtyBytes === 0 ? 0 : dirtyBytes / (cleanBytes + dirtyBytes);
  const isDirty = dirtyBytes > 0 && (isLate || dirtyRatio > config.minCleanableDirtyRatio);
  const hasExpired = cleanBytes > 0 && deleteHorizonMs <= nowMs;
  return { from, to, dirtyRatio, isDue: isDirty || hasExpired };
}

/** The one to clean first. */
export function dirtiest<T extends { readonly range: DirtyRange }>(candidates: readonly T[]): T | undefined {
  let first: T | undefined;
  for (const candidate of candidates) {
    if (!candidate.range.isDue) continue;
    if (first === undefined || candidate.range.dirtyRatio > first.range.dirtyRatio) first = candidate;
  }
  return first;
}

const RELATIVE_OFFSET_MAX = 2 ** 31 - 1;

/** Neighbours that fit into one segment together. */
export function groupSegments<T extends Pick<SealedSegment, 'baseOffset' | 'endOffset' | 'sizeBytes'>>(
  segments: readonly T[],
  segmentBytes: number,
): T[][] {
  const groups: T[][] = [];
  let [group, bytes]: [T[], number] = [[], 0];
  for (const segment of segments) {
    const base = group[0]?.baseOffset ?? segment.baseOffset;
    const fits =
      bytes + segment.sizeBytes <= segmentBytes && segment.endOffset - 1 - base <= RELATIVE_OFFSET_MAX;
    if (group.length === 0 || !fits) {
      group = [];
      groups.push(group);
      bytes = 0;
    }
    group.push(segment);
    bytes += segment.sizeBytes;
  }
  return groups;
}

/** Of a record; a RecordCursor fits. */
export interface RecordFacts {
  readonly offset: number;
  /** -1 without a key. */
  readonly keyStart: number;
  readonly hasValue: boolean;
}

/**
 * Whether a record below the end of what was mapped stays.
 *
 * @param newestOffset of the same key in what was dirty; -1 for none.
 * @param deleteHorizonMs of the batch; undefined before a cleaner has seen it.
 */
export function staysInLog(
  { offset, keyStart, hasValue }: RecordFacts,
  newestOffset: number,
  deleteHorizonMs: number | undefined,
  nowMs: number,
): boolean {
  if (keyStart === -1 || offset < newestOffset) return false;
  return hasValue || deleteHorizonMs === undefined || nowMs < deleteHorizonMs;
}
