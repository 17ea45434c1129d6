/** Every seed of the quorum world that ever failed, with the commit that mended production, the world or a judge. */
import { expect, test } from 'vitest';
import { runQuorumSeed } from '../quorum-simulation.ts';

const REGRESSIONS = [
  { seed: 78, commit: '773c537', what: 'a rotten disk was not replaced before the quorum had to settle' },
  { seed: 236, commit: '411f24f', what: 'a leader lost its disk whose third voter nobody else knew' },
  { seed: 383, commit: '773c537', what: 'a blank controller was taken for one that follows a leader' },
  { seed: 454, commit: '411f24f', what: 'a leader lost its disk whose third voter nobody else knew' },
  { seed: 954, commit: '411f24f', what: 'a write that began under faults failed after them' },
  { seed: 1794, commit: '411f24f', what: 'a write that began under faults failed after them' },
  { seed: 11452, commit: 'a5d6e34', what: 'a disk was lost under a voter set that was in memory only' },
  { seed: 112593, commit: '02886c8', what: 'all configured voters had blank disks at once, and began anew' },
  { seed: 126762, commit: 'cd71012', what: 'a leader whose removal was decided changed voters once more' },
  { seed: 900060, commit: '8270681', what: 'a paused leader was asked to add a voter, and did' },
  { seed: 1004568, commit: '8270681', what: 'a paused leader was asked to add a voter, and did' },
  { seed: 1020745, commit: '7ff22c4', what: 'the next epoch had cut off what was acknowledged' },
  { seed: 1027943, commit: '8270681', what: 'a paused leader was asked to add a voter, and did' },
  { seed: 1036666, commit: '65bbaea', what: 'datagrams of a dead leader arrived two seconds after healing' },
] as const;

test.each(REGRESSIONS)('seed $seed: $what (mended by $commit)', { timeout: 20_000 }, async ({ seed }) => {
  expect((await runQuorumSeed(seed)).committed).toBeGreaterThan(0);
});
