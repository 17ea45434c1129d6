import { ManualClock } from '@millrace/core';
import { type BatchView, crc32c, splitBatches } from '@millrace/records';
import { expect, test } from 'vitest';
import type { CrashableFileSystem } from './crashable-file-system.ts';
import type { LogConfig } from './log-config.ts';
import type { LogStore } from './log-store.ts';
import { MemoryFileSystem } from './memory-file-system.ts';
import type { PartitionLog } from './partition-log.ts';
import {
  batchOf,
  COMPACTED,
  type KeyedRecord,
  keyedBatch,
  openLog,
  openStore,
  passing,
  recordsOf,
  valuesOf,
} from './testing.ts';

const DAY_MS = 86_400_000;

class World {
  readonly clock = new ManualClock();
  fileSystem: MemoryFileSystem | CrashableFileSystem = new MemoryFileSystem();
  store!: LogStore;
  log!: PartitionLog;

  async open(config: Partial<LogConfig> = {}, storeConfig: Record<string, string> = {}): Promise<this> {
    const settings = { 'log.cleaner.enable': 'false', ...storeConfig };
    this.store = await openStore(this.fileSystem, { clock: this.clock, config: settings });
    this.log = await openLog(this.store, { ...COMPACTED, ...config });
    return this;
  }

  async write(...batches: readonly (readonly KeyedRecord[])[]): Promise<void> {
    for (const records of batches) this.log.appendAsLeader(keyedBatch(records), 0);
    await this.commit();
  }

  async commit(): Promise<void> {
    await this.log.whenFlushed(this.log.logEndOffset);
    this.log.setHighWatermark(this.log.logEndOffset);
  }

  /** Seals what there is, so that compaction may touch it. */
  async seal(): Promise<void> {
    const { config } = this.log;
    this.log.setConfig({ ...config, segmentMs: -1 });
    await this.log.cleanUp(this.clock.wallMs());
    this.log.setConfig(config);
  }

  compact() {
    return passing(this.clock, this.store.compact(this.log));
  }

  async restart(clean = true): Promise<void> {
    const { config } = this.log;
    await passing(this.clock, this.store.close({ clean }));
    await this.open(config);
  }

  async batches(): Promise<BatchView[]> {
    const views: BatchView[] = [];
    for (let at = this.log.logStartOffset; at < this.log.logEndOffset; at = views.at(-1)!.nextOffset) {
      views.push(...splitBatches(await this.log.read(at, 1, this.log.logEndOffset)));
    }
    return views;
  }
}

test('of each key only the last record stays, at its offset', async () => {
  const world = await new World().open();
  await world.write(
    [['a', '1']],
    [['b', '1']],
    [
      ['a', '2'],
      ['c', '1'],
    ],
    [['b', '2']],
    [['a', '3']],
  );
  await world.seal();
  const report = await world.compact();
  expect(report).toMatchObject({ from: 0, to: 6, recordsBefore: 6, recordsAfter: 3 });
  const left = (await recordsOf(world.log)).map(({ offset, key, value }) => [offset, `${key}=${value}`]);
  expect(left).toEqual([
    [3, 'c=1'],
    [4, 'b=2'],
    [5, 'a=3'],
  ]);
  expect(world.log.firstDirtyOffset).toBe(6);
  expect(world.log.logEndOffset).toBe(6);
});

test('what is left out between two batches is one empty batch: the log has no hole', async () => {
  const world = await new World().open({ segmentBytes: 100_000 });
  for (let i = 0; i < 60; i++) await world.write([[`k${i % 3}`, `${i}`]]);
  await world.seal();
  await world.compact();
  const batches = await world.batches();
  expect(
    batches.map(({ baseOffset, lastOffset, recordCount }) => [baseOffset, lastOffset, recordCount]),
  ).toEqual([
    [0, 56, 0],
    [57, 57, 1],
    [58, 58, 1],
    [59, 59, 1],
  ]);
  expect(batches[0]!.sizeBytes).toBe(61);
});

test('the active segment and what is not committed stay as they are', async () => {
  const world = await new World().open();
  for (let i = 0; i < 30; i++) world.log.appendAsLeader(keyedBatch([['k', `${i}`]]), 0);
  await world.log.whenFlushed(30);
  world.log.setHighWatermark(12);
  await world.compact();
  const left = (await recordsOf(world.log)).map(({ offset }) => offset);
  expect(world.log.firstDirtyOffset).toBeLessThanOrEqual(12);
  expect(left).toEqual(
    Array.from({ length: 31 - world.log.firstDirtyOffset }, (_, i) => world.log.firstDirtyOffset - 1 + i),
  );
});

