import { SeededRandom } from '@millrace/core';
import { expect, test } from 'vitest';
import { CrashableFileSystem } from './crashable-file-system.ts';
import type { PartitionLog } from './partition-log.ts';
import { batchOf, contentsOf, openLog, openStore, SMALL } from './testing.ts';

/** What a client of one log knows: what it appended, and what it was told is durable. */
class Ledger {
  readonly appended: string[] = [];
  acknowledged = 0;
  /** Offsets below survive a truncation that has begun; undefined while none has. */
  truncatedTo: number | undefined;
  readonly beforeTruncation: string[] = [];

  append(log: PartitionLog, text: string, bytes = 20): void {
    // Known before it is written: a disk that dies may have taken it all the same.
    this.appended.push(`${text}/0`);
    log.appendAsLeader(batchOf(text, { bytes }), 1);
    const end = this.appended.length;
    const { truncatedTo } = this;
    log.whenFlushed(end).then(
      () => {
        if (truncatedTo === this.truncatedTo) this.acknowledged = Math.max(this.acknowledged, end);
      },
      () => undefined,
    );
  }

  truncating(offset: number): void {
    this.beforeTruncation.push(...this.appended);
    this.appended.length = offset;
    this.acknowledged = Math.min(this.acknowledged, offset);
    this.truncatedTo = offset;
  }

  check(found: readonly string[]): void {
    expect(found.length).toBeGreaterThanOrEqual(this.acknowledged);
    expect(found.slice(0, this.acknowledged)).toEqual(this.appended.slice(0, this.acknowledged));
    // Nothing is invented: what was not acknowledged is what was written, or what a truncation had not removed yet.
    const isOld = this.truncatedTo !== undefined && this.acknowledged <= this.truncatedTo;
    const histories = isOld ? [this.appended, this.beforeTruncation] : [this.appended];
    expect(histories.some((history) => isPrefix(found, history))).toBe(true);
  }
}

function isPrefix(part: readonly string[], whole: readonly string[]): boolean {
  return part.length <= whole.length && part.every((value, i) => value === whole[i]);
}

/** Appends, rolls, retires journal files, truncates, restarts; ends early if the disk dies. */
async function live(disk: CrashableFileSystem, ledgers: readonly [Ledger, Ledger]): Promise<void> {
  let store = await openStore(disk);
  let logs = [await openLog(store, SMALL, 't', 0), await openLog(store, SMALL, 't', 1)];
  for (let i = 0; i < 12; i++) {
    ledgers[0].append(logs[0]!, `a${i}`);
    ledgers[1].append(logs[1]!, `b${i}`, 9000);
    if (i % 2 === 0) await logs[1]!.whenFlushed(i);
    // The truncation below goes back behind what is known to be durable in the log itself.
    if (i === 8) await store.flush();
  }
  await logs[0]!.whenFlushed(10);
  ledgers[0].truncating(6);
  await logs[0]!.truncateTo(6);
  for (let i = 0; i < 6; i++) ledgers[0].append(logs[0]!, `c${i}`);
  await logs[0]!.whenFlushed(12);
  await store.close({ clean: true });
  store = await openStore(disk);
  logs = [await openLog(store, SMALL, 't', 0), await openLog(store, SMALL, 't', 1)];
  for (let i = 0; i < 10; i++) {
    ledgers[0].append(logs[0]!, `d${i}`);
    ledgers[1].append(logs[1]!, `e${i}`, 9000);
    await logs[1]!.whenFlushed(12 + i);
  }
  await store.close({ clean: false });
}

async function crashAfter(
  operations: number,
): Promise<{ disk: CrashableFileSystem; ledgers: readonly [Ledger, Ledger] }> {
  const disk = new CrashableFileSystem();
  const ledgers = [new Ledger(), new Ledger()] as const;
  disk.diesAfter = operations;
  await live(disk, ledgers).catch((error: unknown) => {
    if (!disk.isDead) throw error;
  });
  return { disk, ledgers };
}

