/**
 * All batches of a sealed segment, a chunk at a time, each checked against its checksum and its neighbours: what is
 * written anew from them must not make damage look sound.
 */
import { MillraceError } from '@millrace/core';
import { type BatchView, splitBatches } from '@millrace/records';
import { DamageFound } from './log-reader.ts';
import type { Segment } from './segment.ts';

const LENGTH_AT = 8;
const LENGTH_PREFIX_BYTES = 12;

/** @param epochAt the epoch that an offset must have; -1 if unknown. @throws {DamageFound} */
export async function* segmentBatches(
  segment: Segment,
  chunkBytes: number,
  epochAt: (offset: number) => number,
): AsyncGenerator<readonly BatchView[], void, undefined> {
  const { sizeBytes, logPath } = segment;
  let [position, expected, wantedBytes] = [0, segment.baseOffset, chunkBytes];
  while (position < sizeBytes) {
    const buffer = Buffer.allocUnsafeSlow(Math.min(wantedBytes, sizeBytes - position));
    const at = position;
    const count = await segment.withFile((file) => file.read(buffer, at));
    const views = split(buffer.subarray(0, count), logPath);
    if (views.length === 0) {
      const needed =
        count < LENGTH_PREFIX_BYTES ? buffer.length + 1 : LENGTH_PREFIX_BYTES + buffer.readInt32BE(LENGTH_AT);
      if (count < buffer.length || needed <= buffer.length || needed > sizeBytes - position) {
        throw new DamageFound(`${logPath}: the batch at byte ${position} is cut off`);
      }
      wantedBytes = needed;
      continue;
    }
    for (const view of views) {
      const epoch = epochAt(view.lastOffset);
      const isInPlace = view.baseOffset === expected && view.lastOffsetDelta >= 0;
      const isOfEpoch = epoch === -1 || epoch === view.leaderEpoch;
      if (!isInPlace || !isOfEpoch || !view.isCrcValid()) {
        throw new DamageFound(`${logPath}: the batch due at offset ${expected} is not what was written`);
      }
      expected = view.nextOffset;
      position += view.sizeBytes;
    }
    wantedBytes = chunkBytes;
    yield views;
  }
}

function split(bytes: Buffer, logPath: string): BatchView[] {
  try {
    return splitBatches(bytes);
  } catch (error) {
    if (error instanceof MillraceError) throw new DamageFound(`${logPath}: ${error.message}`);
    throw error;
  }
}
