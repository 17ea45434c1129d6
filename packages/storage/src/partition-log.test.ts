import { ManualClock } from '@millrace/core';
import { splitBatches } from '@millrace/records';
import { expect, test, vi } from 'vitest';
import { CrashableFileSystem } from './crashable-file-system.ts';
import { MemoryFileSystem } from './memory-file-system.ts';
import { batchOf, contentsOf, openLog, openStore, SMALL } from './testing.ts';

const fails = (code: string) => expect.objectContaining({ code });

test('a leader gives offsets and its epoch in place and reads return whole batches', async () => {
  const store = await openStore(new MemoryFileSystem());
  const log = await openLog(store);
  log.assignEpoch(3, 0);
  expect(log.appendAsLeader(batchOf('a', { count: 3 }), 3)).toEqual({
    baseOffset: 0,
    lastOffset: 2,
    duplicate: false,
    logAppendTimeMs: -1,
  });
  expect(log.appendAsLeader(batchOf('b', { count: 2 }), 3).baseOffset).toBe(3);
  expect([log.logEndOffset, log.lastEpoch, log.flushedOffset]).toEqual([5, 3, 0]);
  await log.whenFlushed(5);
  expect(log.flushedOffset).toBe(5);
  const [first, second] = splitBatches(await log.read(1, 1, 5));
  expect([first!.baseOffset, first!.leaderEpoch, second]).toEqual([0, 3, undefined]);
  expect((await log.read(1, 1, 5, { minOneBatch: false })).length).toBe(0);
  expect((await log.read(0, 10_000, 4)).length).toBe(first!.sizeBytes);
  expect((await log.read(5, 100, 5)).length).toBe(0);
  await expect(log.read(6, 100, 6)).rejects.toThrow(fails('OFFSET_OUT_OF_RANGE'));
  expect(await contentsOf(log)).toEqual(['a/0', 'a/1', 'a/2', 'b/0', 'b/1']);
  await store.close({ clean: true });
});

test('a follower takes batches as they are, over many segments, and refuses gaps, old epochs and bad checksums', async () => {
  const disk = new MemoryFileSystem();
  const store = await openStore(disk);
  const leader = await openLog(store, SMALL, 'leader');
  const follower = await openLog(store, SMALL, 'follower');
  for (let i = 0; i < 40; i++) leader.appendAsLeader(batchOf(`v${i}`), 1 + Math.floor(i / 10));
  const parts: Buffer[] = [];
  // A read ends with a segment at the latest.
  for (let at = 0; at < 40; at = splitBatches(parts.at(-1)!).at(-1)!.nextOffset) {
    parts.push(await leader.read(at, 1_000_000, 40));
  }
  const all = Buffer.concat(parts);
  expect(splitBatches(all).length).toBe(40);
  follower.appendAsFollower(Buffer.from(all.subarray(0, all.length - 3)));
  expect(follower.logEndOffset).toBe(39);
  expect(follower.endOffsetForEpoch(2)).toEqual({ epoch: 2, endOffset: 20 });
  expect(await contentsOf(follower)).toEqual((await contentsOf(leader)).slice(0, 39));
  expect(() => follower.appendAsFollower(batchOf('x'))).toThrow(fails('CORRUPT_MESSAGE'));
  const last = Buffer.from(await leader.read(39, 1, 40));
  const old = Buffer.from(last);
  old.writeInt32BE(1, 12);
  expect(() => follower.appendAsFollower(old)).toThrow(fails('CORRUPT_MESSAGE'));
  const flipped = Buffer.from(last);
  flipped[flipped.length - 3]! ^= 1;
  expect(() => follower.appendAsFollower(flipped)).toThrow(fails('CORRUPT_MESSAGE'));
  expect(follower.appendAsFollower(last)).toEqual({ lastOffset: 39 });
  await follower.whenFlushed(40);
  await store.close({ clean: true });
});

