/** Reading the log of a coordinator: everything, in order, in turns, and nothing that is damaged. */
import { ManualClock } from '@millrace/core';
import { encodeGroupRecord, type GroupRecord, type OffsetRecord } from '@millrace/groups';
import { buildBatch } from '@millrace/records';
import type { PartitionLog } from '@millrace/storage';
import { expect, test } from 'vitest';
import { replayGroupLog } from './group-log-replay.ts';

function commitOf(offset: number): OffsetRecord {
  const value = { offset, leaderEpoch: -1, metadata: '', committedAtMs: 5, expiresAtMs: -1 };
  return { kind: 'offset', groupId: 'g', topic: 't', partition: 0, value };
}

/** A log whose batches begin at the given offsets, as compaction may leave them. */
function logOf(batches: readonly { readonly baseOffset: number; readonly bytes: Buffer }[], start = 0) {
  const reads: number[] = [];
  const log = {
    logStartOffset: start,
    read: async (from: number) => {
      reads.push(from);
      return batches.find(({ baseOffset }) => baseOffset >= from)?.bytes ?? Buffer.alloc(0);
    },
  };
  return { log: log as unknown as PartitionLog, reads };
}

function batchOf(baseOffset: number, ...records: GroupRecord[]) {
  return { baseOffset, bytes: buildBatch(records.map(encodeGroupRecord), { baseOffset }) };
}

async function replayed(log: PartitionLog, endOffset: number, more: { isWanted?: () => boolean } = {}) {
  const seen: [number, GroupRecord][] = [];
  const counts = await replayGroupLog({
    log,
    endOffset,
    clock: new ManualClock(),
    isWanted: () => true,
    replay: (offset, record) => seen.push([offset, record]),
    ...more,
  });
  return { seen, counts };
}

test('every record is replayed with its offset, across gaps', async () => {
  const { log } = logOf([batchOf(0, commitOf(1), commitOf(2)), batchOf(7, commitOf(3))]);
  const { seen, counts } = await replayed(log, 8);
  expect(seen).toEqual([
    [0, commitOf(1)],
    [1, commitOf(2)],
    [7, commitOf(3)],
  ]);
  expect(counts).toEqual({ records: 3, skipped: 0 });
});

test('an end that compaction emptied ends the reading', async () => {
  const { log } = logOf([batchOf(0, commitOf(1))]);
  expect((await replayed(log, 100)).counts.records).toBe(1);
});

test('kinds of records that a newer version wrote are passed over', async () => {
  const bytes = buildBatch([{ key: Buffer.from([0, 99]), value: null }, encodeGroupRecord(commitOf(4))]);
  const { log } = logOf([{ baseOffset: 0, bytes }]);
  const { seen, counts } = await replayed(log, 2);
  expect(seen).toEqual([[1, commitOf(4)]]);
  expect(counts).toEqual({ records: 1, skipped: 1 });
});

test('a damaged batch is not guessed at', async () => {
  const { baseOffset, bytes } = batchOf(0, commitOf(1));
  bytes[bytes.length - 1]! ^= 1;
  const { log } = logOf([{ baseOffset, bytes }]);
  await expect(replayed(log, 1)).rejects.toMatchObject({ code: 'CORRUPT_MESSAGE' });
});

test('who is not wanted any more stops reading', async () => {
  const { log, reads } = logOf([batchOf(0, commitOf(1)), batchOf(1, commitOf(2))]);
  let left = 3;
  const { seen } = await replayed(log, 2, { isWanted: () => left-- > 0 });
  expect(seen).toHaveLength(1);
  expect(reads).toEqual([0, 1]);
});

test('everything else gets a turn while a long log is read', async () => {
  const batches = Array.from({ length: 20 }, (_, i) => batchOf(i, commitOf(i)));
  const { log } = logOf(batches);
  const clock = new ManualClock();
  // Each record takes a while.
  const seen: number[] = [];
  const replaying = replayGroupLog({
    log,
    endOffset: 20,
    clock,
    isWanted: () => true,
    replay: (offset) => {
      seen.push(offset);
      clock.advance(4);
    },
  });
  for (let i = 0; i < 20; i++) await Promise.resolve();
  expect(seen).toHaveLength(3);
  let turns = 0;
  while (seen.length < 20) {
    clock.advance(0);
    for (let i = 0; i < 50; i++) await Promise.resolve();
    turns += 1;
  }
  await replaying;
  expect(turns).toBeGreaterThan(3);
});
