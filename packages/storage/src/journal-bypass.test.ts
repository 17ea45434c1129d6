import { expect, test } from 'vitest';
import { CrashableFileSystem } from './crashable-file-system.ts';
import { diskError } from './memory-file-system.ts';
import type { PartitionLog } from './partition-log.ts';
import { batchOf, contentsOf, HOME, openLog, openStore, SMALL } from './testing.ts';

const LARGE = { bytes: 20_000 };
const WIDE = { ...SMALL, segmentBytes: 1_000_000 };
const SEGMENT = `${HOME}/t-0/00000000000000000000.log`;
/** In a batch's header. */
const EPOCH_AT = 12;
const config = { 'journal.bypass.bytes': '8192' };

/** Of all its files, zeros included. */
function journalText(disk: CrashableFileSystem): string {
  const files = disk.paths().filter((path) => path.includes('.journal'));
  return files.map((path) => disk.get(path)!.toString('latin1')).join('');
}

/** After a power loss, with one bit of the segment flipped. @param at from the end if it is negative */
async function reopenedWithRot(disk: CrashableFileSystem, at: number): Promise<PartitionLog> {
  const after = disk.crash();
  const bytes = Buffer.from(after.get(SEGMENT)!);
  bytes[at < 0 ? bytes.length + at : at]! ^= 0x04;
  after.put(SEGMENT, bytes);
  return await openLog(await openStore(after, { config }), WIDE);
}

test('a large append is written once: it is durable in its own log, and the journal holds small ones only', async () => {
  const disk = new CrashableFileSystem();
  const log = await openLog(await openStore(disk, { config }), WIDE);
  log.appendAsLeader(batchOf('little'), 0);
  await log.whenFlushed(1);
  log.appendAsLeader(batchOf('large', LARGE), 0);
  await log.whenFlushed(2);
  log.appendAsLeader(batchOf('last'), 0);
  await log.whenFlushed(3);
  expect(journalText(disk)).toContain('little');
  expect(journalText(disk)).toContain('last');
  expect(journalText(disk)).not.toContain('large');
  const reopened = await openLog(await openStore(disk.crash(), { config }), WIDE);
  expect(reopened.offline).toBeUndefined();
  expect(await contentsOf(reopened)).toEqual(['little/0', 'large/0', 'last/0']);
});

test('a disk that dies at any step keeps what was acknowledged, past the journal or through it', async () => {
  for (let operations = 0; ; operations++) {
    const disk = new CrashableFileSystem();
    const log = await openLog(await openStore(disk, { config }));
    disk.diesAfter = disk.operations + operations;
    let [appended, acknowledged] = [0, 0];
    const live = async (): Promise<void> => {
      for (let i = 0; i < 6; i++) {
        appended += 1;
        log.appendAsLeader(batchOf(`v${i}`, i % 2 === 0 ? LARGE : {}), Math.floor(i / 3));
        await log.whenFlushed(appended);
        acknowledged = appended;
      }
      await log.truncateTo(4);
      log.appendAsLeader(batchOf('new', LARGE), 7);
      await log.whenFlushed(5);
    };
    const isDone = await live().then(
      () => true,
      () => false,
    );
    for (const keepsUnsynced of [false, true]) {
      const after = disk.crash((_path, synced, written) => (keepsUnsynced ? written : synced));
      const reopened = await openLog(await openStore(after, { config }));
      expect(reopened.offline, `after ${operations} operations`).toBeUndefined();
      const found = await contentsOf(reopened);
      if (isDone) expect(found).toEqual(['v0/0', 'v1/0', 'v2/0', 'v3/0', 'new/0']);
      else expect(found.length).toBeGreaterThanOrEqual(Math.min(acknowledged, 4));
      expect(found.slice(0, 4)).toEqual(['v0/0', 'v1/0', 'v2/0', 'v3/0'].slice(0, found.length));
    }
    if (isDone) return;
  }
});

test('what went past the journal is known to be durable: damage in it is no torn tail', async () => {
  const disk = new CrashableFileSystem();
  const log = await openLog(await openStore(disk, { config }), WIDE);
  log.appendAsLeader(batchOf('large', LARGE), 0);
  await log.whenFlushed(1);
  const reopened = await reopenedWithRot(disk, -5);
  expect(reopened.offline?.code).toBe('LOG_DAMAGED');
});

test('an epoch that rots past the journal is told by the file of epochs: it lies outside the checksum', async () => {
  const disk = new CrashableFileSystem();
  const log = await openLog(await openStore(disk, { config }), WIDE);
  log.appendAsLeader(batchOf('large', LARGE), 3);
  await log.whenFlushed(1);
  const reopened = await reopenedWithRot(disk, EPOCH_AT + 3);
  expect(reopened.offline?.code).toBe('LOG_DAMAGED');
});

test('what a log cannot sync is journalled, and not acknowledged by its own word', async () => {
  const disk = new CrashableFileSystem();
  const log = await openLog(await openStore(disk, { config }), WIDE);
  disk.fault = (operation, path) => {
    if (operation === 'datasync' && path === SEGMENT) throw diskError('EIO', path);
    return undefined;
  };
  log.appendAsLeader(batchOf('large', LARGE), 0);
  await expect(log.whenFlushed(1)).rejects.toThrow('cannot be synced');
  expect(log.offline?.code).toBe('KAFKA_STORAGE_ERROR');
  await expect.poll(() => journalText(disk)).toContain('large');
});

test('a restart verifies no more of what went past the journal than half of what the journal may hold', async () => {
  const disk = new CrashableFileSystem();
  const store = await openStore(disk, { config });
  const log = await openLog(store, WIDE);
  const append = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      log.appendAsLeader(batchOf('large', LARGE), 0);
      await log.whenFlushed(log.logEndOffset);
    }
  };
  await append(6);
  expect(disk.get(`${HOME}/recovery-point-offset-checkpoint`)?.toString() ?? '').not.toMatch(/^t 0 [1-9]/m);
  await append(1);
  await expect
    .poll(() => disk.get(`${HOME}/recovery-point-offset-checkpoint`)?.toString())
    .toMatch(/^t 0 7$/m);
  await store.close({ clean: false });
});
