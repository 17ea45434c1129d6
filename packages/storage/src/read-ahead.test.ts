/** What is read ahead saves the next reader the wait, and is never anything else than what he would have read himself. */
import { Deferred, ManualClock } from '@millrace/core';
import { decodeRecords, splitBatches } from '@millrace/records';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { DiskFile } from './file-system.ts';
import { MemoryFileSystem } from './memory-file-system.ts';
import type { PartitionLog } from './partition-log.ts';
import { ReadAheadRoom } from './read-ahead.ts';
import { batchOf, COMPACTED, keyedBatch, openLog, openStore, SMALL } from './testing.ts';

/** Counts reads of segments; what is read while `gate` is there arrives when that opens. */
class WatchedDisk extends MemoryFileSystem {
  logReads = 0;
  gate: Deferred<void> | undefined;

  override openSync(path: string, options?: { readonly create?: boolean }): DiskFile {
    const file = super.openSync(path, options);
    if (!path.endsWith('.log')) return file;
    const read = file.read.bind(file);
    file.read = async (target, position) => {
      this.logReads++;
      const { gate } = this;
      const count = await read(target, position);
      await gate?.promise;
      return count;
    };
    return file;
  }
}

const NO_TAIL = { 'tail.cache.bytes': '0' };
const ONE_SEGMENT = { ...SMALL, segmentBytes: 100_000, durability: 'page-cache' as const };
const BATCH_BYTES = batchOf('v0').length;

/** A log of batches of one record each, and the clock that what is read ahead waits for. */
async function logOf(count: number, config: Record<string, string> = {}, logConfig = ONE_SEGMENT) {
  const disk = new WatchedDisk();
  const clock = new ManualClock();
  const store = await openStore(disk, { clock, config: { ...NO_TAIL, ...config } });
  const log = await openLog(store, logConfig);
  for (let i = 0; i < count; i++) log.appendAsLeader(batchOf(`v${i}`), 0);
  return { disk, clock, store, log };
}

const settled = async (): Promise<void> => await new Promise((resolve) => void setImmediate(resolve));

/** Two batches at a time, as a consumer goes on. */
async function readOn(log: PartitionLog, from: number, upTo = log.logEndOffset): Promise<number> {
  const batches = splitBatches(await log.read(from, 2 * BATCH_BYTES, upTo));
  expect(batches[0]!.baseOffset).toBe(from);
  return batches.at(-1)!.nextOffset;
}

test('whoever goes on finds the next batches read already', async () => {
  const { disk, clock, log } = await logOf(20);
  let at = await readOn(log, 0);
  at = await readOn(log, at);
  for (let i = 0; i < 3; i++) {
    clock.advance(0);
    await settled();
    const { logReads } = disk;
    at = await readOn(log, at);
    expect(disk.logReads).toBe(logReads);
  }
  expect(at).toBe(10);
});

test('whoever reads one place of a log only has nothing read for him', async () => {
  const { disk, clock, log } = await logOf(20);
  await readOn(log, 0);
  const { logReads } = disk;
  clock.advance(0);
  await settled();
  expect(disk.logReads).toBe(logReads);
});

test('without room nothing is read ahead', async () => {
  const { disk, clock, log } = await logOf(20, { 'read.ahead.bytes': '0' });
  let at = 0;
  for (let i = 0; i < 4; i++) {
    at = await readOn(log, at);
    const { logReads } = disk;
    clock.advance(0);
    await settled();
    expect(disk.logReads).toBe(logReads);
  }
  expect(at).toBe(8);
});

