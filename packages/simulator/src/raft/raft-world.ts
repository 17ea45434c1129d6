/** The metadata quorum alone, as `npm run simulate` runs it. */
import { noTimerFollowsTheWallClock } from '../invariants/54-no-timer-follows-the-wall-clock.ts';
import type { SimulatedWorld } from '../simulate/simulated-world.ts';
import { letWallClocksJump } from '../world/jumping-wall-clocks.ts';
import { verdictOf } from '../world/verdict.ts';
import { type QuorumRunOptions, QuorumSimulation } from './quorum-simulation.ts';

/** One seed in so many runs a second time, under wall clocks that jump. */
const JUMPING_EVERY = 16;

export const raftWorld: SimulatedWorld = {
  about:
    '1 to 7 voters of the metadata quorum, voters that come and go, clients that write and read registers',
  faultsMs: 30_000,
  async run(seed, { onTraced, ...options }) {
    const simulation = new QuorumSimulation(seed, options);
    if (onTraced !== undefined) simulation.world.trace.printTo(onTraced);
    const { answered, committed, voterChanges, undecided, ...run } = await simulation.run();
    if (seed % JUMPING_EVERY === 0) await judgeTimers(seed, options, run.hash);
    const counts = { committed, 'voter changes': voterChanges, 'undecided histories': undecided };
    return { ...run, acknowledged: answered, counts };
  },
};

async function judgeTimers(seed: number, options: QuorumRunOptions, hash: string): Promise<void> {
  const again = new QuorumSimulation(seed, options);
  letWallClocksJump(
    again.world,
    again.members.map(({ process }) => process),
  );
  const { hash: hashWithJumps } = await again.run();
  noTimerFollowsTheWallClock.judge(
    { hash, hashWithJumps },
    verdictOf(again.world, noTimerFollowsTheWallClock),
  );
}
