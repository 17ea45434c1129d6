import { expect, test } from 'vitest';
import { ClusterSimulation } from '../cluster/cluster-simulation.ts';
import { CLUSTER_SEEDS } from './cluster-seeds.ts';

test.each(CLUSTER_SEEDS.map((kept) => [kept.seed, kept.invariant, kept.mendedBy] as const))(
  'cluster seed %i keeps every invariant, also %s (%s)',
  async (seed) => {
    const { hasGroups = false, hasClassic = false } = CLUSTER_SEEDS.find((kept) => kept.seed === seed)!;
    const { acknowledged } = await new ClusterSimulation(seed, { hasGroups, hasClassic }).run();
    expect(acknowledged).toBeGreaterThan(0);
  },
  30_000,
);
