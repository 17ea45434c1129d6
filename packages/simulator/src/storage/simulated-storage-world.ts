/**
 * The storage alone, as `npm run simulate` runs it: a seed is one workload whose power goes off at many points and in every
 * way that matters, and two directories at rest, with a metadata store each, that are damaged in many places.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32c } from '@millrace/records';
import type { SimulatedWorld } from '../simulate/simulated-world.ts';
import { SimulationFailure } from '../world/simulation-failure.ts';
import { crashSeed, newCrashReport } from './crash-campaign.ts';
import { flipSeed, newFlipReport } from './flip-campaign.ts';
import { flipRaftStore } from './raft-store-flips.ts';

const COMMAND = 'node packages/simulator/dist/storage/storage-main.js';

export const storageWorld: SimulatedWorld = {
  about: 'one data directory: power losses at any point, damage anywhere',
  faultsMs: 0,
  async run(seed) {
    const crashes = newCrashReport();
    for (const campaign of ['crashes', 'compactions']) {
      await crashSeed(seed, crashes, undefined, campaign === 'compactions');
      const [crash] = crashes.failures;
      if (crash === undefined) continue;
      const { state, phase, error } = crash;
      const how = `${COMMAND} ${campaign} --seed ${seed} --state ${state}`;
      throw failure(seed, `invariant 50 recovery-keeps-what-is-durable, after a ${phase}`, how, error);
    }
    const flips = newFlipReport();
    const folder = mkdtempSync(join(tmpdir(), 'storage-world-'));
    try {
      // One after a clean stop and one after an unclean one.
      for (const directory of [2 * seed, 2 * seed + 1]) {
        await flipSeed(directory, flips);
        await flipRaftStore(directory, folder, flips);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
    const [flip] = flips.failures;
    if (flip !== undefined) {
      const how = `${COMMAND} flips --seed ${flip.seed} --state ${flip.damage}`;
      throw failure(seed, `invariant 49 damage-is-never-served, ${flip.what}`, how, flip.error);
    }
    const { states, points, again } = crashes;
    const counts = {
      'crash states': states,
      'crash points': points,
      'second crashes': again,
      'bit flips': flips.flips,
      'other damage': flips.others,
    };
    const outcomes = [...flips.outcomes].map(([type, found]) => `${type} ${JSON.stringify(found)}`);
    const digest = crc32c(Buffer.from(`${JSON.stringify(counts)} ${outcomes.join(' ')}`));
    return {
      faults: 'power-loss,bit-rot',
      virtualMs: 0,
      events: states + flips.flips + flips.others,
      hash: digest.toString(16).padStart(8, '0'),
      acknowledged: 0,
      counts,
    };
  },
};

function failure(seed: number, violation: string, how: string, cause: unknown): SimulationFailure {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const facts = { seed, atMs: 0, eventCount: 0, process: '', last: new Map() };
  return new SimulationFailure(`${violation}: ${reason} (that state alone: ${how})`, facts, { cause });
}