test('a tombstone stays for delete.retention.ms after it was cleaned first, then it goes', async () => {
  const world = await new World().open({ deleteRetentionMs: DAY_MS });
  await world.write([['a', '1']], [['b', '1']], [['a', null]]);
  await world.seal();
  await world.compact();
  const tombstone = (await world.batches()).find(({ lastOffset }) => lastOffset === 2)!;
  expect(tombstone.deleteHorizonMs).toBeGreaterThanOrEqual(world.clock.wallMs() + DAY_MS - 100);
  expect((await recordsOf(world.log)).map(({ offset, timestamp }) => [offset, timestamp])).toEqual([
    [1, 1000],
    [2, 1000],
  ]);
  world.clock.advance(DAY_MS / 2);
  await world.compact();
  expect(await recordsOf(world.log)).toHaveLength(2);
  expect((await world.log.compaction.range(world.clock.wallMs()))?.isDue).toBe(false);
  world.clock.advance(DAY_MS / 2);
  expect((await world.log.compaction.range(world.clock.wallMs()))?.isDue).toBe(true);
  await world.compact();
  expect((await recordsOf(world.log)).map(({ offset }) => offset)).toEqual([1]);
  expect(world.log.logEndOffset).toBe(3);
});

test('the last batch of a producer stays, empty, and a retry of it is known after a restart', async () => {
  const world = await new World().open();
  const batch = (key: string, producerId: number, baseSequence: number): Buffer =>
    keyedBatch([[key, `${baseSequence}`]], { producer: { producerId, producerEpoch: 0, baseSequence } });
  world.log.appendAsLeader(batch('a', 7, 0), 0);
  world.log.appendAsLeader(batch('a', 7, 1), 0);
  world.log.appendAsLeader(batch('a', 8, 0), 0);
  await world.commit();
  await world.seal();
  await world.compact();
  expect((await world.batches()).map(({ producerId, recordCount }) => [producerId, recordCount])).toEqual([
    [-1, 0],
    [7, 0],
    [8, 1],
  ]);
  await world.restart(false);
  expect(world.log.appendAsLeader(batch('a', 7, 1), 0)).toMatchObject({ duplicate: true, baseOffset: 1 });
  expect(world.log.appendAsLeader(batch('a', 7, 2), 0)).toMatchObject({ duplicate: false, baseOffset: 3 });
});

test.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const)(
  'batches in %s keep their codec',
  async (codec) => {
    const world = await new World().open();
    const records = Array.from({ length: 20 }, (_, i): KeyedRecord => [`k${i % 10}`, `${i}`.repeat(20)]);
    for (let i = 0; i < 3; i++)
      world.log.appendAsLeader(keyedBatch([...records, [`only-${i}`, 'x']], { codec }), 0);
    await world.commit();
    await world.seal();
    await world.compact();
    const full = (await world.batches()).filter(({ recordCount }) => recordCount > 0);
    expect(full.map((batch) => [batch.codec, batch.recordCount])).toEqual([
      [codec, 1],
      [codec, 1],
      [codec, 11],
    ]);
    expect(full.every((batch) => batch.isCrcValid() && batch.lastOffsetDelta === 20)).toBe(true);
    expect((await valuesOf(world.log)).get('k3')).toBe('13'.repeat(20));
  },
);

test('small cleaned segments become one, up to segment.bytes', async () => {
  const world = await new World().open({ segmentBytes: 2000 });
  for (let i = 0; i < 100; i++) await world.write([[`k${i % 4}`, `${i}`.padEnd(40, '.')]]);
  await world.seal();
  await world.compact();
  await world.compact();
  const logs = world.fileSystem.readdirSync('/data/t-0').filter(({ name }) => name.endsWith('.log'));
  expect(logs.map(({ name }) => name)).toEqual([`${'0'.repeat(20)}.log`, `${'100'.padStart(20, '0')}.log`]);
});

