import type { Millrace } from '@millrace/client';
import { expect, test, vi } from 'vitest';
import { SmallCluster } from '../testing/small-cluster.ts';

async function produceAndConsume(millrace: Millrace): Promise<string[]> {
  await millrace.admin().createTopics([{ name: 'orders', partitions: 3 }]);
  const producer = millrace.producer({ acks: 'all' });
  await Promise.all(
    Array.from({ length: 100 }, (_, i) =>
      producer.send({ topic: 'orders', partition: i % 3, value: `${i}` }),
    ),
  );
  const consumer = millrace.consumer();
  consumer.assign([0, 1, 2].map((partition) => ({ topic: 'orders', partition })));
  consumer.seekToBeginning();
  const values: string[] = [];
  while (values.length < 100) for (const { value } of await consumer.poll()) values.push(String(value));
  return values;
}

async function run(seed: number): Promise<{ hash: string; events: number; atMs: number; values: string[] }> {
  const cluster = new SmallCluster(seed);
  await cluster.start();
  const values = await cluster.client('client', produceAndConsume);
  const { world } = cluster;
  await world.run(world.nowMs + 5_000);
  return { hash: world.trace.hash, events: world.eventCount, atMs: world.nowMs, values };
}

test('three whole nodes and the SDK live a seed twice the same way, without real time, chance or sockets', async () => {
  const real = [vi.spyOn(globalThis, 'setTimeout'), vi.spyOn(Date, 'now'), vi.spyOn(Math, 'random')];
  const first = await run(11);
  const calls = real.map((spy) => spy.mock.calls.length);
  for (const spy of real) spy.mockRestore();
  expect(calls).toEqual([0, 0, 0]);
  expect(first.values.map(Number).toSorted((a, b) => a - b)).toEqual(
    Array.from({ length: 100 }, (_, i) => i),
  );
  expect(await run(11)).toEqual(first);
  expect((await run(12)).hash).not.toBe(first.hash);
});
