import { Deferred, ManualClock, randomUuid, SeededRandom, silentLogger } from '@millrace/core';
import { expect, test } from 'vitest';
import { CrashableFileSystem } from './crashable-file-system.ts';
import { LogStore } from './log-store.ts';
import { MemoryFileSystem } from './memory-file-system.ts';
import { storageConfig } from './storage-config.ts';
import { batchOf, CLUSTER, contentsOf, HOME, openLog, openStore, SMALL, TOPIC_ID } from './testing.ts';

test('a directory that nobody formatted, that is in use, or that belongs elsewhere is refused', async () => {
  const fileSystem = new MemoryFileSystem();
  const options = {
    path: HOME,
    fileSystem,
    clock: new ManualClock(),
    random: new SeededRandom(1),
    logger: silentLogger,
    config: storageConfig.parse({}),
  };
  await expect(LogStore.open(options)).rejects.toMatchObject({ code: 'NOT_FORMATTED' });
  await LogStore.format(fileSystem, HOME, CLUSTER);
  await expect(LogStore.format(fileSystem, HOME, CLUSTER)).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
  const store = await LogStore.open({ ...options, expected: CLUSTER });
  expect(store).toMatchObject({ ...CLUSTER, previousBrokerEpoch: -1 });
  await expect(LogStore.open(options)).rejects.toMatchObject({ code: 'DIRECTORY_LOCKED' });
  store.setBrokerEpoch(42);
  await store.close({ clean: true });
  for (const expected of [{ clusterId: 'other' }, { nodeId: 2 }]) {
    await expect(LogStore.open({ ...options, expected })).rejects.toMatchObject({
      code: 'INCONSISTENT_CLUSTER_ID',
    });
  }
  const again = await LogStore.open(options);
  expect(again.previousBrokerEpoch).toBe(42);
  await again.close({ clean: false });
  expect((await LogStore.open(options)).previousBrokerEpoch).toBe(-1);
});

test('the quorum of a directory is unknown until it is kept, and then there for good', async () => {
  const fileSystem = new MemoryFileSystem();
  const store = await openStore(fileSystem);
  expect(store.quorumId).toBe('');
  await store.keepQuorumId('q'.repeat(22));
  await expect(store.keepQuorumId('other')).rejects.toThrow(/one quorum/);
  await store.close({ clean: true });
  const again = await openStore(fileSystem);
  expect(again).toMatchObject({ quorumId: 'q'.repeat(22), directoryId: CLUSTER.directoryId });
  expect(LogStore.readIdentity(fileSystem, HOME)).toEqual({ ...CLUSTER, quorumId: 'q'.repeat(22) });
  await again.close({ clean: true });
});

test('a clean stop before the node has an epoch keeps the one of the run before', async () => {
  const disk = new MemoryFileSystem();
  const first = await openStore(disk);
  first.setBrokerEpoch(7);
  await first.close({ clean: true });
  await (await openStore(disk)).close({ clean: true });
  expect((await openStore(disk)).previousBrokerEpoch).toBe(7);
});

test('one sync serves appends to many partitions', async () => {
  const disk = new CrashableFileSystem();
  const store = await openStore(disk);
  const logs = await Promise.all(Array.from({ length: 50 }, (_, i) => openLog(store, SMALL, 't', i)));
  for (const log of logs) log.appendAsLeader(batchOf('warm up'), 0);
  await Promise.all(logs.map((log) => log.whenFlushed(1)));
  let syncs = 0;
  disk.fault = (operation) => {
    if (operation === 'datasync') syncs++;
    return undefined;
  };
  for (const log of logs) log.appendAsLeader(batchOf('a'), 0);
  await Promise.all(logs.map((log) => log.whenFlushed(2)));
  expect(syncs).toBe(1);
  await store.close({ clean: true });
});

test('journal files are retired and reused, and nothing is lost on the way', async () => {
  const disk = new CrashableFileSystem();
  const store = await openStore(disk);
  const log = await openLog(store, { ...SMALL, segmentBytes: 100_000 });
  for (let i = 0; i < 100; i++) {
    log.appendAsLeader(batchOf(`v${i}`, { bytes: 10_000 }), 0);
    await log.whenFlushed(i + 1);
  }
  const journals = disk.paths().filter((path) => path.includes('/journal/'));
  expect(journals.length).toBeLessThanOrEqual(6);
  const after = disk.crash();
  const log2 = await openLog(await openStore(after));
  expect(log2.offline).toBeUndefined();
  expect((await contentsOf(log2)).length).toBe(100);
});

test('a partition that was deleted does not come back from the journal', async () => {
  const disk = new CrashableFileSystem();
  const store = await openStore(disk);
  const log = await openLog(store);
  log.appendAsLeader(batchOf('old'), 0);
  log.appendAsLeader(batchOf('older'), 0);
  await log.whenFlushed(2);
  await store.deletePartition(log);
  await expect(log.read(0, 1, 1)).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION' });
  const again = await openLog(store);
  expect(again.logEndOffset).toBe(0);
  again.appendAsLeader(batchOf('new'), 1);
  await again.whenFlushed(1);
  const reopened = await openLog(await openStore(disk.crash()));
  expect(await contentsOf(reopened)).toEqual(['new/0']);
});

test('a folder left by an earlier topic of the same name is moved aside', async () => {
  const disk = new MemoryFileSystem();
  let store = await openStore(disk);
  const log = await openLog(store);
  log.appendAsLeader(batchOf('old'), 0);
  await store.close({ clean: true });
  store = await openStore(disk);
  expect(store.listPartitions()).toEqual([{ topic: 't', partition: 0, topicId: TOPIC_ID }]);
  const topicId = randomUuid(new SeededRandom(99));
  const other = await store.openPartition({ topic: 't', partition: 0, topicId }, SMALL);
  expect([other.offline, other.logEndOffset]).toEqual([undefined, 0]);
  expect(disk.statSync('/data/t-0.0-stray')?.isDirectory).toBe(true);
  await store.close({ clean: true });
});

test('a full queue answers NODE_OVERLOADED and takes more once it is written', async () => {
  const store = await openStore(new MemoryFileSystem(), { config: { 'journal.queue.bytes': '65536' } });
  const log = await openLog(store, { ...SMALL, segmentBytes: 1_000_000 });
  const append = () => log.appendAsLeader(batchOf('a', { bytes: 30_000 }), 0);
  append();
  append();
  append();
  expect(append).toThrow(expect.objectContaining({ code: 'NODE_OVERLOADED' }));
  await log.whenFlushed(3);
  expect(store.journalBacklogBytes).toBe(0);
  append();
  await log.whenFlushed(4);
  await store.close({ clean: true });
});

test('a disk that hangs is asked for its size once, however many ask; one that fails says so, and is asked again', async () => {
  const disk = new MemoryFileSystem({ capacityBytes: 1 << 30 });
  const store = await openStore(disk);
  const space = { totalBytes: 9, usableBytes: 7 };
  const answers = [new Deferred<typeof space>(), new Deferred<typeof space>()] as const;
  let asked = 0;
  disk.space = () => answers[asked++ as 0 | 1].promise;
  const many = [store.space(), store.space()];
  expect(asked).toBe(1);
  answers[0].reject(Object.assign(new Error('EIO: statfs'), { code: 'EIO' }));
  for (const each of many) await expect(each).rejects.toMatchObject({ code: 'KAFKA_STORAGE_ERROR' });
  answers[1].resolve(space);
  expect(await store.space()).toEqual(space);
  await store.close({ clean: true });
});
