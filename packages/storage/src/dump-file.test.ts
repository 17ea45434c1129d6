/** What people see of a journal that a store wrote: whole, cut, flipped, reused. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { DumpEntry } from './dump-entry.ts';
import { dumpLogFile, isLogFile } from './dump-file.ts';
import { JOURNAL_HEADER_BYTES } from './journal-record.ts';
import { NodeFileSystem } from './node-file-system.ts';
import { batchOf, openLog, openStore, TOPIC_ID } from './testing.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-dump-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** Appends three batches, each made durable before the next, and ends as a kill would. */
async function writeJournal(): Promise<string> {
  const store = await openStore(new NodeFileSystem(), { path: folder });
  const log = await openLog(store);
  log.assignEpoch(4, 0);
  for (const text of ['one', 'two', 'three']) {
    log.appendAsLeader(batchOf(text, { count: 2 }), 4);
    await log.whenFlushed(log.logEndOffset);
  }
  await store.close({ clean: false });
  const [name] = (await readdir(join(folder, 'journal'))).filter((each) => each.endsWith('.journal'));
  return join(folder, 'journal', name!);
}

async function dump(path: string, records = false): Promise<DumpEntry[]> {
  const entries: DumpEntry[] = [];
  for await (const entry of dumpLogFile(path, { records })) entries.push(entry);
  return entries;
}

test('a journal is shown record by record, then what is unused of the file', async () => {
  const path = await writeJournal();
  const entries = await dump(path);
  expect(entries[0]).toMatchObject({ kind: 'journal', record: 'begin', position: 0, isValid: true });
  const batches = entries.filter((entry) => entry.kind === 'journal' && entry.record === 'batches');
  expect(batches).toMatchObject(
    [0, 2, 4].map((baseOffset) => ({
      topicId: TOPIC_ID,
      partition: 0,
      baseOffset,
      lastOffset: baseOffset + 1,
      isValid: true,
    })),
  );
  const { position, sizeBytes } = batches.at(-1) as DumpEntry & { kind: 'journal' };
  expect(entries.at(-1)).toMatchObject({ kind: 'unused', position: position + sizeBytes });
  expect(entries.some(({ kind }) => kind === 'damage')).toBe(false);
});

test('with records, the batches stand beneath the record that holds them', async () => {
  const entries = await dump(await writeJournal(), true);
  const held = entries.filter((entry) => entry.kind === 'batch');
  expect(held).toMatchObject([{ baseOffset: 0 }, { baseOffset: 2 }, { baseOffset: 4 }]);
  expect(held.flatMap(({ records }) => records!.map(({ value }) => value!.toString().slice(0, 3)))).toEqual([
    'one',
    'one',
    'two',
    'two',
    'thr',
    'thr',
  ]);
  const before = entries[entries.indexOf(held[0]!) - 1] as DumpEntry & { kind: 'journal' };
  expect(held[0]!.position).toBe(before.position + JOURNAL_HEADER_BYTES);
});

test('a flipped byte among durable records is damage, at the end of the file it is a torn record', async () => {
  const path = await writeJournal();
  const whole = await readFile(path);
  const records = (await dump(path)).filter(
    (entry) => entry.kind === 'journal' && entry.record === 'batches',
  ) as (DumpEntry & { kind: 'journal' })[];

  const flipped = async (at: number): Promise<DumpEntry[]> => {
    const bytes = Buffer.from(whole);
    bytes[at]! ^= 1;
    await writeFile(path, bytes);
    return await dump(path);
  };
  const [, second, last] = records;
  const payload = await flipped(second!.position + second!.sizeBytes - 1);
  expect(payload.filter(({ kind }) => kind === 'damage')).toMatchObject([{ position: second!.position }]);
  expect(payload).toContainEqual(last);
  const header = await flipped(second!.position + 20);
  expect(header.filter(({ kind }) => kind === 'damage')).toMatchObject([{ position: second!.position }]);
  expect(header).toContainEqual(last);

  const torn = await flipped(last!.position + last!.sizeBytes - 1);
  expect(torn.filter(({ kind }) => kind === 'damage')).toEqual([]);
  expect(torn.slice(-2)).toMatchObject([
    { kind: 'journal', position: last!.position, isValid: false },
    { kind: 'unused', position: last!.position },
  ]);
});

test('a file that the journal keeps for later use is shown too', async () => {
  const path = await writeJournal();
  const entries = await dump(path);
  await writeFile(`${path}.free`, await readFile(path));
  expect(await dump(`${path}.free`)).toEqual(entries);
});

test('files are known by their names', async () => {
  for (const name of ['00000000000000000007.journal', 'a/00000000000000000000.log', 'meta.properties']) {
    expect(isLogFile(name)).toBe(true);
  }
  for (const name of ['7.journal', 'notes.txt', 'metadata']) expect(isLogFile(name)).toBe(false);
  await expect(dump('notes.txt')).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
});
