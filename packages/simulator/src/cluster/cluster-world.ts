/** Whole clusters, as `npm run simulate` runs them. */
import type { SimulatedWorld } from '../simulate/simulated-world.ts';
import { CLUSTER_FAULTS_MS, ClusterSimulation } from './cluster-simulation.ts';

export const clusterWorld: SimulatedWorld = {
  about: 'whole nodes, 3 controllers and 3 to 5 brokers, with the SDK as client',
  faultsMs: CLUSTER_FAULTS_MS,
  run(seed, { onTraced, ...options }) {
    const simulation = new ClusterSimulation(seed, options);
    if (onTraced !== undefined) simulation.world.trace.printTo(onTraced);
    return simulation.run();
  },
};
