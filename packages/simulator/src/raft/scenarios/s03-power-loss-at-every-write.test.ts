/**
 * S3, S13: the power of one controller fails right when it asks its disk for a write, and right when that write is durable:
 * at each write in turn, of hard state, log and snapshots. Every invariant watches; the quorum must go on.
 */
import { expect, test } from 'vitest';
import type { Member, QuorumInvariant } from '../quorum-observation.ts';
import { QuorumSimulation } from '../quorum-simulation.ts';

type Moment = 'asked' | 'durable' | 'snapshotAsked' | 'snapshotDurable';

/** Calls `strike` at the `count`-th moment of this kind on controller 1. */
function atMoment(moment: Moment, count: number, strike: () => void): QuorumInvariant {
  let left = count;
  const noted = ({ id }: Member): void => {
    if (id === 1 && --left === 0) strike();
  };
  return { number: 0, name: `power loss at ${moment} ${count}`, judge: () => ({ [moment]: noted }) };
}

async function loseAt(moment: Moment, count: number, faultsMs: number): Promise<boolean> {
  let isStruck = false;
  const strike = (): void => {
    isStruck = true;
    const [victim] = simulation.members;
    simulation.world.schedule(0, () => victim!.kill('machine'));
    simulation.world.schedule(200, () => {
      // The end of the run starts whoever is down.
      if (!victim!.process.isAlive) victim!.start();
    });
  };
  const watchers = [atMoment(moment, count, strike)];
  const simulation: QuorumSimulation = new QuorumSimulation(count, {
    only: [],
    voters: 3,
    faultsMs,
    watchers,
  });
  const { committed } = await simulation.run();
  expect(committed).toBeGreaterThan(5);
  return isStruck;
}

const WRITES = 24;
const SNAPSHOTS = 5;

for (const [moment, times, faultsMs] of [
  ['asked', WRITES, 2_000],
  ['durable', WRITES, 2_000],
  ['snapshotAsked', SNAPSHOTS, 12_000],
  ['snapshotDurable', SNAPSHOTS, 12_000],
] as const) {
  test(`power loss when a write is ${moment}, at each of ${times}`, { timeout: 30_000 }, async () => {
    let struck = 0;
    for (let count = 1; count <= times; count++) if (await loseAt(moment, count, faultsMs)) struck += 1;
    expect(struck).toBeGreaterThan(times / 2);
  });
}
