/** A few seeds of a quorum alone; thousands run with `npm run simulate -- --world raft`. */
import { expect, test } from 'vitest';
import { runQuorumSeed } from './quorum-simulation.ts';

const SEEDS = Array.from({ length: 25 }, (_, index) => index + 1);

test('a quorum under faults breaks no invariant, and finishes what it was asked', async () => {
  for (const seed of SEEDS) {
    const { committed, answered } = await runQuorumSeed(seed, { faultsMs: 8_000 });
    expect(committed).toBeGreaterThan(0);
    expect(answered).toBeGreaterThan(0);
  }
});

test('a seed lives the same way twice, and another seed does not', async () => {
  const first = await runQuorumSeed(7, { faultsMs: 5_000 });
  expect(await runQuorumSeed(7, { faultsMs: 5_000 })).toEqual(first);
  expect((await runQuorumSeed(8, { faultsMs: 5_000 })).hash).not.toBe(first.hash);
});

test('voters change and lose their disks while the quorum works', async () => {
  let changes = 0;
  for (const seed of SEEDS.slice(0, 5)) {
    changes += (await runQuorumSeed(seed, { only: ['wiped-disk', 'bit-rot', 'crash'], faultsMs: 20_000 }))
      .voterChanges;
  }
  expect(changes).toBeGreaterThan(5);
});
