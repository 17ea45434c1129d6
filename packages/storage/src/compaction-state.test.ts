import { expect, test } from 'vitest';
import { dirtiest, dirtyRange, groupSegments, type SealedSegment, staysInLog } from './compaction-state.ts';
import { DEFAULT_LOG_CONFIG } from './log-config.ts';

/** Ten offsets and a hundred bytes each, written a second apart. */
const sealed = (count: number): SealedSegment[] =>
  Array.from({ length: count }, (_, i) => ({
    baseOffset: 10 * i,
    endOffset: 10 * i + 10,
    sizeBytes: 100,
    oldestTimestamp: 1000 * i,
    newestTimestamp: 1000 * i + 999,
  }));

const LIMITS = { firstDirtyOffset: 0, upTo: 1000, deleteHorizonMs: Number.POSITIVE_INFINITY, nowMs: 100_000 };

test('a log is due when more than the ratio of it is dirty', () => {
  const range = (firstDirtyOffset: number) =>
    dirtyRange(sealed(10), DEFAULT_LOG_CONFIG, { ...LIMITS, firstDirtyOffset });
  expect(range(0)).toEqual({ from: 0, to: 100, dirtyRatio: 1, isDue: true });
  expect(range(40)).toMatchObject({ from: 40, to: 100, dirtyRatio: 0.6, isDue: true });
  expect(range(50)).toMatchObject({ dirtyRatio: 0.5, isDue: false });
  expect(range(100)).toMatchObject({ from: 100, to: 100, dirtyRatio: 0, isDue: false });
});

test('segments that reach beyond what is committed are left alone', () => {
  expect(dirtyRange(sealed(10), DEFAULT_LOG_CONFIG, { ...LIMITS, upTo: 57 })).toMatchObject({ to: 50 });
});

test('young records wait, old ones do not, and tombstones whose time has come are looked for', () => {
  const config = { ...DEFAULT_LOG_CONFIG, minCompactionLagMs: 5000 };
  expect(dirtyRange(sealed(10), config, { ...LIMITS, nowMs: 10_000 })).toMatchObject({ to: 50 });
  const late = { ...DEFAULT_LOG_CONFIG, minCleanableDirtyRatio: 1, maxCompactionLagMs: 2000 };
  expect(dirtyRange(sealed(3), late, { ...LIMITS, nowMs: 2000 }).isDue).toBe(false);
  expect(dirtyRange(sealed(3), late, { ...LIMITS, nowMs: 2001 }).isDue).toBe(true);
  const clean = { ...LIMITS, firstDirtyOffset: 30 };
  expect(dirtyRange(sealed(3), late, { ...clean, deleteHorizonMs: 100_001 }).isDue).toBe(false);
  expect(dirtyRange(sealed(3), late, { ...clean, deleteHorizonMs: 100_000 }).isDue).toBe(true);
});

test('the dirtiest of those that are due comes first', () => {
  const range = (dirtyRatio: number, isDue: boolean) => ({ range: { from: 0, to: 1, dirtyRatio, isDue } });
  const [low, high, notDue] = [range(0.6, true), range(0.8, true), range(0.9, false)];
  expect(dirtiest([low, notDue, high])).toBe(high);
  expect(dirtiest([notDue])).toBeUndefined();
});

test('neighbours are joined as long as they fit one segment', () => {
  const sizes = (limit: number) => groupSegments(sealed(5), limit).map((group) => group.length);
  expect(sizes(250)).toEqual([2, 2, 1]);
  expect(sizes(50)).toEqual([1, 1, 1, 1, 1]);
  const far = [
    { baseOffset: 0, endOffset: 10, sizeBytes: 1 },
    { baseOffset: 10, endOffset: 2 ** 31 + 1, sizeBytes: 1 },
  ];
  expect(groupSegments(far, 1000)).toHaveLength(2);
});

test('the newest of a key stays, tombstones until their time', () => {
  const value = { offset: 5, keyStart: 0, hasValue: true };
  const tombstone = { offset: 5, keyStart: 0, hasValue: false };
  expect(staysInLog(value, -1, undefined, 10)).toBe(true);
  expect(staysInLog(value, 5, undefined, 10)).toBe(true);
  expect(staysInLog(value, 6, undefined, 10)).toBe(false);
  expect(staysInLog({ ...value, keyStart: -1 }, -1, undefined, 10)).toBe(false);
  expect(staysInLog(tombstone, 5, undefined, 10)).toBe(true);
  expect(staysInLog(tombstone, -1, 11, 10)).toBe(true);
  expect(staysInLog(tombstone, -1, 10, 10)).toBe(false);
  expect(staysInLog(value, -1, 10, 10)).toBe(true);
});
