import { expect, test } from 'vitest';
import { CrashableFileSystem, type DiskOperation } from './crashable-file-system.ts';
import { diskError } from './memory-file-system.ts';
import { batchOf, contentsOf, openLog, openStore, SMALL } from './testing.ts';

const code = (name: string) => expect.objectContaining({ code: name });

/** Fails every such operation on matching paths from now on. */
function failing(operation: DiskOperation, path: RegExp, errorCode: string) {
  return (found: DiskOperation, where: string): number | undefined => {
    if (found === operation && path.test(where)) throw diskError(errorCode, where);
    return undefined;
  };
}

const PAGE_CACHE = { ...SMALL, durability: 'page-cache' as const };

test('a log whose disk is full goes offline with a short write behind it; others go on; a restart finds all that counted', async () => {
  const disk = new CrashableFileSystem();
  let store = await openStore(disk);
  const full = await openLog(store, SMALL, 'full');
  const other = await openLog(store, SMALL, 'other');
  full.appendAsLeader(batchOf('a'), 0);
  await full.whenFlushed(1);
  const seen: string[] = [];
  full.onOffline = (error) => seen.push(error.code);
  disk.fault = (operation, path) => (operation === 'write' && /full-0.*\.log$/.test(path) ? 40 : undefined);
  expect(() => full.appendAsLeader(batchOf('b'), 0)).toThrow(code('DISK_FULL'));
  expect([seen, full.offline?.code]).toEqual([['DISK_FULL'], 'DISK_FULL']);
  expect(() => full.appendAsLeader(batchOf('c'), 0)).toThrow(code('DISK_FULL'));
  await expect(full.read(0, 100, 1)).rejects.toThrow(code('DISK_FULL'));
  other.appendAsLeader(batchOf('d'), 0);
  await other.whenFlushed(1);
  disk.fault = undefined;
  await store.close({ clean: true });
  store = await openStore(disk);
  const again = await openLog(store, SMALL, 'full');
  expect([again.offline, await contentsOf(again)]).toEqual([undefined, ['a/0']]);
  expect(await contentsOf(await openLog(store, SMALL, 'other'))).toEqual(['d/0']);
  await store.close({ clean: true });
});

