/**
 * The storage alone, as `npm run simulate` runs it: a seed is one workload whose power goes off at many points and in every
 * way that matters, and once more while it recovers.
 */
import { crc32c } from '@millrace/records';
import type { SimulatedWorld } from '../simulate/simulated-world.ts';
import { crashSeed, newCrashReport } from './crash-campaign.ts';
import { storageFailure } from './storage-failure.ts';

export const crashWorld: SimulatedWorld = {
  about: 'one data directory: power losses at any point',
  faultsMs: 0,
  async run(seed) {
    const crashes = newCrashReport();
    for (const campaign of ['crashes', 'compactions']) {
      await crashSeed(seed, crashes, undefined, campaign === 'compactions');
      const [crash] = crashes.failures;
      if (crash === undefined) continue;
      const { state, phase, error } = crash;
      const what = `invariant 50 recovery-keeps-what-is-durable, after a ${phase}`;
      throw storageFailure(seed, what, `${campaign} --seed ${seed} --state ${state}`, error);
    }
    const { states, points, again } = crashes;
    const counts = { 'crash states': states, 'crash points': points, 'second crashes': again };
    const digest = crc32c(Buffer.from(JSON.stringify(counts)));
    return {
      faults: 'power-loss',
      virtualMs: 0,
      events: states,
      hash: digest.toString(16).padStart(8, '0'),
      acknowledged: 0,
      counts,
    };
  },
};
