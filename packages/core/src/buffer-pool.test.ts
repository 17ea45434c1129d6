import { expect, test } from 'vitest';
import {
  BufferPool,
  giveBackAll,
  holdMemory,
  type Loan,
  lendMemory,
  occupiedBytes,
  releaseMemory,
} from './buffer-pool.ts';
import { KiB, MiB } from './units.ts';

test('memory is used again once it is given back, and never before', () => {
  const buffers = new BufferPool({ bytesMax: 8 * MiB });
  const lent: Loan[] = [];
  const first = buffers.take(MiB);
  lendMemory(first, lent);
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
  const buffers = new BufferPool({ bytesMax: 8 * MiB });
  const kept = buffers.take(MiB);
  expect(buffers.idleBytes).toBe(0);
  for (let i = 0; i < 10; i++) expect(buffers.take(MiB).buffer).not.toBe(kept.buffer);
});

test('giving back twice is a broken invariant: two would have the same memory', () => {
  const buffers = new BufferPool({ bytesMax: 8 * MiB });
  const lent: Loan[] = [];
  lendMemory(buffers.take(100 * KiB), lent);
  lent[0]!.giveBack();
  expect(() => lent[0]!.giveBack()).toThrow('memory is given back once');
});

test('no more lies idle than is allowed, and nothing small or huge', () => {
  const buffers = new BufferPool({ bytesMax: 300 * KiB });
  const lent: Loan[] = [];
  for (const bytes of [100, 64 * KiB, MiB, 60 * KiB, 4 * MiB]) lendMemory(buffers.take(bytes), lent);
  giveBackAll(lent);
  expect(buffers.idleBytes).toBe(64 * KiB + 64 * KiB);
});

test('what was wanted once gives way to what is wanted now', () => {
  const buffers = new BufferPool({ bytesMax: 4 * MiB });
  const lent: Loan[] = [];
  for (let i = 0; i < 64; i++) lendMemory(buffers.take(50 * KiB), lent);
  giveBackAll(lent);
  expect(buffers.idleBytes).toBe(4 * MiB);
  const wanted = buffers.take(MiB);
  releaseMemory(wanted);
  expect(buffers.take(MiB).buffer).toBe(wanted.buffer);
});

test('memory that others may share is never taken for its own, whatever its size', () => {
  const poolBytes = Buffer.poolSize;
  try {
    Buffer.poolSize = 64 * KiB;
    // The shared memory of before is used up first.
    for (let i = 0; i < 1000; i++) Buffer.allocUnsafe(100);
    const buffers = new BufferPool({ bytesMax: 8 * MiB });
    const lent: Loan[] = [];
    for (let i = 0; i < 2; i++) lendMemory(buffers.take(1000), lent);
    expect(lent).toEqual([]);
    releaseMemory(buffers.take(1000));
    expect(buffers.idleBytes).toBe(0);
  } finally {
    Buffer.poolSize = poolBytes;
  }
});

test('memory that several hold is used again after the last of them released it', () => {
  const buffers = new BufferPool({ bytesMax: 8 * MiB });
  const taken = buffers.take(100 * KiB);
  const window = taken.subarray(10, 20);
  holdMemory(window);
  holdMemory(taken);
  for (const holder of [taken, window]) {
    releaseMemory(holder);
    expect(buffers.take(100 * KiB).buffer).not.toBe(taken.buffer);
  }
  releaseMemory(taken);
  expect(buffers.take(100 * KiB).buffer).toBe(taken.buffer);
});

test('idle memory can be neither held nor released: somebody would look at what is not his', () => {
  const buffers = new BufferPool({ bytesMax: 8 * MiB });
  const taken = buffers.take(100 * KiB);
  releaseMemory(taken);
  expect(() => holdMemory(taken)).toThrow('idle memory is held by nobody');
  expect(() => releaseMemory(taken)).toThrow('memory is released once by each who holds it');
});

test('memory of no pool may be held and released like any other', () => {
  const others = [Buffer.from('small'), Buffer.alloc(MiB), new BufferPool({ bytesMax: MiB }).take(100)];
  for (const bytes of others) {
    holdMemory(bytes);
    releaseMemory(bytes);
    releaseMemory(bytes);
    expect(occupiedBytes(bytes)).toBe(bytes.length);
  }
  expect(occupiedBytes(new BufferPool({ bytesMax: MiB }).take(100 * KiB))).toBe(128 * KiB);
});
