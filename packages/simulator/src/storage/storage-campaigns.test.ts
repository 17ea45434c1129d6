/** The campaigns in small, and every state that ever failed. Long runs: storage-main.ts. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { crashSeed, newCrashReport } from './crash-campaign.ts';
import { flipSeed, newFlipReport } from './flip-campaign.ts';
import { flipRaftStore } from './raft-store-flips.ts';
import { judgeRaftStore } from './raft-store-judge.ts';

/** Seed and state; the commits that mended them name them. */
const CRASHES: readonly (readonly [number, number])[] = [
  [1, 0],
  [1, 142],
  [1, 145],
  [1, 604],
  [1, 956],
  [2, 477],
  [2, 1386],
  [4, 449],
  [4, 2205],
  [7, 505],
  [8, 873],
  [9, 725],
  [9, 762],
  [10, 2708],
  [15, 1346],
  [24, 411],
  [25, 608],
  [66, 679],
  [78, 776],
  [83, 153],
  [91, 1567],
  [93, 232],
  [135, 278],
  [7005, 181],
];

/** Seed and state, of workloads whose logs are compacted. */
const COMPACTIONS: readonly (readonly [number, number])[] = [
  [900, 1386],
  [3008, 2974],
  [3008, 3042],
];

/** Seed and damage. */
const FLIPS: readonly (readonly [number, number])[] = [
  [1, 3],
  [2, 42],
  [2, 121],
  [3, 151],
  [5, 25],
  [7, 99],
  [7, 101],
  [8, 60],
  [9, 55],
  [11, 35],
  [13, 15],
  [21, 164],
  [30, 27],
  [35, 126],
  [35, 133],
  [50, 72],
  [54, 241],
];

/** Seed and damage of the metadata store. */
const RAFT_FLIPS: readonly (readonly [number, number])[] = [
  [1, 1018],
  [1, 1039],
  [3, 1004],
  [14, 1011],
  [14, 1020],
  [16, 1008],
];

test('a power loss at any point loses nothing that was promised', { timeout: 60_000 }, async () => {
  const report = newCrashReport();
  await crashSeed(1001, report, { isWanted: (state) => state % 20 === 0 });
  expect(report.failures).toEqual([]);
  expect(report.states).toBeGreaterThan(30);
});

test('a power loss at any step of a compaction loses nothing but what is out of date', {
  timeout: 60_000,
}, async () => {
  const report = newCrashReport();
  await crashSeed(1002, report, { isWanted: (state) => state % 20 === 0 }, true);
  expect(report.failures).toEqual([]);
  expect(report.states).toBeGreaterThan(30);
});

test('crash states that failed once fail no more', { timeout: 60_000 }, async () => {
  const report = newCrashReport();
  for (const [seed, state] of CRASHES)
    await crashSeed(seed, report, { isWanted: (found) => found === state });
  for (const [seed, state] of COMPACTIONS)
    await crashSeed(seed, report, { isWanted: (found) => found === state }, true);
  expect(report.failures).toEqual([]);
});

test('damages that once went unnoticed are noticed or do no harm', { timeout: 60_000 }, async () => {
  const report = newFlipReport();
  for (const [seed, damage] of FLIPS) await flipSeed(seed, report, damage);
  expect(report.failures).toEqual([]);
});

test('damages of the metadata store that once went unnoticed, or unnamed, are noticed', {
  timeout: 60_000,
}, async () => {
  const report = newFlipReport();
  const folder = mkdtempSync(join(tmpdir(), 'raft-store-flips-'));
  for (const [seed, damage] of RAFT_FLIPS) await flipRaftStore(seed, folder, report, judgeRaftStore, damage);
  rmSync(folder, { recursive: true });
  expect(report.failures).toEqual([]);
  expect([...report.outcomes.values()].reduce((sum, { detected }) => sum + detected, 0)).toBeGreaterThan(3);
});
