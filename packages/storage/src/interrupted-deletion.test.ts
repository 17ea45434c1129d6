/** Segments that are deleted go name by name: after a power loss any of them may be there again, and any other not. */
import { ManualClock } from '@millrace/core';
import { splitBatches } from '@millrace/records';
import { describe, expect, test } from 'vitest';
import { CrashableFileSystem } from './crashable-file-system.ts';
import { offsetName, offsetsOf } from './log-folder.ts';
import { COMPACTED, HOME, keyedBatch, openLog, openStore, passing, recordsOf } from './testing.ts';

const FOLDER = `${HOME}/t-0`;
const RECORDS = 40;
/** In the middle of a segment. */
const LOG_START = 22;
const PRODUCER_ID = 5;
/** Of half an epoch the first batches are deleted. */
const epochOf = (offset: number): number => 1 + Math.floor(offset / 15);

function producer(baseSequence: number) {
  return { producer: { producerId: PRODUCER_ID, producerEpoch: 0, baseSequence } };
}

function segmentsOf(disk: CrashableFileSystem): number[] {
  const names = disk.paths().filter((path) => path.startsWith(`${FOLDER}/`));
  return offsetsOf(
    names.map((path) => path.slice(FOLDER.length + 1)),
    '.log',
  );
}

/** A log of many segments after a deletion, and the files that it deleted. */
async function afterDeletion(
  isClean: boolean,
): Promise<{ disk: CrashableFileSystem; deleted: Map<string, Buffer> }> {
  const disk = new CrashableFileSystem();
  const store = await openStore(disk, { config: { 'log.cleaner.enable': 'false' } });
  const log = await openLog(store, COMPACTED);
  for (let i = 0; i < RECORDS; i++)
    log.appendAsLeader(keyedBatch([[`k${i % 4}`, `${i}`.padEnd(30, '.')]], producer(i)), epochOf(i));
  await log.whenFlushed(RECORDS);
  log.setHighWatermark(RECORDS);
  await store.flush();
  const before = new Map(disk.paths().map((path) => [path, disk.get(path)!]));
  await log.deleteRecordsBefore(LOG_START);
  await store.close({ clean: isClean });
  const after = disk.crash((_path, _synced, written) => written);
  const deleted = [...before].filter(([path]) => path.startsWith(FOLDER) && after.get(path) === undefined);
  return { disk: after, deleted: new Map(deleted) };
}

/** Every choice of the segments that are there again. */
async function* leftovers(isClean: boolean): AsyncGenerator<CrashableFileSystem> {
  const { deleted } = await afterDeletion(isClean);
  const stems = [...new Set([...deleted.keys()].map((path) => path.slice(0, path.lastIndexOf('.'))))];
  expect(stems.length).toBeGreaterThan(2);
  for (let choice = 0; choice < 2 ** stems.length; choice++) {
    const { disk } = await afterDeletion(isClean);
    for (const [path, bytes] of deleted) {
      const isBack = stems.some((stem, i) => ((choice >> i) & 1) === 1 && path.startsWith(stem));
      if (isBack) disk.put(path, bytes);
    }
    yield disk;
  }
}

describe.each([
  ['a clean stop', true],
  ['a kill', false],
])('after %s', (_name, isClean) => {
  test.each([
    ['with all that was written beside it', []],
    ['without its leader epochs', ['leader-epoch-checkpoint']],
    ['without its leader epochs and snapshots', ['leader-epoch-checkpoint', '.snapshot']],
  ])(
    'a log whose deletion was interrupted opens with everything from its start on, %s',
    async (_what, lost) => {
      for await (const disk of leftovers(isClean)) {
        for (const path of disk.paths())
          if (lost.some((ending) => path.startsWith(FOLDER) && path.endsWith(ending))) disk.unlinkSync(path);
        const log = await openLog(await openStore(disk), COMPACTED);
        expect(log.offline).toBeUndefined();
        expect([log.logStartOffset, log.logEndOffset]).toEqual([LOG_START, RECORDS]);
        const offsets = (await recordsOf(log)).map(({ offset }) => offset);
        expect(offsets).toEqual(Array.from({ length: RECORDS - LOG_START }, (_, i) => LOG_START + i));
        for (const offset of offsets) expect(log.epochAt(offset)).toBe(epochOf(offset));
        expect(log.endOffsetForEpoch(2)).toEqual({ epoch: 2, endOffset: 30 });
        const again = log.appendAsLeader(keyedBatch([['k3', 'x']], producer(RECORDS - 1)), 3);
        expect(again).toMatchObject({ baseOffset: RECORDS - 1, duplicate: true });
      }
    },
  );

  test('such a log without the segment that holds its start is damaged', async () => {
    for await (const disk of leftovers(isClean)) {
      const holder = segmentsOf(disk).findLast((baseOffset) => baseOffset <= LOG_START)!;
      disk.unlinkSync(`${FOLDER}/${offsetName(holder)}.log`);
      disk.unlinkSync(`${FOLDER}/leader-epoch-checkpoint`);
      const log = await openLog(await openStore(disk), COMPACTED);
      expect(log.offline?.code).toBe('LOG_DAMAGED');
    }
  });

  test('cleaning such a log leaves no hole in a segment', async () => {
    for await (const disk of leftovers(isClean)) {
      const clock = new ManualClock();
      const store = await openStore(disk, { clock, config: { 'log.cleaner.enable': 'false' } });
      const log = await openLog(store, { ...COMPACTED, segmentBytes: 100_000 });
      log.setHighWatermark(RECORDS);
      await passing(clock, store.compact(log));
      expect(log.firstDirtyOffset).toBeGreaterThan(LOG_START);
      await passing(clock, store.close({ clean: true }));
      for (const baseOffset of segmentsOf(disk)) {
        let expected = baseOffset;
        for (const batch of splitBatches(disk.get(`${FOLDER}/${offsetName(baseOffset)}.log`)!)) {
          expect(batch.baseOffset).toBe(expected);
          expected = batch.nextOffset;
        }
      }
    }
  });
});
