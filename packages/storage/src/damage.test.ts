import { type Logger, ManualClock, MillraceError, silentLogger } from '@millrace/core';
import { describe, expect, test } from 'vitest';
import { CrashableFileSystem } from './crashable-file-system.ts';
import { batchOf, contentsOf, HOME, openLog, openStore, SMALL } from './testing.ts';

const PRODUCER = { producerId: 5, producerEpoch: 0, baseSequence: 0 };
const EXPECTED = Array.from({ length: 30 }, (_, i) => `v${i}/0`);

/** A log of many segments, part of it beyond the recovery point, three epochs, a producer. */
async function filledDisk(clean: boolean): Promise<CrashableFileSystem> {
  const disk = new CrashableFileSystem();
  const store = await openStore(disk);
  const log = await openLog(store);
  for (let i = 0; i < 30; i++) {
    if (i === 15) await store.flush();
    log.appendAsLeader(
      batchOf(`v${i}`, { timestamp: 1000 + i, ...(i === 3 && { producer: PRODUCER }) }),
      1 + Math.floor(i / 12),
    );
  }
  log.setHighWatermark(30);
  await log.whenFlushed(30);
  await store.close({ clean });
  return disk.crash((_path, _synced, written) => written);
}

interface Outcome {
  readonly offline: string | undefined;
  readonly values: readonly string[];
  readonly lines: readonly string[];
}

async function reopen(disk: CrashableFileSystem): Promise<Outcome> {
  const lines: string[] = [];
  const note = (fields: object): void => {
    lines.push((fields as { event: string }).event);
  };
  const logger: Logger = { ...silentLogger, warn: note, error: note, child: () => logger };
  const store = await openStore(disk, { logger });
  const log = await openLog(store);
  let values: string[] = [];
  try {
    // Asked before anything is read: a follower cuts its log by these answers.
    expect(log.endOffsetForEpoch(1)).toEqual({ epoch: 1, endOffset: 12 });
    expect(log.endOffsetForEpoch(2)).toEqual({ epoch: 2, endOffset: 24 });
    values = await contentsOf(log);
    expect(log.appendAsLeader(batchOf('v3', { timestamp: 1003, producer: PRODUCER }), 3)).toMatchObject({
      baseOffset: 3,
      duplicate: true,
    });
    expect(await log.offsetForTimestamp(1017)).toEqual({ offset: 17, timestamp: 1017 });
  } catch (error) {
    if (log.offline === undefined) throw error;
  }
  const offline = log.offline?.code;
  await store.close({ clean: true });
  return { offline, values, lines };
}

const TAMPERINGS: [string, (bytes: Buffer) => Buffer[]][] = [
  ['cut', (bytes) => [0, 1, bytes.length >> 1, bytes.length - 1].map((length) => bytes.subarray(0, length))],
  [
    'with a flipped bit',
    (bytes) => {
      const stepBytes = bytes.length > 200 ? 11 : 1;
      return Array.from({ length: Math.ceil(bytes.length / stepBytes) }, (_, i) => {
        const at = i * stepBytes;
        const flipped = Buffer.from(bytes);
        flipped[at]! ^= 1 << (i % 8);
        return flipped;
      });
    },
  ],
  [
    'grown by garbage',
    (bytes) => [Buffer.concat([bytes, Buffer.alloc(100, 0x5a)]), Buffer.concat([bytes, Buffer.alloc(100)])],
  ],
];

