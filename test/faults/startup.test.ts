/** Starting is not a point of no return: whoever starts can be stopped, and a start that fails leaves nothing behind. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { startCluster } from '@millrace/server';
import { expect, test } from 'vitest';
import {
  ClusterProcesses,
  freePorts,
  freeRange,
  listens,
  NodeProcess,
} from '../cluster/cluster-processes.ts';

test('SIGTERM ends a node that waits for a quorum which never comes', async () => {
  const [port, absent] = await freePorts(2);
  await using cluster = await ClusterProcesses.start({ nodes: 1 });
  const lonely = new NodeProcess(1, port!, join(cluster.node(1).folder, 'lonely'), {
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${port},2@127.0.0.1:${absent}`,
    listeners: `GRPC://127.0.0.1:${port}`,
  });
  const started = lonely.start().then(
    () => 'started',
    () => 'ended',
  );
  await expect.poll(() => listens(port!), { timeout: 10_000 }).toBe(true);
  expect(await lonely.end('SIGTERM')).toBe(0);
  expect(await started).toBe('ended');
});

test('an embedded cluster that cannot start closes what it opened', async () => {
  const first = await freeRange(3);
  const taken = createServer().listen(first + 1, '127.0.0.1');
  await once(taken, 'listening');
  await expect(startCluster({ nodes: 3, firstPort: first })).rejects.toMatchObject({
    code: 'ADDRESS_IN_USE',
  });
  expect(await listens(first)).toBe(false);
  expect(await listens(first + 2)).toBe(false);
  await new Promise((resolve) => taken.close(resolve));
});
