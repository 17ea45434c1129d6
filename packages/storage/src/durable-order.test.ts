/**
 * What must be on stable storage before what: each step here is one that a crash right after it would make matter,
 * and that no ordinary run misses if it is left out.
 */
import { ManualClock, silentLogger } from '@millrace/core';
import { expect, test } from 'vitest';
import { CrashableFileSystem, type DiskOperation } from './crashable-file-system.ts';
import { JournalFiles } from './journal-files.ts';
import { journalPath } from './journal-replay.ts';
import { DAMAGE_MARK } from './log-folder.ts';
import { SpaceReserve } from './space-reserve.ts';
import { batchOf, contentsOf, HOME, openLog, openStore, SMALL } from './testing.ts';

const WIDE = { ...SMALL, segmentBytes: 100_000 };

/** Fills the journal through `log` until files of it have been freed. */
async function fillJournal(log: Awaited<ReturnType<typeof openLog>>): Promise<void> {
  for (let i = 0; i < 60; i++) {
    log.appendAsLeader(batchOf(`v${i}`, { bytes: 10_000 }), 0);
    await log.whenFlushed(log.logEndOffset);
  }
}

/** Every operation on the disk, in order. */
function recording(disk: CrashableFileSystem): { operation: DiskOperation; path: string }[] {
  const seen: { operation: DiskOperation; path: string }[] = [];
  disk.fault = (operation, path) => {
    seen.push({ operation, path });
    return undefined;
  };
  return seen;
}

test('before the journal forgets a log, it is written down how far the log is durable: damage below is no torn tail', async () => {
  const disk = new CrashableFileSystem();
  const store = await openStore(disk);
  const quiet = await openLog(store, WIDE, 'quiet');
  for (let i = 0; i < 5; i++) quiet.appendAsLeader(batchOf(`q${i}`), 0);
  await quiet.whenFlushed(5);
  await fillJournal(await openLog(store, WIDE, 'busy'));
  const after = disk.crash();
  const path = `${HOME}/quiet-0/00000000000000000000.log`;
  const bytes = Buffer.from(after.get(path)!);
  expect(bytes.length).toBeGreaterThan(300);
  bytes[bytes.length - 5]! ^= 0xff;
  after.put(path, bytes);
  const again = await openLog(await openStore(after), WIDE, 'quiet');
  expect(again.offline?.code).toBe('LOG_DAMAGED');
});

test('what a truncation left is durable: damage in it is no torn tail, even if nobody wrote down how far it reaches', async () => {
  const disk = new CrashableFileSystem();
  const log = await openLog(await openStore(disk), WIDE);
  for (let i = 0; i < 5; i++) log.appendAsLeader(batchOf(`v${i}`), 0);
  await log.whenFlushed(5);
  await log.truncateTo(3);
  const after = disk.crash();
  const path = `${HOME}/t-0/00000000000000000000.log`;
  const bytes = Buffer.from(after.get(path)!);
  bytes[bytes.length - 5]! ^= 0xff;
  after.put(path, bytes);
  const again = await openLog(await openStore(after), WIDE);
  expect([again.offline?.code, after.get(path)?.length]).toEqual(['LOG_DAMAGED', bytes.length]);
});

test.each([true, false])(
  'what the journal keeps for a damaged log leaves no hole when newer files go: all open %s',
  async (areAllOpen) => {
    const first = new CrashableFileSystem();
    const quiet = await openLog(await openStore(first), WIDE, 'quiet');
    quiet.appendAsLeader(batchOf('q'), 0);
    await quiet.whenFlushed(1);
    const second = first.crash((_path, _synced, written) => written);
    second.put(`${HOME}/quiet-0/${DAMAGE_MARK}`, Buffer.from('by hand'));
    const store = await openStore(second);
    expect((await openLog(store, WIDE, 'quiet')).offline?.code).toBe('LOG_DAMAGED');
    const busy = await openLog(store, WIDE, 'busy');
    if (areAllOpen) store.forgetUnopened();
    await fillJournal(busy);
    const third = second.crash((_path, _synced, written) => written);
    const again = await openStore(third);
    const logs = [await openLog(again, WIDE, 'busy'), await openLog(again, WIDE, 'quiet')];
    expect(logs.map(({ offline }) => offline?.code)).toEqual([undefined, 'LOG_DAMAGED']);
    expect((await contentsOf(logs[0]!)).length).toBe(60);
    const isKept = third.paths().some((path) => path.endsWith('00000000000000000001.journal'));
    expect(isKept).toBe(!areAllOpen);
  },
);

test('a tail that has the right offsets but other bytes than the journal is replaced by it', async () => {
  const write = async (last: string) => {
    const disk = new CrashableFileSystem();
    const log = await openLog(await openStore(disk), WIDE);
    for (const text of ['first', last]) log.appendAsLeader(batchOf(text), 0);
    await log.whenFlushed(2);
    return disk;
  };
  const path = `${HOME}/t-0/00000000000000000000.log`;
  const acknowledged = (await write('told')).crash((_path, _synced, written) => written);
  // An older write of that place which reached the disk by itself: whole, with a checksum that fits.
  acknowledged.put(path, (await write('lost')).get(path)!);
  const log = await openLog(await openStore(acknowledged), WIDE);
  expect([log.offline, await contentsOf(log)]).toEqual([undefined, ['first/0', 'told/0']]);
});