describe.each([
  ['a clean stop', true],
  ['a kill', false],
])('after %s', (_name, clean) => {
  test('an untouched directory opens with everything in it', async () => {
    const outcome = await reopen(await filledDisk(clean));
    expect(outcome).toEqual({ offline: undefined, values: EXPECTED, lines: [] });
  });

  test.each(TAMPERINGS)(
    'any file %s loses nothing, or the log is offline and says so',
    { timeout: 60_000 },
    async (_what, tamper) => {
      const original = await filledDisk(clean);
      for (const path of original.paths()) {
        if (path.endsWith('meta.properties') || path.endsWith('.kafka_cleanshutdown')) continue;
        const bytes = original.get(path)!;
        // Journal files are mostly padding.
        for (const tampered of tamper(path.includes('/journal/') ? bytes.subarray(0, 6000) : bytes)) {
          const disk = original.crash();
          disk.put(path, tampered);
          const where = `${path} ${tampered.findIndex((byte, i) => byte !== bytes[i])} ${tampered.length}`;
          const outcome = await reopen(disk).catch((error: unknown) => {
            throw new Error(where, { cause: error });
          });
          if (outcome.offline === undefined) expect([where, outcome.values]).toEqual([where, EXPECTED]);
          else expect([where, outcome.offline]).toEqual([where, 'LOG_DAMAGED']);
          const mayBeLost = /\.log$|partition\.metadata$|recovery-point|\.journal/.test(path);
          if (!mayBeLost) expect([where, outcome.offline]).toEqual([where, undefined]);
        }
      }
    },
  );

  test('any missing file loses nothing, or the log is offline and says so', async () => {
    const original = await filledDisk(clean);
    for (const path of original.paths()) {
      if (path.endsWith('meta.properties') || path.endsWith('.kafka_cleanshutdown')) continue;
      const disk = original.crash();
      disk.unlinkSync(path);
      const outcome = await reopen(disk).catch((error: unknown) => {
        throw new Error(path, { cause: error });
      });
      if (outcome.offline === undefined) expect([path, outcome.values]).toEqual([path, EXPECTED]);
      else expect([path, outcome.offline]).toEqual([path, 'LOG_DAMAGED']);
      if (/index$|snapshot$|epoch/.test(path)) expect([path, outcome.offline]).toEqual([path, undefined]);
    }
  });
});

test.each([true, false])(
  'of a batch whose epoch differs from the checkpoint nothing is served, nor is it believed: clean %s',
  async (clean) => {
    const disk = await filledDisk(clean);
    const paths = disk.paths().filter((path) => path.endsWith('.log'));
    // Of the newest batches below the recovery point after either stop, and of the oldest.
    for (const path of [paths[0]!, paths.findLast((name) => Number(name.slice(-24, -4)) < 15)!]) {
      for (const at of [12, 15]) {
        const bytes = Buffer.from(disk.get(path)!);
        bytes[at]! ^= at === 12 ? 0x80 : 0x40;
        const damaged = disk.crash();
        damaged.put(path, bytes);
        expect([path, (await reopen(damaged)).offline]).toEqual([path, 'LOG_DAMAGED']);
        // Without the file only an epoch that goes back tells.
        const without = disk.crash();
        without.put(path, bytes);
        without.unlinkSync(`${HOME}/t-0/leader-epoch-checkpoint`);
        const alone = await openLog(await openStore(without));
        expect([path, at, alone.offline?.code]).toEqual([path, at, 'LOG_DAMAGED']);
      }
    }
  },
);

test('a page-cache log is cut at the first batch that a crash tore, and only there', async () => {
  const disk = new CrashableFileSystem();
  const config = { ...SMALL, segmentBytes: 10_000, durability: 'page-cache' as const };
  const log = await openLog(await openStore(disk), config);
  for (let i = 0; i < 5; i++) log.appendAsLeader(batchOf(`v${i}`, { bytes: 1000 }), 0);
  const torn = disk.crash((path, _synced, written) => {
    if (path.endsWith('.log')) written.fill(0, 2500, 2600);
    return written;
  });
  const again = await openLog(await openStore(torn), config);
  expect([again.offline, await contentsOf(again)]).toEqual([undefined, ['v0/0', 'v1/0']]);
});

