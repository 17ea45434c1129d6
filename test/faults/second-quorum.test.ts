/** The disk of the node that formed the quorum alone is lost, and it starts again as it did at first. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Millrace } from '@millrace/client';
import { expect, onTestFinished, test } from 'vitest';
import { freePorts, NodeProcess, runCommand } from '../cluster/cluster-processes.ts';

const TOPIC = 'kept';
const RECORDS = 200;
/** Only the new quorum would have it. */
const FOREIGN = 'foreign';

test('it ends with what to do, the others lose nothing, and with an empty directory it joins them', async () => {
  const folder = await mkdtemp(join(process.env.MILLRACE_TEST_FOLDER ?? tmpdir(), 'millrace-second-'));
  const ports = await freePorts(3);
  const bootstrap = ports.map((port) => `127.0.0.1:${port}`).join(',');
  const node = (id: number, quorum: Readonly<Record<string, string>>): NodeProcess => {
    const port = ports[id - 1]!;
    return new NodeProcess(id, port, join(folder, `node-${id}`), {
      'node.id': String(id),
      listeners: `GRPC://127.0.0.1:${port}`,
      'min.insync.replicas': '2',
      ...quorum,
    });
  };
  const joining = { 'controller.quorum.bootstrap.servers': bootstrap };
  const first = node(1, { 'controller.quorum.voters': `1@127.0.0.1:${ports[0]}` });
  const others = [node(2, joining), node(3, joining)];
  const replacement = node(1, joining);
  onTestFinished(async () => {
    await Promise.all([first, replacement, ...others].map((process) => process.end('SIGKILL')));
    if (process.env.MILLRACE_TEST_FOLDER === undefined) await rm(folder, { recursive: true, force: true });
  });
  const millrace = async (servers: string, ...args: readonly string[]): Promise<string> => {
    const result = await runCommand(['--bootstrap-server', servers, ...args]);
    if (result.exitCode !== 0) throw new Error(`millrace ${args.join(' ')}: ${result.stderr}`);
    return result.stdout;
  };

  await first.start();
  await Promise.all(others.map((other) => other.start()));
  const client = new Millrace({ bootstrap });
  onTestFinished(() => client.close());
  await client.admin().createTopic({ name: TOPIC, partitions: 3, replicationFactor: 3 });
  await millrace(bootstrap, 'quorum', 'add-voter', '2');
  await millrace(bootstrap, 'quorum', 'add-voter', '3');
  const values = Array.from({ length: RECORDS }, (_, i) => `record ${i}`);
  const producer = client.producer({ acks: 'all' });
  await Promise.all(values.map((value) => producer.send({ topic: TOPIC, value })));
  await producer.close();

  // While the others are not heard it forms a quorum and serves.
  await first.end('SIGKILL');
  await rm(first.dataFolder, { recursive: true });
  for (const other of others) other.kill('SIGSTOP');
  await first.start();
  const alone = new Millrace({ bootstrap: `127.0.0.1:${first.port}` });
  await alone.admin().createTopic({ name: FOREIGN, partitions: 1, replicationFactor: 1 });
  await alone.close();
  for (const other of others) other.kill('SIGCONT');
  await expect.poll(() => first.isRunning, { timeout: 20_000 }).toBe(false);
  expect(await first.end('SIGTERM')).toBe(1);
  const log = await readFile(first.logFile, 'utf8');
  expect(log).toContain('INCONSISTENT_CLUSTER_ID');
  expect(log).toMatch(
    /empty it, set controller\.quorum\.bootstrap\.servers in place of controller\.quorum\.voters/,
  );

  const consumer = client.consumer({ autoOffsetReset: 'earliest' });
  await consumer.assignTopics([TOPIC]);
  const found = new Set<string>();
  while (found.size < RECORDS) {
    for (const { value } of await consumer.poll({ timeoutMs: 1_000 })) found.add(String(value));
  }
  await consumer.close();
  expect(found).toEqual(new Set(values));
  expect(await client.admin().listTopics()).toEqual([TOPIC]);

  await rm(first.dataFolder, { recursive: true });
  await replacement.start();
  const quorum = JSON.parse(await millrace(bootstrap, '-o', 'json', 'quorum', 'status')) as {
    readonly currentObservers: readonly { readonly id: number }[];
  };
  expect(quorum.currentObservers.map(({ id }) => id)).toEqual([1]);
  // All of them name one quorum, which the broker of the lost disk has learned, too.
  const named = await Promise.all(
    [replacement, ...others].map(async ({ dataFolder }) => {
      const text = await readFile(join(dataFolder, 'meta.properties'), 'utf8');
      return /^quorum\.id=(.{22})$/m.exec(text)?.[1];
    }),
  );
  expect(new Set(named).size).toBe(1);
  expect(named[0]).toBeDefined();
});
