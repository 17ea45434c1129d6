import { KiB, MiB } from '@millrace/core';
import { expect, test } from 'vitest';
import { CrashableFileSystem } from './crashable-file-system.ts';
import { giveBackAll, type Loan, ReadBuffers } from './read-buffers.ts';
import { batchOf, openLog, openStore } from './testing.ts';

test('memory is used again once it is given back, and never before', () => {
  const buffers = new ReadBuffers({ bytesMax: 8 * MiB });
  const lent: Loan[] = [];
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
  const lent: Loan[] = [];
  buffers.lend(buffers.take(100 * KiB), lent);
  lent[0]!.giveBack();
  expect(() => lent[0]!.giveBack()).toThrow('memory is given back once');
});

test('no more lies idle than is allowed, and nothing small or huge', () => {
  const buffers = new ReadBuffers({ bytesMax: 300 * KiB });
  const lent: Loan[] = [];
  for (const bytes of [100, 64 * KiB, MiB, 60 * KiB, 4 * MiB]) buffers.lend(buffers.take(bytes), lent);
  giveBackAll(lent);
  expect(buffers.idleBytes).toBe(64 * KiB + 64 * KiB);
});

test('what was wanted once gives way to what is wanted now', () => {
  const buffers = new ReadBuffers({ bytesMax: 4 * MiB });
  const lent: Loan[] = [];
  for (let i = 0; i < 64; i++) buffers.lend(buffers.take(50 * KiB), lent);
  giveBackAll(lent);
  expect(buffers.idleBytes).toBe(4 * MiB);
  const wanted = buffers.take(MiB);
  buffers.drop(wanted);
  expect(buffers.take(MiB).buffer).toBe(wanted.buffer);
});

test('memory that others may share is never taken for its own, whatever its size', () => {
  const poolBytes = Buffer.poolSize;
  try {
    Buffer.poolSize = 64 * KiB;
    // The shared memory of before is used up first.
    for (let i = 0; i < 1000; i++) Buffer.allocUnsafe(100);
    const buffers = new ReadBuffers({ bytesMax: 8 * MiB });
    const lent: Loan[] = [];
    for (let i = 0; i < 2; i++) buffers.lend(buffers.take(1000), lent);
    expect(lent).toEqual([]);
    buffers.drop(buffers.take(1000));
    expect(buffers.idleBytes).toBe(0);
  } finally {
    Buffer.poolSize = poolBytes;
  }
});

test('records that were read stay what they are until their memory is given back, whatever else is read', async () => {
  const log = await openLog(
    await openStore(new CrashableFileSystem(), { config: { 'read.ahead.bytes': '0' } }),
  );
  for (const letter of 'abcdef') log.appendAsLeader(batchOf(letter.repeat(40_000)), 0);
  const range = (offset: number) => [offset, 1, offset + 1] as const;
  const lent: Loan[] = [];
  const first = await log.read(...range(0), { lent });
  const before = Buffer.from(first);
  for (let offset = 1; offset < 5; offset++) {
    const others: Loan[] = [];
    const other = await log.read(...range(offset), { lent: others });
    expect(other.buffer).not.toBe(first.buffer);
    expect(others.length).toBe(1);
    giveBackAll(others);
  }
  expect(first.equals(before)).toBe(true);
  giveBackAll(lent);
  expect((await log.read(...range(5), { lent })).buffer).toBe(first.buffer);
});

test('a small answer does not hold what was read to find it', async () => {
  const log = await openLog(await openStore(new CrashableFileSystem()));
  for (const letter of 'abcdef') log.appendAsLeader(batchOf(letter.repeat(letter === 'a' ? 10 : 400_000)), 0);
  const lent: Loan[] = [];
  const records = await log.read(0, MiB, 1, { lent });
  expect(records.length).toBeLessThan(200);
  expect(records.buffer.byteLength).toBeLessThanOrEqual(Math.max(Buffer.poolSize, 64 * KiB));
  expect(lent).toEqual([]);
});
