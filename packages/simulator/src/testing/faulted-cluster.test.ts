import { expect, test } from 'vitest';
import type { FaultClass } from '../world/fault-plan.ts';
import { SimulationFailure } from '../world/simulation-failure.ts';
import { faultedRun } from './faulted-cluster.ts';

test.each([101, 102, 103])(
  'whole nodes under faults: nothing acknowledged is lost, twice the same way (seed %i)',
  async (seed) => {
    const first = await faultedRun(seed, 20_000);
    expect(first.acknowledged).toBeGreaterThan(500);
    expect(await faultedRun(seed, 20_000)).toEqual(first);
  },
);

test('it bites: what only the leader had acknowledged is lost when leaders lose their power', async () => {
  const only: FaultClass[] = ['crash', 'partition', 'asymmetric-partition', 'delay'];
  let losses = 0;
  for (let seed = 1; seed <= 10 && losses === 0; seed++) {
    try {
      await faultedRun(seed, 30_000, { only, acks: 1 });
    } catch (failure) {
      if (!(failure instanceof SimulationFailure)) throw failure;
      expect(failure.violation).toContain('acknowledged records are lost');
      losses += 1;
    }
  }
  expect(losses).toBeGreaterThan(0);
}, 30_000);