test('the folder has the names that Kafka gives', async () => {
  const disk = new MemoryFileSystem();
  const store = await openStore(disk);
  const log = await openLog(store, SMALL, 'orders', 3);
  for (let i = 0; i < 10; i++) log.appendAsLeader(batchOf(`v${i}`), 0);
  log.setHighWatermark(10);
  await log.whenFlushed(10);
  await store.close({ clean: true });
  expect(disk.readdirSync('/data').map(({ name }) => name)).toEqual([
    '.kafka_cleanshutdown',
    'journal',
    'log-start-offset-checkpoint',
    'meta.properties',
    'orders-3',
    'recovery-point-offset-checkpoint',
    'replication-offset-checkpoint',
  ]);
  expect(disk.readdirSync('/data/orders-3').map(({ name }) => name)).toMatchInlineSnapshot(`
    [
      "00000000000000000000.index",
      "00000000000000000000.log",
      "00000000000000000000.timeindex",
      "00000000000000000006.index",
      "00000000000000000006.log",
      "00000000000000000006.snapshot",
      "00000000000000000006.timeindex",
      "00000000000000000010.snapshot",
      "leader-epoch-checkpoint",
      "partition.metadata",
    ]
  `);
});

test('a retried batch gets its first offsets, also after its segment was deleted and after restarts', async () => {
  const disk = new MemoryFileSystem();
  let store = await openStore(disk);
  let log = await openLog(store);
  const producer = { producerId: 9, producerEpoch: 0, baseSequence: 0 };
  log.appendAsLeader(batchOf('once', { count: 2, producer }), 0);
  for (let i = 0; i < 20; i++) log.appendAsLeader(batchOf(`v${i}`), 0);
  log.setHighWatermark(22);
  await log.deleteRecordsBefore(20);
  expect(log.logStartOffset).toBe(20);
  const retry = { baseOffset: 0, lastOffset: 1, duplicate: true, logAppendTimeMs: -1 };
  expect(log.appendAsLeader(batchOf('once', { count: 2, producer }), 0)).toEqual(retry);
  for (const clean of [true, false]) {
    await store.close({ clean });
    store = await openStore(disk);
    log = await openLog(store);
    expect(log.offline).toBeUndefined();
    expect([log.logStartOffset, log.logEndOffset]).toEqual([20, 22]);
    expect(log.appendAsLeader(batchOf('once', { count: 2, producer }), 0)).toEqual(retry);
    expect(() => log.appendAsLeader(batchOf('x', { producer: { ...producer, baseSequence: 5 } }), 0)).toThrow(
      fails('OUT_OF_ORDER_SEQUENCE_NUMBER'),
    );
  }
  await store.close({ clean: true });
});

test('a batch behind the refused first one of its producer is refused too, also after a truncation', async () => {
  const store = await openStore(new MemoryFileSystem());
  const log = await openLog(store);
  const append = (baseSequence: number) =>
    log.appendAsLeader(batchOf('p', { producer: { producerId: 9, producerEpoch: 0, baseSequence } }), 0);
  expect(() => append(1)).toThrow(fails('OUT_OF_ORDER_SEQUENCE_NUMBER'));
  append(0);
  append(1);
  await log.whenFlushed(2);
  await log.truncateTo(0);
  expect(() => append(1)).toThrow(fails('OUT_OF_ORDER_SEQUENCE_NUMBER'));
  expect([append(0).baseOffset, append(1).baseOffset]).toEqual([0, 1]);
  await store.close({ clean: true });
});

