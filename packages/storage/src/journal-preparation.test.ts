import { ManualClock } from '@millrace/core';
import { expect, test } from 'vitest';
import { CrashableFileSystem } from './crashable-file-system.ts';
import { batchOf, contentsOf, openLog, openStore, SMALL } from './testing.ts';

const MIB = 1024 * 1024;
const config = {
  'journal.file.bytes': `${16 * MIB}`,
  'journal.max.bytes': `${64 * MIB}`,
  'journal.bypass.bytes': `${64 * MIB}`,
};

function journalFiles(disk: CrashableFileSystem): string[] {
  return disk.paths().filter((path) => path.includes('.journal'));
}

async function settle(clock: ManualClock, ms: number): Promise<void> {
  for (let i = 0; i < ms; i++) {
    clock.advance(1);
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}

test('a node that writes little makes no journal file ahead', async () => {
  const disk = new CrashableFileSystem();
  const store = await openStore(disk, { config });
  const log = await openLog(store, { ...SMALL, segmentBytes: 100 * MIB });
  for (let i = 0; i < 20; i++) log.appendAsLeader(batchOf(`v${i}`), 0);
  await log.whenFlushed(20);
  expect(journalFiles(disk)).toHaveLength(1);
  await store.close({ clean: true });
});

test('a node of large rounds writes no zeros: its files grow, and are used again', async () => {
  const disk = new CrashableFileSystem();
  const clock = new ManualClock();
  const store = await openStore(disk, { config, clock });
  const log = await openLog(store, { ...SMALL, segmentBytes: 100 * MIB });
  const seen = new Set<string>();
  for (let i = 0; i < 80; i++) {
    log.appendAsLeader(batchOf('v', { bytes: 700_000 }), 0);
    await log.whenFlushed(i + 1);
    await settle(clock, 3);
    for (const path of journalFiles(disk)) seen.add(path);
    if (i === 10) expect(disk.statSync(journalFiles(disk)[0]!)?.sizeBytes).toBeLessThan(11 * 700_200);
  }
  expect([...seen].filter((path) => path.endsWith('.free'))).not.toEqual([]);
  const reopened = await openLog(await openStore(disk.crash(), { config }));
  expect(reopened.offline).toBeUndefined();
  expect(reopened.logEndOffset).toBe(80);
});

test('the next journal file is made ahead, used, and replayed after a crash', async () => {
  const disk = new CrashableFileSystem();
  const clock = new ManualClock();
  const store = await openStore(disk, { config, clock });
  const log = await openLog(store, { ...SMALL, segmentBytes: 100 * MIB });
  const append = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      log.appendAsLeader(batchOf('v', { bytes: 100_000 }), 0);
      await log.whenFlushed(log.logEndOffset);
    }
  };
  await append(1);
  await append(7);
  expect(journalFiles(disk).filter((path) => path.endsWith('.free'))).toHaveLength(1);
  await settle(clock, 100);
  const ready = journalFiles(disk).find((path) => path.endsWith('.free'))!;
  expect(disk.statSync(ready)?.sizeBytes).toBeGreaterThan(2 * MIB);
  await append(8);
  expect(journalFiles(disk)).not.toContain(ready);
  await append(8);
  const reopened = await openLog(await openStore(disk.crash(), { config }));
  expect(reopened.offline).toBeUndefined();
  expect(await contentsOf(reopened)).toHaveLength(24);
});

test('a store closes while a journal file is being made', async () => {
  const disk = new CrashableFileSystem();
  const store = await openStore(disk, { config });
  const log = await openLog(store, { ...SMALL, segmentBytes: 100 * MIB });
  for (let i = 0; i < 8; i++) {
    log.appendAsLeader(batchOf('v', { bytes: 100_000 }), 0);
    await log.whenFlushed(i + 1);
  }
  expect(journalFiles(disk)).toHaveLength(2);
  await store.close({ clean: true });
  expect(journalFiles(disk).filter((path) => path.endsWith('.free'))).toEqual([]);
});

test('without room for the next journal file, appends go on', async () => {
  const disk = new CrashableFileSystem();
  const clock = new ManualClock();
  const store = await openStore(disk, { config, clock });
  const log = await openLog(store, { ...SMALL, segmentBytes: 100 * MIB });
  disk.fault = (operation, path) => (operation === 'write' && path.endsWith('.free') ? 0 : undefined);
  for (let i = 0; i < 30; i++) {
    log.appendAsLeader(batchOf('v', { bytes: 100_000 }), 0);
    await log.whenFlushed(i + 1);
    await settle(clock, 1);
  }
  expect(await contentsOf(log)).toHaveLength(30);
  await store.close({ clean: true });
});
