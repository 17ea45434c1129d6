/** S48, of the quorum: the wall clock of every controller jumps an hour ahead or back, one after the other. Nothing may change. */
import { expect, test } from 'vitest';
import type { QuorumMember } from '../quorum-member.ts';
import { QuorumSimulation } from '../quorum-simulation.ts';
import { encodeWrite } from '../register-machine.ts';

const HOUR_MS = 3_600_000;

test.each([HOUR_MS, -HOUR_MS])(
  'a jump of %i ms on each controller in turn deposes nobody',
  async (jumpMs) => {
    const { world, members } = new QuorumSimulation(1, { only: [], voters: 3 });
    const leading = (): QuorumMember | undefined => members.find(({ quorum }) => quorum?.isLeader() === true);
    for (const member of members) member.start();
    await world.run(() => leading() !== undefined, 10_000);
    const leader = leading()!;
    const { term } = leader.quorum!.position();
    for (const [i, member] of members.entries()) {
      member.process.hardwareClock.wallOffsetMs += jumpMs;
      await world.run(world.nowMs + 2_000);
      await world.settle(leader.propose(encodeWrite({ register: 0, value: i + 1 })));
      expect(await world.settle(leader.read(0))).toBe(i + 1);
    }
    expect(leading()).toBe(leader);
    expect(leader.quorum!.position().term).toBe(term);
  },
);