test('a truncated log forgets what was cut, also its epochs and producers, and goes on', async () => {
  const disk = new MemoryFileSystem();
  let store = await openStore(disk);
  let log = await openLog(store);
  const producer = { producerId: 9, producerEpoch: 0, baseSequence: 0 };
  for (let i = 0; i < 12; i++) log.appendAsLeader(batchOf(`old${i}`, { count: 2 }), Math.floor(i / 4));
  log.appendAsLeader(batchOf('p', { producer }), 3);
  await log.whenFlushed(25);
  await log.truncateTo(11);
  expect([log.logEndOffset, log.flushedOffset, log.lastEpoch]).toEqual([10, 10, 1]);
  log.appendAsLeader(batchOf('p', { producer }), 5);
  await log.whenFlushed(11);
  const expected = [...(await contentsOf(log))];
  expect(expected).toEqual([0, 1, 2, 3, 4].flatMap((i) => [`old${i}/0`, `old${i}/1`]).concat('p/0'));
  for (const clean of [false, true, true]) {
    await store.close({ clean });
    store = await openStore(disk);
    log = await openLog(store);
    expect(log.offline).toBeUndefined();
    expect(await contentsOf(log)).toEqual(expected);
    expect(log.endOffsetForEpoch(1)).toEqual({ epoch: 1, endOffset: 10 });
  }
  await log.truncateFullyAndStartAt(100);
  expect([log.logStartOffset, log.logEndOffset, log.flushedOffset, log.highWatermark]).toEqual([
    100, 100, 100, 100,
  ]);
  await store.close({ clean: false });
  store = await openStore(disk);
  log = await openLog(store);
  expect([log.offline, log.logStartOffset, log.logEndOffset]).toEqual([undefined, 100, 100]);
  await store.close({ clean: true });
});

test('a log that is closed while it is cut forgets the producers of what was cut, too', async () => {
  const disk = new CrashableFileSystem();
  const store = await openStore(disk);
  const log = await openLog(store);
  const append = (to: typeof log, baseSequence: number) =>
    to.appendAsLeader(batchOf('p', { producer: { producerId: 9, producerEpoch: 0, baseSequence } }), 0);
  for (let sequence = 0; sequence < 3; sequence++) append(log, sequence);
  await log.whenFlushed(3);
  const closing: Promise<void>[] = [];
  let isShort = false;
  disk.fault = (operation, path) => {
    // The file is short already; what is known of producers is to follow.
    if (operation === 'datasync' && isShort && closing.length === 0) closing.push(log.close(true));
    isShort ||= operation === 'truncate' && path.endsWith('.log');
    return undefined;
  };
  await log.truncateTo(2);
  await Promise.all(closing);
  await store.close({ clean: true });
  const again = await openLog(await openStore(disk));
  expect([again.logEndOffset, append(again, 2)]).toMatchObject([2, { baseOffset: 2, duplicate: false }]);
});

test('a truncation at the end drops an epoch that was begun there and never written in', async () => {
  const disk = new MemoryFileSystem();
  let store = await openStore(disk);
  let log = await openLog(store);
  log.appendAsLeader(batchOf('a', { count: 4 }), 0);
  log.assignEpoch(3, 4);
  expect(log.lastEpoch).toBe(3);
  await log.truncateTo(4);
  expect([log.lastEpoch, log.logEndOffset]).toEqual([0, 4]);
  await store.close({ clean: false });
  store = await openStore(disk);
  log = await openLog(store);
  expect([log.lastEpoch, log.logEndOffset]).toEqual([0, 4]);
  await store.close({ clean: true });
});

test('old segments go by age and by size, never the uncommitted and never the last unless it was rolled', async () => {
  const clock = new ManualClock(1_000_000);
  const disk = new MemoryFileSystem();
  const store = await openStore(disk, { clock });
  const log = await openLog(store);
  for (let i = 0; i < 20; i++) log.appendAsLeader(batchOf(`v${i}`, { timestamp: 1_000_000 + i }), 0);
  const { sizeBytes } = log;
  log.setConfig({ ...SMALL, retentionBytes: 1200 });
  await log.cleanUp(clock.wallMs());
  expect(log.sizeBytes).toBe(sizeBytes);
  log.setHighWatermark(20);
  await log.cleanUp(clock.wallMs());
  expect(log.sizeBytes).toBeGreaterThanOrEqual(1200);
  expect(log.sizeBytes).toBeLessThan(1800);
  expect(log.logStartOffset).toBeGreaterThan(0);
  log.setConfig({ ...SMALL, retentionMs: 5000 });
  clock.advance(5010);
  await log.cleanUp(clock.wallMs());
  expect(log.logEndOffset).toBe(20);
  clock.advance(1000);
  await log.cleanUp(clock.wallMs());
  expect([log.logStartOffset, log.logEndOffset, log.sizeBytes]).toEqual([20, 20, 0]);
  expect(disk.readdirSync('/data/t-0').some(({ name }) => name.endsWith('.deleted'))).toBe(true);
  clock.advance(60_000);
  await vi.waitFor(() =>
    expect(disk.readdirSync('/data/t-0').filter(({ name }) => name.endsWith('.deleted'))).toEqual([]),
  );
  await store.close({ clean: true });
});

