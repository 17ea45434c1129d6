/** The partition world, as `npm run simulate` runs it. */
import type { SimulatedWorld } from '../simulate/simulated-world.ts';
import { simulatePartition } from './simulate-partition.ts';

export const partitionWorld: SimulatedWorld = {
  about: '3 to 5 brokers with their logs under a model controller, producers and consumers of every kind',
  faultsMs: 17_500,
  async run(seed, { only, faultsMs, clientsMax, onTraced }) {
    const { faults, virtualMs, events, hash, acknowledged, ...counts } = await simulatePartition(seed, {
      ...(only !== undefined && { only }),
      ...(faultsMs !== undefined && { faultsMs }),
      ...(clientsMax !== undefined && { clientsMax }),
      onWorld: ({ world }) => {
        if (onTraced !== undefined) world.trace.printTo(onTraced);
      },
    });
    const { committed, lives, elections, losses } = counts;
    return { faults, virtualMs, events, hash, acknowledged, counts: { committed, lives, elections, losses } };
  },
};
