import { expect, test, vi } from 'vitest';
import { simulatePartition } from './simulate-partition.ts';

// Virtual time costs little, but the machine may be busy.
vi.setConfig({ testTimeout: 60_000 });

test.each([1, 2, 3, 4, 5, 6])(
  'seed %i keeps every promise about partitions, twice the same way',
  async (seed) => {
    const first = await simulatePartition(seed);
    expect(await simulatePartition(seed)).toEqual(first);
  },
);

test('without faults everything that is sent with acks=all is acknowledged and nothing is lost', async () => {
  const outcome = await simulatePartition(7, { only: [] });
  expect(outcome).toMatchObject({ losses: 0 });
  expect(outcome.acknowledged).toBeGreaterThan(100);
});