test('records are found by their timestamps', async () => {
  const store = await openStore(new MemoryFileSystem());
  const log = await openLog(store);
  for (let i = 0; i < 30; i++)
    log.appendAsLeader(batchOf(`v${i}`, { count: 2, timestamp: 1000 + 10 * i }), 0);
  expect(await log.offsetForTimestamp(0)).toEqual({ offset: 0, timestamp: 1000 });
  expect(await log.offsetForTimestamp(1121)).toEqual({ offset: 25, timestamp: 1121 });
  expect(await log.offsetForTimestamp(1122)).toEqual({ offset: 26, timestamp: 1130 });
  expect(await log.offsetForTimestamp(5000)).toBeUndefined();
  expect(await log.maxTimestampOffset()).toEqual({ offset: 59, timestamp: 1291 });
  await store.close({ clean: true });
});

test('with append time the leader sets the timestamps', async () => {
  const clock = new ManualClock(5_000_000);
  const store = await openStore(new MemoryFileSystem(), { clock });
  const log = await openLog(store, { ...SMALL, timestampType: 'append' });
  expect(log.appendAsLeader(batchOf('a'), 0).logAppendTimeMs).toBe(5_000_000);
  expect(await log.offsetForTimestamp(4_999_999)).toEqual({ offset: 0, timestamp: 5_000_000 });
  await store.close({ clean: true });
});

test('times of a producer that are further away than the topic allows are refused', async () => {
  const clock = new ManualClock(5_000_000);
  const store = await openStore(new MemoryFileSystem(), { clock });
  const log = await openLog(store, { ...SMALL, timestampAfterMaxMs: 10 });
  expect(() => log.appendAsLeader(batchOf('a', { timestamp: 5_000_011 }), 0)).toThrow(
    fails('INVALID_TIMESTAMP'),
  );
  log.appendAsLeader(batchOf('a', { timestamp: 5_000_010 }), 0);
  log.setConfig({ ...SMALL, timestampBeforeMaxMs: 10 });
  expect(() => log.appendAsLeader(batchOf('a', { timestamp: 4_999_989 }), 0)).toThrow(
    fails('INVALID_TIMESTAMP'),
  );
  await store.close({ clean: true });
});

test('bad appends change nothing', async () => {
  const store = await openStore(new MemoryFileSystem());
  const log = await openLog(store, { ...SMALL, maxMessageBytes: 200 });
  log.assignEpoch(4, 0);
  const one = batchOf('a');
  expect(() => log.appendAsLeader(batchOf('a', { bytes: 300 }), 4)).toThrow(fails('MESSAGE_TOO_LARGE'));
  expect(() => log.appendAsLeader(Buffer.concat([one, one]), 4)).toThrow(fails('INVALID_RECORD'));
  expect(() => log.appendAsLeader(one.subarray(0, 70), 4)).toThrow(fails('INVALID_RECORD'));
  expect(() => log.appendAsLeader(batchOf('a'), 3)).toThrow(fails('FENCED_LEADER_EPOCH'));
  expect(log.logEndOffset).toBe(0);
  await store.close({ clean: true });
});

test('a page-cache log is flushed as soon as it is written', async () => {
  const store = await openStore(new MemoryFileSystem());
  const log = await openLog(store, { ...SMALL, durability: 'page-cache' });
  const seen: number[] = [];
  log.onFlushed((offset) => seen.push(offset));
  log.appendAsLeader(batchOf('a', { count: 2 }), 0);
  expect([seen, log.flushedOffset]).toEqual([[2], 2]);
  log.setConfig(SMALL);
  log.appendAsLeader(batchOf('b'), 0);
  expect(log.flushedOffset).toBe(2);
  await log.whenFlushed(3);
  await store.close({ clean: true });
});