test.each([12, 14, 60, 70])('a torn tail of %s zeros ends the scan', async (length) => {
  const disk = new CrashableFileSystem();
  const log = await openLog(await openStore(disk), { ...SMALL, durability: 'page-cache' });
  log.appendAsLeader(batchOf('v'), 0);
  const path = `${HOME}/t-0/00000000000000000000.log`;
  const torn = disk.crash((_path, _synced, written) => written);
  torn.put(path, Buffer.concat([disk.get(path)!, Buffer.alloc(length)]));
  const again = await openLog(await openStore(torn), { ...SMALL, durability: 'page-cache' });
  expect([again.offline, await contentsOf(again)]).toEqual([undefined, ['v/0']]);
});

test('a cut that meets a damaged offset takes the log offline; an index that leads astray is made anew', async () => {
  for (const [file, code] of [
    ['log', 'LOG_DAMAGED'],
    ['index', undefined],
  ] as const) {
    const disk = new CrashableFileSystem();
    const store = await openStore(disk);
    const log = await openLog(store, { ...SMALL, segmentBytes: 100_000 });
    for (let i = 0; i < 12; i++) log.appendAsLeader(batchOf(`v${i}`), 0);
    await log.whenFlushed(12);
    await store.close({ clean: true });
    const path = `/data/t-0/00000000000000000000.${file}`;
    const bytes = Buffer.from(disk.get(path)!);
    // The base offset of the last batch, outside its checksum; the position of some index entry.
    bytes.writeUInt8(16, file === 'log' ? (bytes.length / 12) * 11 + 6 : 0);
    disk.put(path, bytes);
    const again = await openLog(await openStore(disk), { ...SMALL, segmentBytes: 100_000 });
    const cut = again.truncateTo(11).catch((error: MillraceError) => error.code);
    expect([await cut, again.offline?.code]).toEqual([code, code]);
    if (code === undefined) expect(again.logEndOffset).toBe(11);
  }
});

test('a cut whose place, or what lies before it, is damaged takes the log offline and cuts nothing', async () => {
  const config = { ...SMALL, segmentBytes: 100_000, indexIntervalBytes: 100_000 };
  // The last offset delta of a batch that is to stay then seems to hold the cut; the base offset of the very first one.
  for (const [batch, field, cutAt] of [
    [3, 23, 11],
    [0, 1, 0],
  ] as const) {
    const disk = new CrashableFileSystem();
    const store = await openStore(disk);
    const log = await openLog(store, config);
    for (let i = 0; i < 12; i++) log.appendAsLeader(batchOf(`v${i}`), 0);
    await log.whenFlushed(12);
    await store.close({ clean: true });
    const path = '/data/t-0/00000000000000000000.log';
    const bytes = Buffer.from(disk.get(path)!);
    bytes.writeUInt8(field === 1 ? 0xff : 1, (bytes.length / 12) * batch + field);
    disk.put(path, bytes);
    const again = await openLog(await openStore(disk), config);
    await expect(again.truncateTo(cutAt)).rejects.toMatchObject({ code: 'LOG_DAMAGED' });
    expect([again.offline?.code, disk.get(path)!.equals(bytes)]).toEqual(['LOG_DAMAGED', true]);
  }
});

test('sequences of a damaged batch are not believed when a cut has them read again', async () => {
  const config = { ...SMALL, segmentBytes: 100_000 };
  const disk = new CrashableFileSystem();
  const store = await openStore(disk);
  const log = await openLog(store, config);
  for (let i = 0; i < 12; i++) {
    log.appendAsLeader(batchOf(`v${i}`, { producer: { ...PRODUCER, baseSequence: i } }), 0);
  }
  await log.whenFlushed(12);
  await store.close({ clean: true });
  const path = '/data/t-0/00000000000000000000.log';
  const bytes = Buffer.from(disk.get(path)!);
  // The base sequence of the batch that is the last one to stay.
  bytes.writeUInt8(0x7f, (bytes.length / 12) * 7 + 55);
  disk.put(path, bytes);
  const again = await openLog(await openStore(disk), config);
  await expect(again.truncateTo(8)).rejects.toMatchObject({ code: 'LOG_DAMAGED' });
  expect(again.offline?.code).toBe('LOG_DAMAGED');
});