test.each([
  ['full', 'write', 'ENOSPC', 'DISK_FULL'],
  ['failing', 'write', 'EIO', 'KAFKA_STORAGE_ERROR'],
  ['failing to sync', 'datasync', 'EIO', 'KAFKA_STORAGE_ERROR'],
] as const)(
  'with the journal %s the durable logs go offline, nothing more is acknowledged, page-cache logs go on',
  async (_what, operation, errno, expected) => {
    const disk = new CrashableFileSystem();
    let store = await openStore(disk);
    const durable = await openLog(store, SMALL, 'durable');
    const cached = await openLog(store, PAGE_CACHE, 'cached');
    durable.appendAsLeader(batchOf('a'), 0);
    await durable.whenFlushed(1);
    disk.fault = failing(operation, /\/journal\//, errno);
    durable.appendAsLeader(batchOf('b'), 0);
    await expect(durable.whenFlushed(2)).rejects.toThrow(code(expected));
    expect([durable.offline?.code, durable.flushedOffset]).toEqual([expected, 1]);
    expect(store.failure?.code).toBe(expected);
    // Never again in this process, even if the disk comes back: what it kept is unknown.
    disk.fault = undefined;
    expect(() => durable.appendAsLeader(batchOf('c'), 0)).toThrow(code(expected));
    expect((await openLog(store, SMALL, 'late')).offline?.code).toBe(expected);
    cached.appendAsLeader(batchOf('d'), 0);
    expect((await contentsOf(cached)).length).toBe(1);
    await store.close({ clean: true });
    store = await openStore(disk.crash());
    const again = await openLog(store, SMALL, 'durable');
    expect(again.offline).toBeUndefined();
    expect((await contentsOf(again))[0]).toBe('a/0');
    await store.close({ clean: true });
  },
);

test('a log that fails to sync is offline and stays so after a restart, until it is repaired', async () => {
  const disk = new CrashableFileSystem();
  let store = await openStore(disk);
  const log = await openLog(store, SMALL, 'bad');
  const other = await openLog(store, SMALL, 'good');
  log.appendAsLeader(batchOf('a'), 0);
  other.appendAsLeader(batchOf('b'), 0);
  await log.whenFlushed(1);
  disk.fault = failing('datasync', /bad-0.*\.log$/, 'EIO');
  await store.flush();
  expect([log.offline?.code, other.offline]).toEqual(['KAFKA_STORAGE_ERROR', undefined]);
  expect(store.failure).toBeUndefined();
  disk.fault = undefined;
  await store.close({ clean: true });
  store = await openStore(disk.crash());
  const again = await openLog(store, SMALL, 'bad');
  expect(again.offline?.code).toBe('LOG_DAMAGED');
  await again.resetForRepair(0);
  again.appendAsLeader(batchOf('c'), 1);
  await again.whenFlushed(1);
  expect(await contentsOf(again)).toEqual(['c/0']);
  expect(await contentsOf(await openLog(store, SMALL, 'good'))).toEqual(['b/0']);
  await store.close({ clean: true });
});

test('a folder that fails to sync when records are deleted takes its log with it: its name may be gone from the disk', async () => {
  const disk = new CrashableFileSystem();
  let store = await openStore(disk);
  const log = await openLog(store, PAGE_CACHE);
  log.appendAsLeader(batchOf('a'), 0);
  log.appendAsLeader(batchOf('b'), 0);
  log.setHighWatermark(2);
  disk.fault = failing('datasync', /t-0\/partition\.metadata$/, 'EIO');
  await expect(log.deleteRecordsBefore(1)).rejects.toThrow(code('KAFKA_STORAGE_ERROR'));
  expect(log.offline?.code).toBe('KAFKA_STORAGE_ERROR');
  disk.fault = undefined;
  await store.close({ clean: true });
  store = await openStore(disk);
  expect((await openLog(store, PAGE_CACHE)).offline?.code).toBe('LOG_DAMAGED');
  await store.close({ clean: true });
});

test('a snapshot of producers that fails to sync is written anew before the batches it stands for are deleted', async () => {
  const disk = new CrashableFileSystem();
  const store = await openStore(disk);
  const log = await openLog(store);
  for (let i = 0; i < 12; i++) {
    log.appendAsLeader(
      batchOf(`v${i}`, { producer: { producerId: 7, producerEpoch: 0, baseSequence: i } }),
      0,
    );
  }
  await log.whenFlushed(12);
  log.setHighWatermark(12);
  const seen: string[] = [];
  disk.fault = (operation, path) => {
    if (!path.includes('.snapshot') || (operation !== 'write' && operation !== 'datasync')) return undefined;
    seen.push(operation);
    if (seen.join() === 'write,datasync') throw diskError('EIO', path);
    return undefined;
  };
  await expect(log.deleteRecordsBefore(12)).rejects.toThrow('EIO');
  await log.cleanUp(0);
  expect(seen).toEqual(['write', 'datasync', 'write', 'datasync']);
  disk.fault = undefined;
  await store.close({ clean: true });
});

test('nothing is deleted before it is written down where the log begins, however often that fails', async () => {
  const disk = new CrashableFileSystem();
  let store = await openStore(disk);
  let log = await openLog(store, PAGE_CACHE);
  for (let i = 0; i < 24; i++) log.appendAsLeader(batchOf(`v${i}`), 0);
  log.setHighWatermark(24);
  const config = { ...PAGE_CACHE, retentionBytes: 600 };
  log.setConfig(config);
  disk.fault = failing('write', /log-start-offset/, 'EIO');
  await expect(log.cleanUp(0)).rejects.toThrow('EIO');
  await expect(log.cleanUp(0)).rejects.toThrow('EIO');
  await store.close({ clean: false });
  disk.fault = undefined;
  store = await openStore(disk.crash((_path, _synced, written) => written));
  log = await openLog(store, config);
  expect((await contentsOf(log)).length).toBe(24);
  log.setHighWatermark(24);
  await log.cleanUp(0);
  expect(log.logStartOffset).toBeGreaterThan(0);
  await store.close({ clean: true });
});

test('a log start is told only when no power loss can take what lies below it, and its epochs and producers, from the log', async () => {
  const disk = new CrashableFileSystem();
  const log = await openLog(await openStore(disk));
  const producer = (baseSequence: number) => ({ producerId: 7, producerEpoch: 0, baseSequence });
  log.appendAsLeader(batchOf('a', { producer: producer(0) }), 0);
  log.appendAsLeader(batchOf('b', { producer: producer(1) }), 4);
  await log.whenFlushed(2);
  log.setHighWatermark(2);
  await log.deleteRecordsBefore(2);
  const again = await openLog(await openStore(disk.crash()));
  expect([again.logStartOffset, again.logEndOffset, again.lastEpoch, again.epochAt(1)]).toEqual([2, 2, 4, 4]);
  expect(again.appendAsLeader(batchOf('b', { producer: producer(1) }), 5).duplicate).toBe(true);
});

test('a folder without its metadata that is marked as damaged stays damaged, whatever the journal still tells', async () => {
  const disk = new CrashableFileSystem();
  const log = await openLog(await openStore(disk));
  log.appendAsLeader(batchOf('a'), 0);
  await log.whenFlushed(1);
  const lost = disk.crash((_path, _synced, written) => written);
  lost.put('/data/t-0/partition.metadata', Buffer.alloc(61));
  lost.put('/data/t-0/damaged', Buffer.from('why'));
  expect((await openLog(await openStore(lost))).offline?.code).toBe('LOG_DAMAGED');
});

test('a folder without its metadata whose log is known to go on later never begins at 0 again', async () => {
  let isTold = false;
  for (let operations = 0; ; operations++) {
    const disk = new CrashableFileSystem();
    const log = await openLog(await openStore(disk));
    log.appendAsLeader(batchOf('a'), 0);
    await log.whenFlushed(1);
    disk.diesAfter = disk.operations + operations;
    const isEmptied = await log.truncateFullyAndStartAt(5).then(
      () => true,
      () => false,
    );
    const lost = disk.crash((_path, _synced, written) => written);
    lost.put('/data/t-0/partition.metadata', Buffer.alloc(61));
    if (/^t 0 5$/m.test(lost.get('/data/log-start-offset-checkpoint')?.toString() ?? '')) {
      isTold = true;
      const again = await openLog(await openStore(lost));
      expect(again.offline?.code, `after ${operations} operations`).toBe('LOG_DAMAGED');
    }
    if (isEmptied) break;
  }
  expect(isTold).toBe(true);
});

test('a checkpoint that cannot be written keeps the journal, not the node, waiting', async () => {
  const disk = new CrashableFileSystem();
  const store = await openStore(disk);
  const log = await openLog(store, { ...SMALL, segmentBytes: 100_000 });
  disk.fault = failing('rename', /recovery-point/, 'ENOSPC');
  for (let i = 0; i < 15; i++) {
    log.appendAsLeader(batchOf(`v${i}`, { bytes: 10_000 }), 0);
    await log.whenFlushed(i + 1);
  }
  disk.fault = undefined;
  for (let i = 15; i < 40; i++) {
    log.appendAsLeader(batchOf(`v${i}`, { bytes: 10_000 }), 0);
    await log.whenFlushed(i + 1);
  }
  const again = await openLog(await openStore(disk.crash()), { ...SMALL, segmentBytes: 100_000 });
  expect([again.offline, (await contentsOf(again)).length]).toEqual([undefined, 40]);
});
