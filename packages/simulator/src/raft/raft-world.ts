/** The metadata quorum alone, as `npm run simulate` runs it. */
import type { SimulatedWorld } from '../simulate/simulated-world.ts';
import { QuorumSimulation } from './quorum-simulation.ts';

export const raftWorld: SimulatedWorld = {
  about:
    '1 to 7 voters of the metadata quorum, voters that come and go, clients that write and read registers',
  faultsMs: 30_000,
  async run(seed, { onTraced, ...options }) {
    const simulation = new QuorumSimulation(seed, options);
    if (onTraced !== undefined) simulation.world.trace.printTo(onTraced);
    const { answered, committed, voterChanges, undecided, ...run } = await simulation.run();
    const counts = { committed, 'voter changes': voterChanges, 'undecided histories': undecided };
    return { ...run, acknowledged: answered, counts };
  },
};
