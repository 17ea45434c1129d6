/** A node that is not who it should be is refused, and says why. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ClusterProcesses, freePorts, NodeProcess, runCommand } from '../cluster/cluster-processes.ts';

async function refusal(node: NodeProcess): Promise<string> {
  const error = await node.start().then(
    () => new Error('it started'),
    (reason: unknown) => reason as Error,
  );
  return error.message;
}

test('a second process on the same data directory is refused, and the first goes on', async () => {
  await using cluster = await ClusterProcesses.start({ nodes: 1 });
  const [port] = await freePorts(1);
  const second = new NodeProcess(1, port!, cluster.node(1).folder, {
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${port}`,
    listeners: `GRPC://127.0.0.1:${port}`,
  });
  expect(await refusal(second)).toMatch(/DIRECTORY_LOCKED|Another process uses/);
  expect((await cluster.command('cluster', 'health')).exitCode).toBe(0);
});

test('a directory whose process was killed is taken over at once', async () => {
  await using cluster = await ClusterProcesses.start({ nodes: 1 });
  await cluster.node(1).end('SIGKILL');
  await cluster.node(1).start();
  expect((await cluster.command('cluster', 'info')).exitCode).toBe(0);
});

test('a node whose directory belongs to another cluster is refused', async () => {
  await using cluster = await ClusterProcesses.start({ nodes: 1 });
  await cluster.node(1).end('SIGTERM');
  const file = join(cluster.node(1).dataFolder, 'meta.properties');
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replace(/cluster\.id=.*/, 'cluster.id=YW5vdGhlci1jbHVzdGVyLQ'));
  expect(await refusal(cluster.node(1))).toMatch(/cluster/i);
});

test('a broker with the id of a live one is refused, and the live one goes on', async () => {
  await using cluster = await ClusterProcesses.start({
    nodes: 1,
    properties: { 'initial.broker.registration.timeout.ms': '3000' },
  });
  const [port] = await freePorts(1);
  const twin = new NodeProcess(2, port!, join(cluster.node(1).folder, '..', 'twin'), {
    'node.id': '2',
    'process.roles': 'broker',
    'controller.quorum.voters': `1@127.0.0.1:${cluster.node(1).port}`,
    listeners: `GRPC://127.0.0.1:${port}`,
    'initial.broker.registration.timeout.ms': '3000',
  });
  await twin.start();
  const [otherPort] = await freePorts(1);
  const impostor = new NodeProcess(2, otherPort!, join(cluster.node(1).folder, '..', 'impostor'), {
    'node.id': '2',
    'process.roles': 'broker',
    'controller.quorum.voters': `1@127.0.0.1:${cluster.node(1).port}`,
    listeners: `GRPC://127.0.0.1:${otherPort}`,
    'initial.broker.registration.timeout.ms': '3000',
  });
  expect(await refusal(impostor)).toMatch(/DUPLICATE_BROKER_REGISTRATION|node\.id/);
  expect((await cluster.command('cluster', 'health')).exitCode).toBe(0);
  await twin.end('SIGTERM');
});

test('a directory that was never formatted is not formatted by a start without a cluster id', async () => {
  await using cluster = await ClusterProcesses.start({ nodes: 1 });
  const folder = join(cluster.node(1).folder, 'unformatted');
  const [port] = await freePorts(1);
  const result = await runCommand([
    'server',
    ...['-X', 'node.id=1', '-X', `controller.quorum.voters=1@127.0.0.1:${port}`],
    ...['-X', `listeners=GRPC://127.0.0.1:${port}`, '-X', `log.dirs=${folder}`],
  ]);
  expect(result.exitCode).toBe(1);
  expect(result.stdout + result.stderr).toMatch(/not formatted.*storage format/s);
});

test('a wiped node comes back as a new directory and is filled again', async () => {
  await using cluster = await ClusterProcesses.start();
  expect((await cluster.command('topic', 'create', 'kept', '-p', '3', '-r', '3')).exitCode).toBe(0);
  const produced = await runCommand(
    ['--bootstrap-server', cluster.bootstrap, 'produce', 'kept'],
    Array.from({ length: 1000 }, (_, number) => `line ${number}\n`).join(''),
  );
  expect(produced.exitCode).toBe(0);
  await cluster.node(3).end('SIGKILL');
  await rm(cluster.node(3).dataFolder, { recursive: true });
  await cluster.node(3).start();
  await expect
    .poll(async () => (await cluster.command('cluster', 'health')).exitCode, {
      timeout: 30_000,
      interval: 500,
    })
    .toBe(0);
  const lines = await cluster.command('consume', 'kept', '--from-beginning', '--exit-at-end');
  expect(lines.stdout.trim().split('\n').length).toBe(1000);
});

test('wrong settings are named all at once', async () => {
  const result = await runCommand([
    'server',
    '-X',
    'node.id=x',
    '-X',
    'listeners=nonsense',
    '-X',
    'no.such.key=1',
  ]);
  expect(result.exitCode).not.toBe(0);
  expect(result.stderr).toMatch(/node\.id=x must be/);
  expect(result.stderr).toMatch(/no\.such\.key/);
});