test('a map that is full ends the cleaning at a segment, and the next goes on there', async () => {
  const world = await new World().open({}, { 'log.cleaner.dedupe.buffer.size': '1024' });
  for (let i = 0; i < 100; i++) await world.write([[`k${i}`, '1']]);
  for (let i = 0; i < 100; i++) await world.write([[`k${i}`, '2']]);
  await world.seal();
  const ends: number[] = [];
  for (let i = 0; i < 20; i++) ends.push((await world.compact())?.to ?? -1);
  expect(ends[0]).toBeGreaterThan(0);
  expect(ends[0]).toBeLessThan(60);
  expect(world.log.firstDirtyOffset).toBe(200);
  expect(await recordsOf(world.log)).toHaveLength(100);
});

test('records without a key go, as in Kafka; batches that cannot be read stay', async () => {
  const world = await new World().open();
  world.log.appendAsLeader(batchOf('x', { count: 2 }), 0);
  const garbage = keyedBatch([['a', '1']], { codec: 'gzip' });
  garbage.fill(0, 61);
  garbage.writeUInt32BE(crc32c(garbage, 21), 17);
  world.log.appendAsLeader(garbage, 0);
  await world.write([['a', '2']]);
  await world.seal();
  await world.compact();
  const batches = await world.batches();
  expect(batches.map(({ baseOffset, recordCount }) => [baseOffset, recordCount])).toEqual([
    [0, 0],
    [2, 1],
    [3, 1],
  ]);
});

test('young records are left alone, old ones are cleaned in time', async () => {
  const world = await new World().open({ minCompactionLagMs: 1000, minCleanableDirtyRatio: 1 });
  const nowMs = world.clock.wallMs();
  for (let i = 0; i < 4; i++) world.log.appendAsLeader(keyedBatch([['a', `${i}`]], { timestamp: nowMs }), 0);
  await world.commit();
  await world.seal();
  expect(await world.log.compaction.range(nowMs + 999)).toMatchObject({ to: 0, isDue: false });
  expect(await world.log.compaction.range(nowMs + 1001)).toMatchObject({ to: 4, isDue: false });
  world.log.setConfig({ ...world.log.config, maxCompactionLagMs: 5000 });
  expect(await world.log.compaction.range(nowMs + 4999)).toMatchObject({ to: 4, isDue: false });
  expect(await world.log.compaction.range(nowMs + 5001)).toMatchObject({ to: 4, isDue: true });
});

test('what was cleaned is remembered over restarts, and forgotten where the log was cut', async () => {
  const world = await new World().open();
  for (let i = 0; i < 40; i++) await world.write([[`k${i % 5}`, `${i}`]]);
  await world.seal();
  await world.compact();
  await world.restart();
  expect(world.log.firstDirtyOffset).toBe(40);
  await world.restart(false);
  expect(world.log.firstDirtyOffset).toBe(40);
  world.log.setHighWatermark(37);
  await world.log.truncateTo(37);
  expect(world.log.logEndOffset).toBe(37);
  await world.restart(false);
  expect(world.log.firstDirtyOffset).toBe(37);
  await world.log.truncateTo(20);
  expect(world.log.logEndOffset).toBeLessThanOrEqual(20);
  expect(world.log.firstDirtyOffset).toBe(world.log.logEndOffset);
});

test('leader epochs begin where they did, even if nothing of one is left', async () => {
  const world = await new World().open();
  for (let i = 0; i < 30; i++) world.log.appendAsLeader(keyedBatch([['a', `${i}`]]), Math.floor(i / 10));
  await world.commit();
  await world.seal();
  await world.compact();
  const follower = await openLog(world.store, COMPACTED, 'copy');
  for (const view of await world.batches()) follower.appendAsFollower(Buffer.from(view.bytes));
  for (const log of [world.log, follower]) {
    expect([0, 1, 2].map((epoch) => log.endOffsetForEpoch(epoch).endOffset)).toEqual([10, 20, 30]);
  }
  expect(await recordsOf(follower)).toEqual(await recordsOf(world.log));
});

test('a follower whose end the leader compacted over takes the rest of what is gone', async () => {
  const world = await new World().open({ segmentBytes: 100_000 });
  const follower = await openLog(world.store, COMPACTED, 'copy');
  for (let i = 0; i < 30; i++) {
    await world.write([['a', `${i}`]]);
    if (i === 9) follower.appendAsFollower(Buffer.from(await world.log.read(0, 100_000, 10)));
  }
  await world.seal();
  await world.compact();
  const rest = await world.log.read(10, 100_000, 30);
  const sent = Buffer.from(rest);
  expect(splitBatches(rest)[0]).toMatchObject({ baseOffset: 0, lastOffset: 28 });
  follower.appendAsFollower(rest);
  expect(rest).toEqual(sent);
  expect(follower.logEndOffset).toBe(30);
  expect((await recordsOf(follower)).map(({ offset }) => offset)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 29]);
});

