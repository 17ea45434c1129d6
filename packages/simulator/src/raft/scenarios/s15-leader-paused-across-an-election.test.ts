/**
 * S15 (etcd 20418): a leader stops, as by SIGSTOP, for longer and shorter than an election takes; the others elect and
 * commit; it goes on and is read from at once. It must refuse, or tell what is committed.
 */
import { MillraceError } from '@millrace/core';
import { expect, test } from 'vitest';
import type { QuorumMember } from '../quorum-member.ts';
import { QuorumSimulation } from '../quorum-simulation.ts';
import { encodeWrite } from '../register-machine.ts';

async function readAfterPause(pauseMs: number): Promise<'refused' | number> {
  const simulation = new QuorumSimulation(pauseMs, { only: [], voters: 3 });
  const { world, members } = simulation;
  const leading = (): QuorumMember | undefined =>
    members.find(({ quorum, process }) => !process.isPaused && quorum?.isLeader() === true);
  for (const member of members) member.start();
  await world.run(() => leading() !== undefined, 10_000);
  const old = leading()!;
  await world.settle(old.propose(encodeWrite({ register: 0, value: 1 })));
  await world.run(world.nowMs + 100);

  old.process.pause();
  const resumeAtMs = world.nowMs + pauseMs;
  await world.run(() => leading() !== undefined || world.nowMs >= resumeAtMs - 20);
  const next = leading();
  if (next !== undefined) await world.settle(next.propose(encodeWrite({ register: 0, value: 2 })));
  await world.run(Math.max(world.nowMs, resumeAtMs));

  old.process.resume();
  // Begins before anything that came in meanwhile is looked at.
  const read = old.read(0).catch((error: unknown) => {
    expect(error).toBeInstanceOf(MillraceError);
    return 'refused' as const;
  });
  const answer = await world.settle(read);
  if (next !== undefined && answer !== 'refused') expect(answer).toBe(2);
  return answer;
}

test('a leader that was stopped serves no stale read, however long it was', { timeout: 30_000 }, async () => {
  const answers = new Set<'refused' | number>();
  for (let pauseMs = 100; pauseMs <= 3_000; pauseMs += 50) answers.add(await readAfterPause(pauseMs));
  // Short stops cost nothing; long ones cost the lead.
  expect(answers).toContain(1);
  expect(answers).toContain('refused');
});
