import { ManualClock, silentLogger } from '@millrace/core';
import { BatchView, splitBatches } from '@millrace/records';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { locateBatch } from './log-locate.ts';
import { MemoryFileSystem } from './memory-file-system.ts';
import { OpenFiles } from './open-files.ts';
import { Segment } from './segment.ts';
import { batchOf, HOME, openLog, openStore, SMALL } from './testing.ts';
import { readWhole } from './whole-file.ts';

/** The rules of Kafka's DumpLogSegments for one segment. */
function checkSegment(disk: MemoryFileSystem, stem: string, baseOffset: number): void {
  const log = readWhole(disk, `${stem}.log`)!;
  const batches = splitBatches(log);
  const offsets = readWhole(disk, `${stem}.index`)!;
  expect(offsets.length % 8).toBe(0);
  let lastPosition = 0;
  for (let at = 0; at < offsets.length; at += 8) {
    const position = offsets.readInt32BE(at + 4);
    expect(BatchView.at(log, position)!.lastOffset).toBe(baseOffset + offsets.readInt32BE(at));
    expect(position).toBeGreaterThan(lastPosition + SMALL.indexIntervalBytes);
    lastPosition = position;
  }
  const times = readWhole(disk, `${stem}.timeindex`)!;
  expect(times.length % 12).toBe(0);
  let lastTimestamp = -1;
  for (let at = 0; at < times.length; at += 12) {
    const timestamp = Number(times.readBigInt64BE(at));
    const batch = batches.find(({ lastOffset }) => lastOffset === baseOffset + times.readInt32BE(at + 8));
    expect(batch?.maxTimestamp).toBe(timestamp);
    expect(timestamp).toBeGreaterThan(lastTimestamp);
    lastTimestamp = timestamp;
  }
}

test('indexes hold what Kafka demands of them and answer as a scan does, whatever was appended', async () => {
  const appends = fc.array(
    fc.record({
      count: fc.integer({ min: 1, max: 4 }),
      timestamp: fc.integer({ min: 0, max: 60 }),
      bytes: fc.integer({ min: 1, max: 90 }),
    }),
    { minLength: 1, maxLength: 40 },
  );
  await fc.assert(
    fc.asyncProperty(appends, fc.boolean(), async (batches, restarts) => {
      const disk = new MemoryFileSystem();
      let store = await openStore(disk, { config: { 'tail.cache.bytes': '0' } });
      let log = await openLog(store);
      const records: { offset: number; timestamp: number }[] = [];
      const starts: number[] = [];
      for (const [i, batch] of batches.entries()) {
        const { baseOffset } = log.appendAsLeader(batchOf(`v${i}`, batch), 0);
        starts.push(baseOffset);
        for (let r = 0; r < batch.count; r++)
          records.push({ offset: baseOffset + r, timestamp: batch.timestamp + r });
      }
      await log.whenFlushed(log.logEndOffset);
      if (restarts) {
        await store.close({ clean: true });
        for (const { name } of disk.readdirSync('/data/t-0')) {
          if (name.endsWith('.log'))
            checkSegment(disk, `/data/t-0/${name.slice(0, 20)}`, Number(name.slice(0, 20)));
        }
        store = await openStore(disk, { config: { 'tail.cache.bytes': '0' } });
        log = await openLog(store);
      }
      for (const { offset } of records) {
        const first = BatchView.at(await log.read(offset, 1, log.logEndOffset), 0)!;
        expect(first.baseOffset).toBe(starts.findLast((start) => start <= offset));
      }
      for (let timestamp = 0; timestamp < 66; timestamp += 3) {
        // As in Kafka: the first batch whose largest timestamp suffices, and in it the first such record.
        const expected = records.find((record) => record.timestamp >= timestamp);
        expect((await log.offsetForTimestamp(timestamp))?.offset).toBe(expected?.offset);
      }
      const largest = Math.max(...records.map(({ timestamp }) => timestamp));
      expect(await log.maxTimestampOffset()).toEqual(records.find(({ timestamp }) => timestamp === largest));
      await store.close({ clean: true });
    }),
    { numRuns: 60 },
  );
});

test('a log grows and is read while its indexes are rebuilt; nobody sees its end move, and a cut ends the rebuilding', async () => {
  const disk = new MemoryFileSystem();
  disk.mkdirSync(HOME);
  const resources = { fileSystem: disk, clock: new ManualClock(), files: new OpenFiles(disk, 4) };
  const segment = Segment.create(HOME, 0, resources, silentLogger);
  const append = (offset: number): void => {
    const bytes = batchOf(`v${offset}`);
    const view = BatchView.at(bytes, 0)!;
    view.assignOffsets(offset, 0);
    segment.write(bytes);
    segment.added(view, SMALL.indexIntervalBytes);
  };
  for (let offset = 0; offset < 20; offset++) append(offset);
  const rebuilding = segment.rebuild(SMALL, 'the offset index');
  expect(segment.nextOffset).toBe(20);
  for (let offset = 20; offset < 30; offset++) append(offset);
  await rebuilding;
  expect([segment.nextOffset, (await locateBatch(segment, 29))?.baseOffset]).toEqual([30, 29]);
  const { position } = (await locateBatch(segment, 10))!;
  const again = segment.rebuild(SMALL, 'the offset index');
  await segment.truncate(position, 10, SMALL);
  await again;
  expect([segment.nextOffset, segment.sizeBytes, segment.positionBefore(25) < position]).toEqual([
    10,
    position,
    true,
  ]);
});
