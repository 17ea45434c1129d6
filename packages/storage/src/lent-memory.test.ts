/** Memory that records lie in, for readers and for the journal: never another's while somebody looks at it. */
import { BufferPool, giveBackAll, KiB, type Loan, MiB, releaseMemory } from '@millrace/core';
import { expect, test } from 'vitest';
import { CrashableFileSystem } from './crashable-file-system.ts';
import { DEFAULT_LOG_CONFIG } from './log-config.ts';
import { batchOf, contentsOf, openLog, openStore } from './testing.ts';

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

test.each(['fsync', 'page-cache'] as const)(
  'a batch in memory that is used again stands in the log and the journal as it was: %s',
  async (durability) => {
    const disk = new CrashableFileSystem();
    const store = await openStore(disk, {
      config: {
        'journal.bypass.bytes': `${MiB}`,
        'journal.file.bytes': `${4 * MiB}`,
        'journal.max.bytes': `${16 * MiB}`,
      },
    });
    const log = await openLog(store, { ...DEFAULT_LOG_CONFIG, durability });
    const buffers = new BufferPool({ bytesMax: MiB });
    const memories = new Set<ArrayBufferLike>();
    const texts = [...'abcdefgh'];
    for (const letter of texts) {
      const batch = batchOf(letter, { bytes: 40 * KiB });
      const frame = buffers.take(batch.length);
      memories.add(frame.buffer);
      batch.copy(frame);
      log.appendAsLeader(frame, 0);
      releaseMemory(frame);
      // What the journal has yet to write is held.
      expect(buffers.idleBytes).toBe(durability === 'fsync' ? 0 : 64 * KiB);
    }
    expect(memories.size).toBe(durability === 'fsync' ? texts.length : 1);
    await log.whenFlushed(texts.length);
    expect(buffers.idleBytes).toBe(memories.size * 64 * KiB);
    const expected = texts.map((letter) => `${letter}/0`);
    expect(await contentsOf(log)).toEqual(expected);
    if (durability === 'page-cache') return;
    // Nothing but the journal is on stable storage.
    const again = await openLog(await openStore(disk.crash()), { ...DEFAULT_LOG_CONFIG, durability });
    expect(await contentsOf(again)).toEqual(expected);
  },
);

test('a small batch that waits for the journal does not keep the large request that it came in', async () => {
  const log = await openLog(await openStore(new CrashableFileSystem()), {
    ...DEFAULT_LOG_CONFIG,
    durability: 'fsync',
  });
  const buffers = new BufferPool({ bytesMax: 4 * MiB });
  const request = buffers.take(MiB);
  const batch = batchOf('a');
  batch.copy(request, 100);
  log.appendAsLeader(request.subarray(100, 100 + batch.length), 0);
  releaseMemory(request);
  expect(buffers.idleBytes).toBe(MiB + 64 * KiB);
  buffers.take(MiB).fill(0xff);
  await log.whenFlushed(1);
  expect(await contentsOf(log)).toEqual(['a/0']);
});
