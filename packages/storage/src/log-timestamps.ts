/** Finds records by timestamp: time index first, then headers, then the records of one batch. */
import { BatchView, RecordCursor } from '@millrace/records';
import { LIMITS } from './decompression-limits.ts';
import type { LogConfig } from './log-config.ts';
import { locateBatch } from './log-locate.ts';
import { DamageFound } from './log-reader.ts';
import { LOOKUP_BYTES, readHeader, STOP_SCAN, scanBatches } from './log-scan.ts';
import type { Segment } from './segment.ts';

export interface TimestampOffset {
  readonly offset: number;
  readonly timestamp: number;
}

/** The first record at or after `startOffset` whose timestamp is at least `timestamp`. */
export async function findTimestamp(
  segments: readonly Segment[],
  config: LogConfig,
  timestamp: number,
  startOffset: number,
): Promise<TimestampOffset | undefined> {
  for (const [i, segment] of segments.entries()) {
    const end = segments[i + 1]?.baseOffset;
    if (segment.isEmpty || (end !== undefined && end <= startOffset)) continue;
    const isSealed = segment !== segments.at(-1);
    await segment.load(config);
    await checkTimes(segment, timestamp, config);
    const found =
      (segment.newest?.timestamp ?? -1) >= timestamp
        ? await searchSegment(segment, end, timestamp, startOffset)
        : undefined;
    if (isSealed) segment.unload();
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The first record that has the largest timestamp. */
export async function findMaxTimestamp(
  segments: readonly Segment[],
  config: LogConfig,
): Promise<TimestampOffset | undefined> {
  let best: { segment: Segment; end: number | undefined; timestamp: number; offset: number } | undefined;
  for (const [i, segment] of segments.entries()) {
    const end = segments[i + 1]?.baseOffset;
    const isSealed = segment !== segments.at(-1);
    if (!segment.isEmpty) await segment.load(config);
    const { newest } = segment;
    if (newest !== undefined && newest.timestamp > (best?.timestamp ?? -1))
      best = { segment, end, ...newest };
    if (isSealed) segment.unload();
  }
  if (best === undefined) return undefined;
  const located = await locateBatch(best.segment, best.offset);
  if (located === undefined) return undefined;
  const batch = await readBatch(best.segment, best.end, located);
  return firstAtLeast(batch, best.timestamp, 0);
}

/** What the time index says is asked of the batches themselves: it has no checksum. */
async function checkTimes(segment: Segment, timestamp: number, config: LogConfig): Promise<void> {
  for (const entry of [segment.newest, segment.timeBefore(timestamp)]) {
    if (entry === undefined) continue;
    const batch = await locateBatch(segment, entry.offset);
    if (batch?.lastOffset === entry.offset && batch.maxTimestamp === entry.timestamp) continue;
    await segment.rebuild(config, 'the time index');
    return;
  }
}

async function searchSegment(
  segment: Segment,
  end: number | undefined,
  timestamp: number,
  startOffset: number,
): Promise<TimestampOffset | undefined> {
  let position = segment.positionBeforeTime(timestamp);
  while (position < segment.sizeBytes) {
    const candidate = await nextCandidate(segment, position, timestamp, startOffset);
    if (candidate === undefined) return undefined;
    const batch = await readBatch(segment, end, candidate);
    const found = firstAtLeast(batch, timestamp, startOffset);
    if (found !== undefined) return found;
    position = candidate.position + candidate.sizeBytes;
  }
  return undefined;
}

async function nextCandidate(
  segment: Segment,
  from: number,
  timestamp: number,
  startOffset: number,
): Promise<{ position: number; sizeBytes: number } | undefined> {
  let candidate: { position: number; sizeBytes: number } | undefined;
  await segment.withFile((file) =>
    scanBatches(
      file,
      from,
      segment.sizeBytes,
      ({ maxTimestamp, lastOffset, sizeBytes }, position) => {
        if (maxTimestamp < timestamp || lastOffset < startOffset) return undefined;
        candidate = { position, sizeBytes };
        return STOP_SCAN;
      },
      LOOKUP_BYTES,
    ),
  );
  return candidate;
}

/** @param segmentEnd where the next segment begins. */
async function readBatch(
  segment: Segment,
  segmentEnd = segment.nextOffset,
  { position, sizeBytes }: { readonly position: number; readonly sizeBytes: number },
): Promise<BatchView> {
  const bytes = Buffer.allocUnsafe(sizeBytes);
  const end = position + sizeBytes;
  return await segment.withFile(async (file) => {
    const batch = BatchView.at(bytes.subarray(0, await file.read(bytes, position)), 0);
    // Its offset lies outside the checksum: the batch after it knows.
    const next = end < segment.sizeBytes ? (await readHeader(file, end))?.baseOffset : segmentEnd;
    if (batch === undefined || !batch.isCrcValid() || batch.nextOffset !== next) {
      throw new DamageFound(`${segment.logPath}: the batch at byte ${position} is not what was written`);
    }
    return batch;
  });
}

function firstAtLeast(batch: BatchView, timestamp: number, startOffset: number): TimestampOffset | undefined {
  const records = new RecordCursor(batch, LIMITS);
  while (records.next()) {
    if (records.timestamp < timestamp || records.offset < startOffset) continue;
    return { offset: records.offset, timestamp: records.timestamp };
  }
  return undefined;
}