test('a damaged log is moved aside for repair and starts again where it is told', async () => {
  const disk = await filledDisk(true);
  const path = '/data/t-0/00000000000000000000.log';
  disk.put(path, disk.get(path)!.subarray(0, 100));
  let store = await openStore(disk);
  let log = await openLog(store);
  expect(log.offline).toBeUndefined();
  const offline: string[] = [];
  log.onOffline = (error) => offline.push(error.code);
  await expect(log.read(2, 100, 30)).rejects.toMatchObject({ code: 'LOG_DAMAGED' });
  expect(offline).toEqual(['LOG_DAMAGED']);
  expect(() => log.appendAsLeader(batchOf('x'), 9)).toThrow(expect.objectContaining({ code: 'LOG_DAMAGED' }));
  await store.close({ clean: true });
  store = await openStore(disk);
  log = await openLog(store);
  expect(log.offline?.code).toBe('LOG_DAMAGED');
  await log.resetForRepair(7);
  expect([log.offline, log.logStartOffset, log.logEndOffset]).toEqual([undefined, 7, 7]);
  expect(disk.get('/data/t-0.0-damaged/00000000000000000000.log')?.length).toBe(100);
  log.appendAsLeader(batchOf('again'), 9);
  await log.whenFlushed(8);
  store = await openStore(disk.crash());
  log = await openLog(store);
  expect([log.offline, await contentsOf(log)]).toEqual([undefined, ['again/0']]);
  await store.close({ clean: true });
});

/** What the clock set off has run. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('only so many damaged logs of a partition are kept aside: the newest', async () => {
  const disk = await filledDisk(true);
  const removed: unknown[] = [];
  const warn = (fields: object): void => {
    if ('removed' in fields) removed.push(fields.removed);
  };
  const logger: Logger = { ...silentLogger, warn, child: () => logger };
  const clock = new ManualClock();
  const store = await openStore(disk, { logger, clock });
  const log = await openLog(store);
  // A neighbour whose name begins alike, and what an operator put there, are left alone.
  const others = ['t-0.x-damaged', 't-01.0-damaged', 't-0.0-kept'];
  for (const name of others) disk.mkdirSync(`/data/${name}`);
  for (let i = 0; i < 12; i++) {
    log.goOffline(new MillraceError('LOG_DAMAGED', 'for the test'));
    await log.resetForRepair(i);
    clock.advance(1);
    await settled();
  }
  const left = disk.readdirSync('/data').map(({ name }) => name);
  expect(left.filter((name) => /damaged|kept/.test(name)).sort()).toEqual(
    ['t-0.11-damaged', ...others].sort(),
  );
  expect(removed.slice(0, 2)).toEqual([['/data/t-0.0-damaged'], ['/data/t-0.1-damaged']]);
  await store.close({ clean: true });
});

test('what a damaged log had open when it could not be opened is not what its repair writes to', async () => {
  const disk = await filledDisk(true);
  const name = disk.readdirSync('/data/t-0').findLast((entry) => entry.name.endsWith('.log'))!.name;
  const path = `/data/t-0/${name}`;
  disk.put(path, disk.get(path)!.subarray(0, -1));
  const damaged = disk.get(path);
  let store = await openStore(disk);
  let log = await openLog(store);
  expect(log.offline?.code).toBe('LOG_DAMAGED');
  await log.resetForRepair(0);
  // Its segments have the names that they had before.
  const again = Array.from({ length: 30 }, (_, i) => `w${i}`);
  for (const [i, value] of again.entries()) log.appendAsLeader(batchOf(value, { timestamp: 1000 + i }), 9);
  await log.whenFlushed(30);
  await store.close({ clean: true });
  expect(disk.get(path)).toBeDefined();
  store = await openStore(disk);
  log = await openLog(store);
  expect([log.offline, await contentsOf(log)]).toEqual([undefined, again.map((value) => `${value}/0`)]);
  expect(disk.get(`/data/t-0.0-damaged/${name}`)).toEqual(damaged);
  await store.close({ clean: true });
});
