/** A topic that takes the name of a deleted one must begin with nothing of it, whatever a crash leaves on disk. */
import { randomUuid, SeededRandom } from '@millrace/core';
import { expect, test } from 'vitest';
import { CrashableFileSystem } from './crashable-file-system.ts';
import { batchOf, contentsOf, openLog, openStore, SMALL } from './testing.ts';

const NEW_TOPIC_ID = randomUuid(new SeededRandom(99));
const OLD_RECORDS = 20;

const openNew = async (disk: CrashableFileSystem) => {
  const store = await openStore(disk);
  return await store.openPartition({ topic: 't', partition: 0, topicId: NEW_TOPIC_ID }, SMALL);
};

/** A disk whose checkpoints say a lot about the old topic. */
async function diskOfOldTopic(): Promise<CrashableFileSystem> {
  const disk = new CrashableFileSystem();
  const store = await openStore(disk);
  const log = await openLog(store);
  for (let i = 0; i < OLD_RECORDS; i++) log.appendAsLeader(batchOf(`old${i}`), 1);
  await log.whenFlushed(OLD_RECORDS);
  log.setHighWatermark(OLD_RECORDS);
  await log.deleteRecordsBefore(OLD_RECORDS - 5);
  await store.close({ clean: true });
  return disk.crash();
}

interface Outcome {
  readonly disk: CrashableFileSystem;
  readonly acknowledged: number;
}

async function recreate(count: number, diesAfter: number): Promise<Outcome> {
  const disk = await diskOfOldTopic();
  const store = await openStore(disk);
  const old = await openLog(store);
  disk.diesAfter = disk.operations + diesAfter;
  let acknowledged = 0;
  try {
    await store.deletePartition(old);
    const log = await store.openPartition({ topic: 't', partition: 0, topicId: NEW_TOPIC_ID }, SMALL);
    for (let i = 0; i < count; i++) {
      log.appendAsLeader(batchOf(`new${i}`), 0);
      await log.whenFlushed(i + 1);
      acknowledged = i + 1;
    }
  } catch (error) {
    if (!disk.isDead) throw error;
  }
  return { disk, acknowledged };
}

const crashes: [string, (disk: CrashableFileSystem) => CrashableFileSystem][] = [
  ['of the process', (disk) => disk.crash((_path, _synced, written) => written)],
  ['of the machine', (disk) => disk.crash()],
];

test.each(crashes)(
  'a crash %s at any step leaves a re-created topic only its own records',
  { timeout: 60_000 },
  async (_, crash) => {
    // Fewer records than the old topic had, and more.
    for (const count of [3, OLD_RECORDS + 10]) {
      for (let diesAfter = 0; ; diesAfter++) {
        const { disk, acknowledged } = await recreate(count, diesAfter);
        const log = await openNew(crash(disk));
        expect(log.offline, `after ${diesAfter} operations`).toBeUndefined();
        expect([log.logStartOffset, log.highWatermark]).toEqual([0, 0]);
        const values = await contentsOf(log);
        expect(values.length).toBeGreaterThanOrEqual(acknowledged);
        expect(values).toEqual(values.map((_value, i) => `new${i}/0`));
        if (!disk.isDead) break;
      }
    }
  },
);

test('a topic deleted right before a crash leaves nothing to its successor after the restart', async () => {
  const disk = await diskOfOldTopic();
  const store = await openStore(disk);
  await store.deletePartition(await openLog(store));
  const restarted = disk.crash();
  const log = await openNew(restarted);
  log.appendAsLeader(batchOf('new0'), 0);
  await log.whenFlushed(1);
  const again = await openNew(restarted.crash());
  expect(again.offline).toBeUndefined();
  expect(again.highWatermark).toBe(0);
  expect(await contentsOf(again)).toEqual(['new0/0']);
});

