import { ManualClock } from '@millrace/core';
import { expect, test } from 'vitest';
import { MemoryFileSystem } from './memory-file-system.ts';
import { batchOf, contentsOf, HOME, openLog, openStore, SMALL } from './testing.ts';

const MIB = 1024 * 1024;
const RESERVE = `${HOME}/disk-reserve`;
const LARGE = { ...SMALL, segmentBytes: 100 * MIB };
const CACHED = { ...LARGE, durability: 'page-cache' as const };
const config = { 'log.dir.reserve.bytes': `${2 * MIB}` };

async function kept(store: Awaited<ReturnType<typeof openStore>>, clock: ManualClock): Promise<void> {
  let isDone = false;
  const done = store.keepReserve().then(() => {
    isDone = true;
  });
  while (!isDone) {
    clock.advance(10);
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  await done;
}

/** Appends until the log takes no more. */
function fill(log: Awaited<ReturnType<typeof openLog>>): void {
  const append = (): void => {
    for (let i = 0; i < 10_000; i++) log.appendAsLeader(batchOf('x', { bytes: 50_000 }), 0);
  };
  expect(append).toThrow(expect.objectContaining({ code: 'DISK_FULL' }));
  expect(log.offline?.code).toBe('DISK_FULL');
}

test('a full disk gives the reserve up: others find the room, logs that are not written stay readable, none grows', async () => {
  const disk = new MemoryFileSystem({ capacityBytes: 8 * MIB });
  const clock = new ManualClock();
  let store = await openStore(disk, { clock, config });
  const logs = [await openLog(store, CACHED, 'a'), await openLog(store, CACHED, 'b')] as const;
  logs[1].appendAsLeader(batchOf('b'), 0);
  await kept(store, clock);
  expect(disk.statSync(RESERVE)?.sizeBytes).toBe(2 * MIB);
  fill(logs[0]);
  expect(disk.statSync(RESERVE)).toBeUndefined();
  expect((await disk.space(HOME)).usableBytes).toBeGreaterThanOrEqual(2 * MIB);
  expect([logs[1].offline, await contentsOf(logs[1])]).toEqual([undefined, ['b/0']]);
  expect(store.failure?.code).toBe('DISK_FULL');
  fill(logs[1]);
  expect(logs[1].logEndOffset).toBe(1);
  expect((await disk.space(HOME)).usableBytes).toBeGreaterThanOrEqual(2 * MIB - 10_000);
  await store.close({ clean: true });
  store = await openStore(disk, { clock, config });
  expect(store.failure).toBeUndefined();
  await kept(store, clock);
  expect(await contentsOf(await openLog(store, CACHED, 'b'))).toEqual(['b/0']);
  await store.close({ clean: true });
});

test('after the disk was full the journal writes only where it has blocks, and nothing that was acknowledged is lost', async () => {
  const disk = new MemoryFileSystem({ capacityBytes: 12 * MIB });
  const clock = new ManualClock();
  const files = { ...config, 'journal.file.bytes': `${MIB}`, 'journal.max.bytes': `${4 * MIB}` };
  let store = await openStore(disk, { clock, config: files });
  const durable = await openLog(store, LARGE, 'durable');
  const cached = await openLog(store, CACHED, 'cached');
  await kept(store, clock);
  durable.appendAsLeader(batchOf('a'), 0);
  await durable.whenFlushed(1);
  fill(cached);
  fill(durable);
  const acknowledged = durable.flushedOffset;
  expect((await disk.space(HOME)).usableBytes).toBeGreaterThanOrEqual(MIB);
  await store.close({ clean: true });
  store = await openStore(disk, { clock, config: { ...files, 'log.dir.reserve.bytes': '0' } });
  const again = await openLog(store, LARGE, 'durable');
  expect(again.offline).toBeUndefined();
  expect(again.logEndOffset).toBeGreaterThanOrEqual(acknowledged);
  await store.close({ clean: true });
});

test('the reserve of an earlier run is adopted, one of another size is made anew, one that is not wanted goes', async () => {
  const disk = new MemoryFileSystem();
  const clock = new ManualClock();
  for (const bytes of [2 * MIB, 2 * MIB, 3 * MIB, 0]) {
    const store = await openStore(disk, { clock, config: { 'log.dir.reserve.bytes': `${bytes}` } });
    await kept(store, clock);
    expect(disk.statSync(RESERVE)?.sizeBytes ?? 0).toBe(bytes);
    await store.close({ clean: true });
  }
});

test('a start with less room than the reserve counts as full: what is left is for metadata', async () => {
  const disk = new MemoryFileSystem({ capacityBytes: MIB });
  const clock = new ManualClock();
  const store = await openStore(disk, { clock, config });
  const log = await openLog(store, CACHED);
  await kept(store, clock);
  expect(() => log.appendAsLeader(batchOf('a'), 0)).toThrow(expect.objectContaining({ code: 'DISK_FULL' }));
  expect(disk.statSync(RESERVE)).toBeUndefined();
  await store.close({ clean: true });
});

test('a store that closes while the reserve is made leaves none that is half made', async () => {
  const disk = new MemoryFileSystem();
  const clock = new ManualClock();
  const store = await openStore(disk, { clock, config });
  void store.keepReserve();
  await new Promise<void>((resolve) => setImmediate(resolve));
  await store.close({ clean: true });
  expect(disk.statSync(RESERVE)).toBeUndefined();
});

test('a store that keeps no reserve writes none', async () => {
  const disk = new MemoryFileSystem();
  const store = await openStore(disk);
  (await openLog(store)).appendAsLeader(batchOf('a'), 0);
  await store.close({ clean: true });
  expect(disk.statSync(RESERVE)).toBeUndefined();
});
