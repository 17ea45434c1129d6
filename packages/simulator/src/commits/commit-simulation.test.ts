import { expect, test, vi } from 'vitest';
import { CommitSimulation } from './commit-simulation.ts';

// Virtual time costs little, but the machine may be busy.
vi.setConfig({ testTimeout: 60_000 });

/** One for each trouble. */
const SEEDS = [1, 3, 7];

test('seeds keep every promise about commits, and their troubles are met', async () => {
  const total = new Map<string, number>();
  for (const seed of SEEDS) {
    const { counts } = await new CommitSimulation(seed, { hasClassic: false }).run();
    for (const [name, count] of Object.entries(counts)) total.set(name, (total.get(name) ?? 0) + count);
  }
  expect(total.get('acknowledged commits')).toBeGreaterThan(1_000);
  // Late ones.
  expect(total.get('commits of an older epoch')).toBeGreaterThan(10);
  // Unanswered ones, of partitions that others have by then.
  expect(total.get('commits given up')).toBeGreaterThan(0);
  // Crowds: the log took what they had written together for too much, and the coordinator began anew.
  expect(total.get('coordinator loads')).toBeGreaterThan(SEEDS.length);
});

test('the same seed is the same run', async () => {
  const first = await new CommitSimulation(3, { troublesMs: 4_000 }).run();
  expect(await new CommitSimulation(3, { troublesMs: 4_000 }).run()).toEqual(first);
});
