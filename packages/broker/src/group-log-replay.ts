/**
 * Reads a coordinator's log from its start: batches to records, records to the machine, in the order of the log. Gives
 * everything else a turn every few milliseconds. Never looks above the given end and never writes.
 */
import { type Clock, MiB, MillraceError, sleep } from '@millrace/core';
import { decodeGroupRecord, type GroupRecord } from '@millrace/groups';
import { type BatchView, forEachRecord, splitBatches } from '@millrace/records';
import type { PartitionLog } from '@millrace/storage';

export interface GroupLogReplay {
  readonly log: PartitionLog;
  /** The log end when the reading began: nobody appends meanwhile. */
  readonly endOffset: number;
  readonly clock: Clock;
  /** False ends the reading. */
  readonly isWanted: () => boolean;
  readonly replay: (offset: number, record: GroupRecord) => void;
}

export interface ReplayedCounts {
  readonly records: number;
  /** Records of kinds that this version does not know: a newer one wrote them. */
  readonly skipped: number;
}

const READ_BYTES = MiB;
/** Records are replayed for this long before everything else gets a turn. */
const TURN_MAX_MS = 10;

/** @throws {MillraceError} what reading throws; CORRUPT_MESSAGE for a batch or record that is not what it claims. */
export async function replayGroupLog(options: GroupLogReplay): Promise<ReplayedCounts> {
  const { log, endOffset, clock, isWanted } = options;
  const counts = { records: 0, skipped: 0 };
  let offset = log.logStartOffset;
  let turnBeganMs = clock.nowMs();
  while (offset < endOffset && isWanted()) {
    const bytes = await log.read(offset, READ_BYTES, endOffset);
    const batches = isWanted() ? splitBatches(bytes) : [];
    // Compaction may have emptied the end of the log.
    if (batches.length === 0) break;
    for (const batch of batches) {
      replayBatch(batch, offset, options, counts);
      offset = batch.nextOffset;
      if (clock.nowMs() - turnBeganMs < TURN_MAX_MS) continue;
      await sleep(clock, 0);
      if (!isWanted()) break;
      turnBeganMs = clock.nowMs();
    }
  }
  return counts;
}

function replayBatch(
  batch: BatchView,
  fromOffset: number,
  { replay }: GroupLogReplay,
  counts: { records: number; skipped: number },
): void {
  if (!batch.isCrcValid()) {
    throw new MillraceError('CORRUPT_MESSAGE', `the batch at ${batch.baseOffset} fails its checksum`);
  }
  if (batch.isControl) return;
  forEachRecord(batch, ({ offset, key, value }) => {
    if (offset < fromOffset) return;
    const record = decodeGroupRecord(key, value);
    if (record === undefined) {
      counts.skipped += 1;
    } else {
      counts.records += 1;
      replay(offset, record);
    }
  });
}