test('new partitions cost no checkpoint, and many re-created ones share a few', async () => {
  const disk = new CrashableFileSystem();
  const store = await openStore(disk);
  let checkpoints = 0;
  disk.fault = (operation, path) => {
    if (operation === 'rename' && path.endsWith('/recovery-point-offset-checkpoint')) checkpoints++;
    return undefined;
  };
  const partitions = Array.from({ length: 50 }, (_, i) => i);
  const logs = [];
  for (const i of partitions) logs.push(await openLog(store, SMALL, 't', i));
  expect(checkpoints).toBe(0);
  await store.flush();
  for (const log of logs) await store.deletePartition(log);
  checkpoints = 0;
  for (const partition of partitions) {
    await store.openPartition({ topic: 't', partition, topicId: NEW_TOPIC_ID }, SMALL);
  }
  expect(checkpoints).toBe(1);
  await store.close({ clean: true });
});

test('a partition that is opened while it is deleted is another log, and works', async () => {
  const store = await openStore(new CrashableFileSystem());
  const old = await openLog(store);
  old.appendAsLeader(batchOf('old'), 0);
  const deleting = store.deletePartition(old);
  const log = await openLog(store);
  await deleting;
  log.appendAsLeader(batchOf('new'), 0);
  await log.whenFlushed(1);
  expect([log === old, await contentsOf(log)]).toEqual([false, ['new/0']]);
  await store.close({ clean: true });
});

test('a late deletion of the old topic does not touch the folder of the new one', async () => {
  const store = await openStore(new CrashableFileSystem());
  const old = await openLog(store);
  const open = () => store.openPartition({ topic: 't', partition: 0, topicId: NEW_TOPIC_ID }, SMALL);
  const opening = open();
  await store.deletePartition(old);
  expect(store.listPartitions()).toEqual([{ topic: 't', partition: 0, topicId: NEW_TOPIC_ID }]);
  expect(await open()).toBe(await opening);
  await store.close({ clean: true });
});

test('a deletion waits for a repair under way, so that the folder of the next topic is left alone', async () => {
  for (let turns = 0; turns < 40; turns++) {
    const store = await openStore(new CrashableFileSystem());
    const old = await openLog(store);
    let isRepaired = false;
    const repairing = old.resetForRepair(0).then(() => {
      isRepaired = true;
    });
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    const log = await store.openPartition({ topic: 't', partition: 0, topicId: NEW_TOPIC_ID }, SMALL);
    expect({ turns, isRepaired }).toEqual({ turns, isRepaired: true });
    await repairing;
    log.appendAsLeader(batchOf('new'), 0);
    await log.whenFlushed(1);
    const found = [await contentsOf(log), store.listPartitions()];
    expect([turns, ...found]).toEqual([
      turns,
      ['new/0'],
      [{ topic: 't', partition: 0, topicId: NEW_TOPIC_ID }],
    ]);
    await store.close({ clean: true });
  }
});

test('a sync of the old log that a deletion meets writes into no file of the new one', async () => {
  for (let turns = 0; turns < 40; turns++) {
    const disk = new CrashableFileSystem();
    const store = await openStore(disk);
    const old = await openLog(store);
    for (let i = 0; i < 30; i++) old.appendAsLeader(batchOf(`old${i}`), 1 + i);
    const syncing = old.syncForJournal();
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    await store.deletePartition(old);
    const opening = store.openPartition({ topic: 't', partition: 0, topicId: NEW_TOPIC_ID }, SMALL);
    const log = await opening;
    for (let i = 0; i < 30; i++) log.appendAsLeader(batchOf(`new${i}`), 0);
    await syncing;
    await log.whenFlushed(30);
    await store.flush();
    const again = await openNew(disk.crash());
    const expected = Array.from({ length: 30 }, (_, i) => `new${i}/0`);
    expect([turns, again.offline, again.lastEpoch, await contentsOf(again)]).toEqual([
      turns,
      undefined,
      0,
      expected,
    ]);
  }
});