test('what was read ahead is never served once it was cut off, even if it is still being read', async () => {
  for (const isSlow of [false, true]) {
    const { disk, clock, log } = await logOf(20);
    const at = await readOn(log, await readOn(log, 0));
    if (isSlow) disk.gate = new Deferred();
    clock.advance(0);
    await settled();
    const { gate } = disk;
    disk.gate = undefined;
    await log.truncateTo(4);
    for (let i = 0; i < 4; i++) log.appendAsLeader(batchOf(`w${i}`), 1);
    gate?.resolve();
    await settled();
    const batches = splitBatches(await log.read(at, 2 * BATCH_BYTES, log.logEndOffset));
    expect(batches.map(({ baseOffset, leaderEpoch }) => [baseOffset, leaderEpoch])).toEqual([
      [4, 1],
      [5, 1],
    ]);
  }
});

test('what was read ahead of a segment that compaction replaced is not served', async () => {
  const { clock, log, store } = await logOf(0, {}, { ...COMPACTED, durability: 'page-cache' });
  for (let i = 0; i < 20; i++) log.appendAsLeader(keyedBatch([['key', `v${i}`]]), 0);
  log.setHighWatermark(20);
  const at = splitBatches(await log.read(0, 1, 20)).at(-1)!.nextOffset;
  const next = splitBatches(await log.read(at, 1, 20)).at(-1)!.nextOffset;
  clock.advance(0);
  await settled();
  expect((await store.compact(log))!.recordsAfter).toBeLessThan(10);
  const [batch] = splitBatches(await log.read(next, 1, 20));
  expect([batch!.baseOffset <= next, decodeRecords(batch!)]).toEqual([true, []]);
});

test('what was read ahead is not served beyond what the next reader may see, or may take', async () => {
  const { clock, log } = await logOf(20);
  const at = await readOn(log, await readOn(log, 0));
  clock.advance(0);
  await settled();
  expect(splitBatches(await log.read(at, 2 * BATCH_BYTES, at + 1)).length).toBe(1);
  expect(await readOn(log, at + 1)).toBe(at + 3);
  clock.advance(0);
  await settled();
  expect(splitBatches(await log.read(at + 3, BATCH_BYTES, 20)).length).toBe(1);
});

test('damage that is met ahead is met again by whoever reads there', async () => {
  const { disk, clock, log } = await logOf(20);
  const at = await readOn(log, await readOn(log, 0));
  const file = disk.openSync('/data/t-0/00000000000000000000.log');
  file.writeSync([Buffer.from([0xff])], at * BATCH_BYTES + BATCH_BYTES - 3);
  clock.advance(0);
  await settled();
  expect(log.offline).toBeUndefined();
  await expect(log.read(at, 2 * BATCH_BYTES, 20)).rejects.toThrow(
    expect.objectContaining({ code: 'LOG_DAMAGED' }),
  );
});

test('the room is never exceeded, given back when something is fetched, and cleared of what nobody fetches', async () => {
  const clock = new ManualClock();
  const room = new ReadAheadRoom({ clock, bytesMax: 400 });
  const begin = (text: string) => room.begin(100, () => Promise.resolve(text));
  expect(room.begin(101, () => Promise.resolve('more than a fair share'))).toBeUndefined();
  const aheads = ['a', 'b', 'c', 'd'].map(begin);
  expect([room.bytes, begin('e')]).toEqual([400, undefined]);
  clock.advance(0);
  expect(await aheads[0]!.take()).toBe('a');
  expect(await aheads[0]!.take()).toBeUndefined();
  expect(room.bytes).toBe(300);
  clock.advance(999);
  expect(room.bytes).toBe(300);
  clock.advance(1_000);
  expect(room.bytes).toBe(0);
  expect(await aheads[1]!.take()).toBeUndefined();
  const last = begin('f');
  room.close();
  expect([room.bytes, await last!.take(), begin('g')]).toEqual([0, undefined, undefined]);
});

test('memory that a slow disk still writes to counts until it has', async () => {
  const clock = new ManualClock();
  const room = new ReadAheadRoom({ clock, bytesMax: 400 });
  const disk = new Deferred<string>();
  const ahead = room.begin(100, () => disk.promise)!;
  clock.advance(0);
  ahead.drop();
  expect(room.bytes).toBe(100);
  disk.reject(new Error('EIO'));
  await settled();
  expect(room.bytes).toBe(0);
});

