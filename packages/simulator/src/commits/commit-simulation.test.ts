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

test('members of the classic protocol keep them too, fenced, late or in one group with the other protocol', async () => {
  const total = new Map<string, number>();
  for (const seed of [1, 2, 6]) {
    const { counts } = await new CommitSimulation(seed, { troublesMs: 10_000, hasClassic: true }).run();
    for (const [name, count] of Object.entries(counts)) total.set(name, (total.get(name) ?? 0) + count);
  }
  expect(total.get('classic assignments')).toBeGreaterThan(50);
  for (const name of [
    'classic commits of an older generation',
    'classic commits of no member',
    'classic commits of a fenced instance',
    'moves to the consumer protocol',
    'moves to the classic protocol',
  ])
    expect(total.get(name), name).toBeGreaterThan(0);
});

test.each([false, true])('the same seed is the same run, with classic members %s', async (hasClassic) => {
  const first = await new CommitSimulation(3, { troublesMs: 4_000, hasClassic }).run();
  expect(await new CommitSimulation(3, { troublesMs: 4_000, hasClassic }).run()).toEqual(first);
});
