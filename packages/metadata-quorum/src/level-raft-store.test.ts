import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HardState } from '@millrace/raft';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LevelRaftStore } from './level-raft-store.ts';
import { testRaftStore } from './testing/raft-store-contract.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'raft-store-'));
});
afterAll(() => rm(folder, { recursive: true }));

testRaftStore('level', (path) => LevelRaftStore.open(join(folder, path)));

const entries = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => ({
    index: from + i,
    term: 1,
    kind: 'data' as const,
    data: Buffer.from(`record ${from + i} `.repeat(20)),
  }));

async function filled(name: string): Promise<string> {
  const path = join(folder, name);
  const store = await LevelRaftStore.open(path);
  await store.load();
  for (let index = 1; index <= 20; index++) await store.write({ entries: entries(index, index) });
  await store.close();
  return path;
}

test('a store of a version without quorum ids is of an unknown quorum', async () => {
  const path = join(folder, 'older');
  const store = await LevelRaftStore.open(path);
  const voters = [{ id: 1, directoryId: 'd1', address: '' }];
  const older = { term: 1, votedFor: undefined, voters, commitIndex: 0 };
  await store.write({ hardState: older as unknown as HardState });
  await store.close();
  const again = await LevelRaftStore.open(path);
  expect((await again.load()).hardState).toEqual({ ...older, quorumId: '' });
  await again.close();
});

test('a second opener is told that the directory is in use', async () => {
  const path = join(folder, 'locked');
  const store = await LevelRaftStore.open(path);
  await expect(LevelRaftStore.open(path)).rejects.toMatchObject({ code: 'DIRECTORY_LOCKED' });
  await store.close();
});

test.each([
  ['flipped', 0.5, (bytes: Buffer, at: number) => (bytes[at]! ^= 0x10)],
  ['flipped-near-the-end', 0.999, (bytes: Buffer, at: number) => (bytes[at]! ^= 0x01)],
])('a %s bit in what was durable is reported, never cut away', async (name, where, damage) => {
  const path = await filled(name);
  const logs = (await readdir(path)).filter((file) => file.endsWith('.log'));
  expect(logs).toHaveLength(1);
  const file = join(path, logs[0]!);
  const bytes = await readFile(file);
  damage(bytes, Math.floor(bytes.length * where));
  await writeFile(file, bytes);
  await expect(loadAt(path)).rejects.toMatchObject({ code: 'LOG_DAMAGED' });
});

test('a log that lost its durable end is reported, although LevelDB opens it', async () => {
  const path = await filled('cut');
  const log = (await readdir(path)).find((file) => file.endsWith('.log'))!;
  const bytes = await readFile(join(path, log));
  await writeFile(join(path, log), bytes.subarray(0, bytes.length - 100));
  await expect(loadAt(path)).rejects.toThrow(/write 20 was durable, but the newest one found is 19/);
});

test('entries that a truncation replaced never come back, although LevelDB drops a damaged write', async () => {
  const path = join(folder, 'stale');
  const store = await LevelRaftStore.open(path);
  await store.load();
  await store.write({ entries: entries(1, 5) });
  const fresh = { index: 3, term: 2, kind: 'data' as const, data: Buffer.from('what counts'.repeat(4000)) };
  await store.write({ truncateFrom: 3, entries: [fresh] });
  for (let index = 4; index < 300; index++) await store.write({ entries: entries(index, index) });
  await store.close();
  const log = join(path, (await readdir(path)).find((file) => file.endsWith('.log'))!);
  const bytes = await readFile(log);
  bytes[bytes.indexOf('what counts') + 10]! ^= 1;
  await writeFile(log, bytes);
  await expect(loadAt(path)).rejects.toMatchObject({ code: 'LOG_DAMAGED' });
});

test('a database that vanished is reported while its witness is left', async () => {
  const path = await filled('vanished');
  await rm(path, { recursive: true });
  await expect(loadAt(path)).rejects.toMatchObject({ code: 'LOG_DAMAGED' });
});

test('a damaged witness says nothing', async () => {
  const path = await filled('witness');
  await writeFile(`${path}.sequence`, 'not a witness');
  expect((await loadAt(path)).entries).toHaveLength(20);
});

async function loadAt(path: string) {
  const store = await LevelRaftStore.open(path);
  try {
    return await store.load();
  } finally {
    await store.close();
  }
}