test('a new partition is on stable storage, names included, before a checkpoint says so', async () => {
  const disk = new CrashableFileSystem();
  const store = await openStore(disk);
  const seen = recording(disk);
  const log = await openLog(store, WIDE, 'new');
  log.appendAsLeader(batchOf('a'), 0);
  await log.whenFlushed(1);
  await store.flush();
  const at = (operation: DiskOperation, isIt: (path: string) => boolean): number =>
    seen.findIndex((one) => one.operation === operation && isIt(one.path));
  const said = at('rename', (path) => path.endsWith('/recovery-point-offset-checkpoint'));
  const steps = {
    folder: at('syncDirectory', (path) => path === `${HOME}/new-0`),
    parent: at('syncDirectory', (path) => path === HOME),
    identity: at('datasync', (path) => path === `${HOME}/new-0/partition.metadata`),
    records: at('datasync', (path) => /new-0\/0+\.log$/.test(path)),
  };
  for (const [step, index] of Object.entries(steps)) {
    expect([step, index >= 0 && index < said]).toEqual([step, true]);
  }
});

test('the name of a rolled segment is durable before the recovery point goes beyond it', async () => {
  const disk = new CrashableFileSystem();
  const store = await openStore(disk);
  const log = await openLog(store, SMALL);
  log.appendAsLeader(batchOf('a'), 0);
  await log.whenFlushed(1);
  await store.flush();
  const seen = recording(disk);
  for (let i = 0; i < 10; i++) log.appendAsLeader(batchOf(`v${i}`), 0);
  await log.whenFlushed(11);
  await store.flush();
  const made = seen.findIndex(
    ({ operation, path }) => operation === 'open' && /t-0\/0+[1-9]\d*\.log$/.test(path),
  );
  const named = seen.findIndex(
    ({ operation, path }, i) => i > made && operation === 'syncDirectory' && path === `${HOME}/t-0`,
  );
  const pointed = seen.findIndex(
    ({ operation, path }, i) =>
      i > made && operation === 'rename' && path.endsWith('/recovery-point-offset-checkpoint'),
  );
  expect(made).toBeGreaterThanOrEqual(0);
  expect([named > made, pointed > named]).toEqual([true, true]);
});

test('a journal file is named durably before it holds its first record', async () => {
  const disk = new CrashableFileSystem();
  const store = await openStore(disk);
  const seen = recording(disk);
  await fillJournal(await openLog(store, WIDE));
  const named = new Set<string>();
  let firstWrites = 0;
  let waiting: string[] = [];
  for (const { operation, path } of seen) {
    const isFile = /\/journal\/\d{20}\.journal$/.test(path);
    if ((operation === 'open' || operation === 'rename') && isFile) waiting.push(path);
    if (operation === 'syncDirectory' && path === `${HOME}/journal`) {
      for (const one of waiting.splice(0)) named.add(one);
    }
    if (operation !== 'write' || !isFile || named.has(path)) continue;
    firstWrites++;
    waiting = waiting.filter((one) => one !== path);
  }
  expect([named.size > 3, firstWrites]).toEqual([true, 0]);
});

test('a journal file loses its name only when those that went before it are gone for good', async () => {
  const disk = new CrashableFileSystem();
  const directory = `${HOME}/journal`;
  disk.mkdirSync(directory);
  for (const number of [3, 4, 5]) disk.put(journalPath(directory, number), Buffer.from('void'));
  const clock = new ManualClock();
  const logger = silentLogger;
  const space = new SpaceReserve({ fileSystem: disk, directory: HOME, sizeBytes: 0, clock, logger });
  const files = new JournalFiles({
    fileSystem: disk,
    directory,
    fileBytes: 1000,
    maxBytes: 4000,
    checkpoint: async () => {},
    giveUpReplay: async () => true,
    space,
    clock,
    logger,
  });
  files.adopt(false);
  const seen: DiskOperation[] = [];
  disk.fault = (operation) => {
    seen.push(operation);
    if (operation !== 'syncDirectory' || seen.length !== 3) return undefined;
    throw Object.assign(new Error('EIO'), { code: 'EIO', syscall: 'fsync' });
  };
  await expect(files.releaseVoid()).rejects.toThrow('EIO');
  await files.releaseVoid();
  expect(seen).toEqual([
    // A killed process may have removed a name without its sync.
    ...['syncDirectory', 'rename', 'syncDirectory'],
    ...['syncDirectory', 'rename', 'syncDirectory', 'rename', 'syncDirectory'],
  ]);
});

test('a checkpoint is on stable storage under its name before anything relies on it', async () => {
  const disk = new CrashableFileSystem();
  const store = await openStore(disk);
  const log = await openLog(store, WIDE);
  log.appendAsLeader(batchOf('a'), 0);
  await log.whenFlushed(1);
  const seen = recording(disk);
  await store.flush();
  const steps = seen
    .filter(({ path }) => path === HOME || path.includes('recovery-point-offset-checkpoint'))
    .map(({ operation }) => operation);
  const renamed = steps.indexOf('rename');
  expect(steps.slice(renamed - 1, renamed + 2)).toEqual(['datasync', 'rename', 'syncDirectory']);
});
