import { KiB, MiB } from '@millrace/core';
import { expect, test } from 'vitest';
import { CrashableFileSystem } from './crashable-file-system.ts';
import { type GiveBack, giveBackAll, ReadBuffers } from './read-buffers.ts';
import { batchOf, openLog, openStore } from './testing.ts';

test('memory is used again once it is given back, and never before', () => {
  const buffers = new ReadBuffers({ bytesMax: 8 * MiB });
  const lent: GiveBack[] = [];
  const first = buffers.take(MiB);
  buffers.lend(first, lent);
  const second = buffers.take(MiB);
  expect(second.buffer).not.toBe(first.buffer);
  giveBackAll(lent);
  expect(lent).toEqual([]);
  const third = buffers.take(MiB + 1);
  expect(third.buffer).toBe(first.buffer);
  expect(third.length).toBe(MiB + 1);
  expect(buffers.take(MiB).buffer).not.toBe(first.buffer);
});

test('what is not lent is never used again', () => {
  const buffers = new ReadBuffers({ bytesMax: 8 * MiB });
  const kept = buffers.take(MiB);
  expect(buffers.idleBytes).toBe(0);
  for (let i = 0; i < 10; i++) expect(buffers.take(MiB).buffer).not.toBe(kept.buffer);
});

test('giving back twice is a broken invariant: two would have the same memory', () => {
  const buffers = new ReadBuffers({ bytesMax: 8 * MiB });
  const lent: GiveBack[] = [];
  buffers.lend(buffers.take(100 * KiB), lent);
  lent[0]!();
  expect(() => lent[0]!()).toThrow('memory is given back once');
});

test('no more lies idle than is allowed, and nothing small or huge', () => {
  const buffers = new ReadBuffers({ bytesMax: 300 * KiB });
  const lent: GiveBack[] = [];
  for (const bytes of [100, 64 * KiB, 200 * KiB, 60 * KiB, 4 * MiB]) buffers.lend(buffers.take(bytes), lent);
  giveBackAll(lent);
  expect(buffers.idleBytes).toBe(64 * KiB + 64 * KiB);
});

test('records that were read stay what they are until their memory is given back, whatever else is read', async () => {
  const log = await openLog(
    await openStore(new CrashableFileSystem(), { config: { 'read.ahead.bytes': '0' } }),
  );
  for (const letter of 'abcdef') log.appendAsLeader(batchOf(letter.repeat(40_000)), 0);
  const range = (offset: number) => [offset, 1, offset + 1] as const;
  const lent: GiveBack[] = [];
  const first = await log.read(...range(0), { lent });
  const before = Buffer.from(first);
  for (let offset = 1; offset < 5; offset++) {
    const others: GiveBack[] = [];
    const other = await log.read(...range(offset), { lent: others });
    expect(other.buffer).not.toBe(first.buffer);
    expect(others.length).toBe(1);
    giveBackAll(others);
  }
  expect(first.equals(before)).toBe(true);
  giveBackAll(lent);
  expect((await log.read(...range(5), { lent })).buffer).toBe(first.buffer);
});
