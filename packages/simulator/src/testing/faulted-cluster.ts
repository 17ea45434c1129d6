/** A small cluster under every fault that the kernel and the network have, then healed: the soak of this package's own parts. */
import { sleep } from '@millrace/core';
import { NetworkFaults } from '../network/network-faults.ts';
import { FaultPlan, type FaultPlanOptions } from '../world/fault-plan.ts';
import { ProcessFaults } from '../world/process-faults.ts';
import type { SimProcess } from '../world/sim-process.ts';
import { SmallCluster } from './small-cluster.ts';

export interface FaultedRun {
  readonly faults: string;
  readonly hash: string;
  readonly events: number;
  readonly acknowledged: number;
  readonly lives: number;
  readonly read: number;
}

/** Produces under faults until `faultsMs`, heals, then reads everything that was acknowledged. */
export async function faultedRun(
  seed: number,
  faultsMs: number,
  options: FaultPlanOptions & { readonly acks?: 'all' | 1 } = {},
): Promise<FaultedRun> {
  const cluster = new SmallCluster(seed);
  const { world } = cluster;
  const plan = FaultPlan.draw(world.streams.plan, options);
  await cluster.start();
  await cluster.client('admin', async (millrace) => {
    await millrace.admin().createTopics([{ name: 't', partitions: 3 }]);
  });
  const acknowledged = new Set<string>();
  const processes = cluster.nodes.map(({ name }) => world.process(name));
  const network = new NetworkFaults(
    cluster.network,
    plan,
    [...cluster.nodes.map(({ name }) => name), 'producer'],
    cluster.rpc,
  );
  const process = new ProcessFaults(world, plan, {
    processes,
    kill: (victim, death) => cluster.killNode(idOf(victim), death),
    restart: (victim) => cluster.startNode(idOf(victim)),
  });
  let isDone = false;
  let pending = 0;
  world.process('producer').start(async (life) => {
    const producer = cluster
      .millrace(life)
      .producer(options.acks === 1 ? { acks: 1, idempotence: false } : { acks: 'all' });
    for (let i = 0; !isDone; i++) {
      await sleep(life.clock, 20);
      pending += 1;
      const settled = (): void => void pending--;
      producer
        .send({ topic: 't', value: `${i}` })
        .then(
          () => acknowledged.add(`${i}`),
          () => {},
        )
        .finally(settled);
    }
  });
  network.start();
  process.start();
  await world.run(world.nowMs + faultsMs);
  network.heal();
  process.heal();
  isDone = true;
  await world.run(() => pending === 0, 180_000);
  const read = await cluster.client('reader', async (millrace, clock) => {
    const consumer = millrace.consumer();
    consumer.assign([0, 1, 2].map((partition) => ({ topic: 't', partition })));
    consumer.seekToBeginning();
    const missing = new Set(acknowledged);
    let count = 0;
    const endMs = clock.nowMs() + 60_000;
    while (missing.size > 0 && clock.nowMs() < endMs) {
      for (const { value } of await consumer.poll({ timeoutMs: 1_000 })) {
        missing.delete(String(value));
        count += 1;
      }
    }
    if (missing.size > 0) world.fail(`${missing.size} acknowledged records are lost`);
    return count;
  });
  const lives = processes.reduce((sum, { lives: count }) => sum + count, 0);
  return {
    faults: plan.toString(),
    hash: world.trace.hash,
    events: world.eventCount,
    acknowledged: acknowledged.size,
    lives,
    read,
  };
}

function idOf({ name }: SimProcess): number {
  return Number(name.slice('node-'.length));
}
