import { expect, test } from 'vitest';
import { clusterWorld } from '../cluster/cluster-world.ts';
import { CLUSTER_SEEDS } from './cluster-seeds.ts';

test.each(CLUSTER_SEEDS.map((kept) => [kept.seed, kept.invariant, kept.mendedBy] as const))(
  'cluster seed %i keeps every invariant, also %s (%s)',
  async (seed) => {
    const { acknowledged } = await clusterWorld.run(seed, {});
    expect(acknowledged).toBeGreaterThan(0);
  },
  30_000,
);