type Step =
  | { readonly do: 'append' }
  | { readonly do: 'turn' }
  | { readonly do: 'settle' }
  | { readonly do: 'waitALong' }
  | { readonly do: 'read'; readonly reader: number; readonly batches: number }
  | { readonly do: 'readAndLeave'; readonly reader: number }
  | { readonly do: 'truncate' | 'delete' | 'startOver'; readonly share: number; readonly appends: number };

const share = fc.double({ min: 0, max: 1, noNaN: true });
const reader = fc.nat(2);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('read' as const),
      reader,
      batches: fc.integer({ min: 1, max: 3 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('readAndLeave' as const), reader }) },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constantFrom('append' as const, 'turn' as const, 'settle' as const) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('waitALong' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom('truncate' as const, 'delete' as const, 'startOver' as const),
      share,
      appends: fc.nat(6),
    }),
  },
);

test('readers that go on see what was appended last, whatever is cut or deleted beside them', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const { disk, clock, log } = await logOf(0, {}, { ...SMALL, durability: 'page-cache' });
      const gates: Deferred<void>[] = [];
      /** By offset, one record a batch. */
      const model = new Map<number, Buffer>();
      const readers = [0, 0, 0];
      let [appended, epoch] = [0, 0];
      const append = (): void => {
        const batch = batchOf(`v${appended}`, { bytes: 20 + 7 * (appended++ % 3) });
        const { baseOffset } = log.appendAsLeader(batch, epoch);
        model.set(baseOffset, Buffer.from(batch));
        log.setHighWatermark(log.logEndOffset);
      };
      const release = (): void => {
        for (const gate of gates.splice(0)) gate.resolve();
      };
      for (let i = 0; i < 12; i++) append();
      for (const next of steps) {
        if (next.do === 'append') append();
        else if (next.do === 'turn') clock.advance(0);
        else if (next.do === 'settle') await settled();
        else if (next.do === 'waitALong') clock.advance(2_000);
        else if (next.do === 'read' || next.do === 'readAndLeave') {
          const { logStartOffset, logEndOffset } = log;
          const from = Math.min(Math.max(readers[next.reader]!, logStartOffset), logEndOffset);
          const bytes = model.get(logEndOffset - 1)!.length;
          if (next.do === 'readAndLeave') {
            const gate = new Deferred<void>();
            disk.gate = gate;
            void log.read(from, 2 * bytes, logEndOffset).catch(() => undefined);
            await settled();
            disk.gate = undefined;
            gates.push(gate);
            continue;
          }
          const reading = log.read(from, next.batches * bytes, logEndOffset);
          // It may wait for what is being read ahead of somebody who left.
          const isRead = await Promise.race([reading.then(() => true), settled().then(() => false)]);
          if (!isRead) release();
          const found = splitBatches(await reading);
          expect(found.length > 0).toBe(from < logEndOffset);
          for (const [i, view] of found.entries()) {
            expect(view.baseOffset).toBe(from + i);
            expect(view.isCrcValid()).toBe(true);
            expect(view.leaderEpoch).toBe(model.get(from + i)!.readInt32BE(12));
            expect(view.crc).toBe(model.get(from + i)!.readUInt32BE(17));
          }
          readers[next.reader] = from + found.length;
        } else {
          const { logStartOffset, logEndOffset } = log;
          const at = logStartOffset + Math.floor(next.share * (logEndOffset - logStartOffset));
          epoch++;
          if (next.do === 'truncate') await log.truncateTo(at);
          else if (next.do === 'delete') await log.deleteRecordsBefore(at);
          else await log.truncateFullyAndStartAt(at);
          for (let i = 0; i <= next.appends; i++) append();
          release();
          await settled();
        }
      }
    }),
    { numRuns: 200 },
  );
});
