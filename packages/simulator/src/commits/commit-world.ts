/** Commits of offsets against time, as `npm run simulate` runs them. */
import type { SimulatedWorld } from '../simulate/simulated-world.ts';
import { COMMIT_TROUBLES_MS, CommitSimulation } from './commit-simulation.ts';

export const commitWorld: SimulatedWorld = {
  about: 'one coordinator of groups on 3 brokers, with commits that are late, crowded or unanswered',
  faultsMs: COMMIT_TROUBLES_MS,
  run(seed, { onTraced, faultsMs, hasClassic }) {
    const simulation = new CommitSimulation(seed, { troublesMs: faultsMs, hasClassic });
    if (onTraced !== undefined) simulation.world.trace.printTo(onTraced);
    return simulation.run();
  },
};
