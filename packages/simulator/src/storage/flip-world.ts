/**
 * Storage at rest, as `npm run simulate` runs it: a seed is two directories, one after a clean stop and one after an unclean
 * one, with a metadata store each, that are damaged in many places.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32c } from '@millrace/records';
import type { SimulatedWorld } from '../simulate/simulated-world.ts';
import { flipSeed, newFlipReport } from './flip-campaign.ts';
import { JudgeProcess } from './judge-process.ts';
import { flipRaftStore } from './raft-store-flips.ts';
import { storageFailure } from './storage-failure.ts';

export const flipWorld: SimulatedWorld = {
  about: 'two data directories: damage anywhere',
  faultsMs: 0,
  async run(seed) {
    const report = newFlipReport();
    const folder = mkdtempSync(join(tmpdir(), 'flip-world-'));
    using judge = new JudgeProcess();
    try {
      for (const directory of [2 * seed, 2 * seed + 1]) {
        await flipSeed(directory, report);
        await flipRaftStore(directory, folder, report, (order) => judge.judge(order));
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
    const [flip] = report.failures;
    if (flip !== undefined) {
      const what = `invariant 49 damage-is-never-served, ${flip.what}`;
      throw storageFailure(seed, what, `flips --seed ${flip.seed} --state ${flip.damage}`, flip.error);
    }
    const counts = {
      'bit flips': report.flips,
      'other damage': report.others,
      'ended the process': report.endings.length,
    };
    const outcomes = [...report.outcomes].map(([type, found]) => `${type} ${JSON.stringify(found)}`);
    const digest = crc32c(Buffer.from(`${JSON.stringify(counts)} ${outcomes.join(' ')}`));
    return {
      faults: 'bit-rot',
      virtualMs: 0,
      events: report.flips + report.others,
      hash: digest.toString(16).padStart(8, '0'),
      acknowledged: 0,
      counts,
    };
  },
};
