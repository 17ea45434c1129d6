/** An orderly stop under load. */
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { Millrace } from '@millrace/client';
import { expect, test } from 'vitest';
import { ClusterProcesses } from '../cluster/cluster-processes.ts';

test('SIGTERM under load ends with 0 and the clean-shutdown marker, and nothing is lost or refused', async () => {
  await using cluster = await ClusterProcesses.start();
  await cluster.command('topic', 'create', 'orders', '-p', '6', '-r', '3');
  await using millrace = new Millrace({ bootstrap: cluster.bootstrap.split(',') });
  const acknowledged = new Set<string>();
  let running = true;
  const producing = (async () => {
    await using producer = millrace.producer();
    const sends: Promise<unknown>[] = [];
    for (let number = 0; running; number++) {
      const value = `order ${number}`;
      sends.push(producer.send({ topic: 'orders', value }).then(() => acknowledged.add(value)));
      if (number % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await Promise.all(sends);
  })();
  const untilMore = async (more: number): Promise<void> => {
    const target = acknowledged.size + more;
    await expect.poll(() => acknowledged.size, { timeout: 30_000 }).toBeGreaterThan(target);
  };
  for (const node of cluster.nodes) {
    await untilMore(2000);
    expect(await node.end('SIGTERM')).toBe(0);
    await access(join(node.dataFolder, '.kafka_cleanshutdown'));
    await untilMore(2000);
    await node.start();
    await expect
      .poll(async () => (await cluster.command('cluster', 'health')).exitCode, {
        timeout: 30_000,
        interval: 300,
      })
      .toBe(0);
  }
  running = false;
  await producing;
  const { stdout } = await cluster.command('consume', 'orders', '--from-beginning', '--exit-at-end');
  expect(stdout.trim().split('\n').sort()).toEqual([...acknowledged].sort());
});