async function checkAfterCrash(disk: CrashableFileSystem, ledgers: readonly [Ledger, Ledger]): Promise<void> {
  const store = await openStore(disk);
  for (const [partition, ledger] of ledgers.entries()) {
    const log = await openLog(store, SMALL, 't', partition);
    expect(log.offline).toBeUndefined();
    expect(log.flushedOffset).toBe(log.logEndOffset);
    const found = await contentsOf(log);
    ledger.check(found);
    log.appendAsLeader(batchOf('next'), 9);
    await log.whenFlushed(log.logEndOffset);
  }
  await store.close({ clean: true });
}

const total = (await crashAfter(Number.MAX_SAFE_INTEGER)).disk.operations;

const losses: [
  string,
  (random: SeededRandom) => (path: string, synced: Buffer, written: Buffer) => Buffer,
][] = [
  ['everything that was not synced', () => (_, synced) => synced],
  ['nothing (a killed process)', () => (_path, _synced, written) => written],
  [
    'a random part of what was not synced, file by file',
    (random) => (_path, synced, written) => {
      const choice = random.uint32() % 4;
      if (choice === 0) return synced;
      if (choice === 1) return written;
      // Torn: the file has its new length, some of its pages their old contents.
      const torn = Buffer.from(written);
      for (let at = 0; at < torn.length; at += 512) {
        if (random.uint32() % 3 === 0) torn.fill(0, at, Math.min(at + 512, torn.length));
        if (at < synced.length) synced.copy(torn, at, at, Math.min(at + 512, torn.length));
        if (random.uint32() % 2 === 0) written.copy(torn, at, at, at + 512);
      }
      return torn.subarray(0, Math.max(synced.length, random.uint32() % (torn.length + 1)));
    },
  ],
];

for (const [what, loss] of losses) {
  test(`a disk that dies at any step and loses ${what} keeps all that was acknowledged`, {
    timeout: 60_000,
  }, async () => {
    for (let operations = 0; operations <= total; operations++) {
      const { disk, ledgers } = await crashAfter(operations);
      const random = new SeededRandom(operations);
      const after = disk.crash(loss(random));
      if (
        after.get('/data/meta.properties') === undefined ||
        after.get('/data/meta.properties')!.length === 0
      )
        continue;
      await checkAfterCrash(after, ledgers).catch((error: unknown) => {
        throw new Error(`after ${operations} operations`, { cause: error });
      });
    }
  });
}

test('a disk that dies at any step of a truncation leaves a sound log, journalled in part or not', async () => {
  for (let operations = 0; ; operations++) {
    const disk = new CrashableFileSystem();
    let store = await openStore(disk);
    let log = await openLog(store);
    const expected: string[] = [];
    const append = async (text: string): Promise<void> => {
      log.appendAsLeader(batchOf(text, { count: 2 }), 1);
      expected.push(`${text}/0`, `${text}/1`);
      await log.whenFlushed(expected.length);
    };
    for (let i = 0; i < 6; i++) await append(`a${i}`);
    // What the journal held so far is gone for the next run, which goes back behind it.
    await store.close({ clean: true });
    store = await openStore(disk);
    log = await openLog(store);
    for (let i = 0; i < 4; i++) await append(`b${i}`);
    disk.diesAfter = disk.operations + operations;
    const isCut = await log.truncateTo(9).then(
      () => true,
      () => false,
    );
    for (const keepsUnsynced of [false, true]) {
      const after = disk.crash((_path, synced, written) => (keepsUnsynced ? written : synced));
      const reopened = await openLog(await openStore(after));
      expect(reopened.offline, `after ${operations} operations`).toBeUndefined();
      const found = await contentsOf(reopened);
      expect(found.length).toBeGreaterThanOrEqual(8);
      expect(found).toEqual(expected.slice(0, isCut ? 8 : found.length));
    }
    if (isCut) return;
  }
});