test('reads, lookups and appends go on while segments are swapped', async () => {
  // Slow, so that much happens meanwhile.
  const slow = { 'log.cleaner.io.max.bytes.per.second': '1000', 'log.cleaner.io.buffer.size': '1024' };
  const world = await new World().open({}, slow);
  for (let i = 0; i < 200; i++) await world.write([[`k${i % 7}`, `${i}`.padEnd(30, '.')]]);
  await world.seal();
  let isDone = false;
  const compacting = world.store.compact(world.log).then(() => {
    isDone = true;
  });
  let reads = 0;
  const reader = (async () => {
    while (!isDone) {
      const values = await valuesOf(world.log);
      for (let k = 0; k < 7; k++) expect(Number.parseInt(values.get(`k${k}`)!, 10)).toBeGreaterThan(190);
      expect((await world.log.offsetForTimestamp(1000))?.offset).toBeTypeOf('number');
      if (reads < 50) world.log.appendAsLeader(keyedBatch([[`k${reads % 7}`, `${300 + reads}`]]), 0);
      reads++;
    }
  })();
  await passing(world.clock, Promise.all([compacting, reader]));
  expect(reads).toBeGreaterThan(10);
});

test('compaction and deletion live together', async () => {
  const world = await new World().open({ retentionBytes: 1500 });
  for (let i = 0; i < 100; i++) await world.write([[`k${i}`, 'x'.repeat(20)]]);
  await world.seal();
  await world.compact();
  await world.log.cleanUp(world.clock.wallMs());
  const { logStartOffset } = world.log;
  expect(logStartOffset).toBeGreaterThan(50);
  for (let i = 0; i < 100; i++) await world.write([[`k${i}`, 'y']]);
  await world.seal();
  await world.compact();
  const left = (await recordsOf(world.log)).map(({ offset }) => offset);
  expect(left[0]).toBeGreaterThanOrEqual(100);
  expect(left.length).toBe(200 - left[0]!);
  await world.restart(false);
  expect((await recordsOf(world.log)).map(({ offset }) => offset)).toEqual(left);
});

test('what was deleted and what is out of date may be one empty batch: the log start stays, and no older record is read', async () => {
  const world = await new World().open({ segmentBytes: 100_000 });
  for (let i = 0; i < 10; i++) await world.write([[i === 3 ? 'deleted' : 'k', `${i}`]]);
  await world.log.deleteRecordsBefore(4);
  await world.write([['deleted', null]], [['k', '11']]);
  await world.seal();
  await world.compact();
  for (const clean of [true, false]) {
    const [first] = await world.batches();
    expect(first).toMatchObject({ baseOffset: 0, lastOffset: 9, recordCount: 0 });
    expect(world.log.logStartOffset).toBe(4);
    expect((await recordsOf(world.log)).map(({ offset }) => offset)).toEqual([10, 11]);
    await world.restart(clean);
  }
  expect(world.log.logStartOffset).toBe(4);
});

test('the cleaner does it by itself, and not while it is disabled', async () => {
  for (const enabled of [true, false]) {
    const world = await new World().open(
      {},
      { 'log.cleaner.enable': String(enabled), 'log.cleaner.backoff.ms': '100' },
    );
    for (let i = 0; i < 50; i++) await world.write([['k', `${i}`]]);
    await world.seal();
    await passing(world.clock, new Promise<void>((resolve) => world.clock.schedule(500, resolve)));
    expect(await recordsOf(world.log)).toHaveLength(enabled ? 1 : 50);
    await passing(world.clock, world.store.close({ clean: true }));
  }
});

test('a cleaning takes its time when it may do little io', async () => {
  const world = await new World().open(
    {},
    { 'log.cleaner.io.max.bytes.per.second': '1000', 'log.cleaner.io.buffer.size': '1024' },
  );
  for (let i = 0; i < 100; i++) await world.write([['k', `${i}`]]);
  await world.seal();
  const [startMs, { sizeBytes }] = [world.clock.nowMs(), world.log];
  await world.compact();
  // Read once for the keys and once to be written anew.
  expect(world.clock.nowMs() - startMs).toBeGreaterThan(((2 * sizeBytes - 2048) / 1000) * 1000);
});
