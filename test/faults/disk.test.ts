/** Disks that fill up, and files that are cut, emptied and flipped while a node is down. */
import { execFileSync } from 'node:child_process';
import { mkdir, open, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Millrace } from '@millrace/client';
import { expect, test } from 'vitest';
import { ClusterProcesses, runCommand } from '../cluster/cluster-processes.ts';

const TOPIC = 'kept';
const LINES = 20_000;

async function produceLines(cluster: ClusterProcesses, count: number): Promise<void> {
  const text = Array.from({ length: count }, (_, number) => `line ${number} ${'x'.repeat(80)}\n`).join('');
  const { exitCode, stderr } = await runCommand(
    ['--bootstrap-server', cluster.bootstrap, 'produce', TOPIC],
    text,
  );
  expect({ exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ exitCode: 0, stderr: '' });
}

async function expectLines(cluster: ClusterProcesses, count: number): Promise<void> {
  const { exitCode, stdout, stderr } = await cluster.command(
    'consume',
    TOPIC,
    '--from-beginning',
    '--exit-at-end',
  );
  const lines = stdout.trim().split('\n');
  expect({ exitCode, stderr, lines: lines.length, distinct: new Set(lines).size }).toEqual({
    exitCode: 0,
    stderr: expect.anything(),
    lines: count,
    distinct: count,
  });
}

async function untilHealthy(cluster: ClusterProcesses): Promise<void> {
  await expect
    .poll(async () => (await cluster.command('cluster', 'health')).exitCode, {
      timeout: 60_000,
      interval: 500,
    })
    .toBe(0);
}

/** Files of the topic's partitions on a node that end with `suffix` and hold something. */
async function filesOf(cluster: ClusterProcesses, id: number, suffix: string): Promise<string[]> {
  const data = cluster.node(id).dataFolder;
  const folders = (await readdir(data)).filter((name) => name.startsWith(`${TOPIC}-`));
  const files: string[] = [];
  for (const folder of folders) {
    for (const name of await readdir(join(data, folder))) {
      const path = join(data, folder, name);
      if (name.endsWith(suffix) && (await stat(path)).size > 0) files.push(path);
    }
  }
  return files;
}

async function flipByte(path: string, position: number): Promise<void> {
  const file = await open(path, 'r+');
  try {
    const byte = Buffer.alloc(1);
    await file.read(byte, 0, 1, position);
    byte[0]! ^= 0x5a;
    await file.write(byte, 0, 1, position);
  } finally {
    await file.close();
  }
}

type Damage = (cluster: ClusterProcesses) => Promise<void>;

const everyFile = (suffix: string, spoil: (path: string, size: number) => Promise<void>): Damage => {
  return async (cluster) => {
    for (const path of await filesOf(cluster, 1, suffix)) await spoil(path, (await stat(path)).size);
  };
};

const DAMAGES: readonly (readonly [name: string, damage: Damage])[] = [
  ['an offset index cut in the middle', everyFile('.index', (path, size) => truncate(path, (size >> 1) | 1))],
  ['an offset index with a flipped byte', everyFile('.index', (path, size) => flipByte(path, size >> 1))],
  ['an emptied offset index', everyFile('.index', (path) => truncate(path, 0))],
  ['an emptied time index', everyFile('.timeindex', (path) => truncate(path, 0))],
  ['a producer snapshot of rubbish', everyFile('.snapshot', (path) => writeFile(path, 'rubbish'))],
  [
    'an epoch checkpoint of rubbish',
    everyFile('leader-epoch-checkpoint', (path) => writeFile(path, 'rubbish')),
  ],
];

test.each(DAMAGES)('%s is made anew after kill -9, and every record is read', async (_name, damage) => {
  await using cluster = await ClusterProcesses.start({ nodes: 1 });
  await cluster.command('topic', 'create', TOPIC, '-p', '2', '-r', '1');
  await produceLines(cluster, LINES);
  await cluster.node(1).end('SIGKILL');
  await damage(cluster);
  await cluster.node(1).start();
  await untilHealthy(cluster);
  await expectLines(cluster, LINES);
});

const LOG_DAMAGES: readonly (readonly [name: string, damage: Damage])[] = [
  ['a log cut in mid-batch', everyFile('.log', (path, size) => truncate(path, Math.floor(size / 3) + 7))],
  ['a log with a flipped byte', everyFile('.log', (path, size) => flipByte(path, Math.floor(size / 3)))],
];

test.each(LOG_DAMAGES)(
  '%s on one node loses nothing: the replica is repaired from the others',
  async (_name, damage) => {
    await using cluster = await ClusterProcesses.start();
    await cluster.command('topic', 'create', TOPIC, '-p', '3', '-r', '3');
    await produceLines(cluster, LINES);
    await cluster.node(1).end('SIGTERM');
    await damage(cluster);
    await cluster.node(1).start();
    await untilHealthy(cluster);
    // Whoever leads is read: the damage is found at the latest now.
    await cluster.command('partition', 'elect-leader', '--all');
    await expectLines(cluster, LINES);
    await untilHealthy(cluster);
    await cluster.node(2).end('SIGTERM');
    await expectLines(cluster, LINES);
  },
);

async function expectKeys(cluster: ClusterProcesses, keys: ReadonlySet<string>): Promise<void> {
  const { stdout } = await cluster.command('consume', TOPIC, '--from-beginning', '-e', '-f', '%k\\n');
  expect(stdout.trim().split('\n').sort()).toEqual([...keys].sort());
}

/** Entries of the metadata log that the voter lacks; undefined if it is none. */
async function lagOf(millrace: Millrace, id: number): Promise<number | undefined> {
  const { voters } = await millrace.admin().describeQuorum();
  const ends = new Map(voters.map(({ nodeId, logEndOffset }) => [nodeId, logEndOffset]));
  const end = ends.get(id);
  return end && Math.max(...ends.values()) - end;
}

/** Ids of the nodes that are in every ISR of the topic. */
async function inEveryIsr(millrace: Millrace): Promise<number[]> {
  const [topic] = await millrace.admin().describeTopics([TOPIC]);
  const isrs = topic!.partitions.map(({ isr }) => isr);
  return [1, 2, 3].filter((id) => isrs.every((isr) => isr.includes(id)));
}

test('a full disk takes replicas offline, loses nothing acknowledged, and node and cluster go on', async ({
  skip,
}) => {
  if (process.getuid?.() !== 0) skip('mounting a small disk needs root');
  await using cluster = await ClusterProcesses.start();
  const small = cluster.node(1).dataFolder;
  await cluster.node(1).end('SIGTERM');
  const kept = `${small}-kept`;
  execFileSync('mv', [small, kept]);
  await mkdir(small);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=200m', 'tmpfs', small]);
  try {
    execFileSync('cp', ['-a', `${kept}/.`, small]);
    await cluster.node(1).start();
    await cluster.command('topic', 'create', TOPIC, '-p', '3', '-r', '3', '-c', 'min.insync.replicas=2');
    await using millrace = new Millrace({ bootstrap: cluster.bootstrap.split(',') });
    await using producer = millrace.producer({ deliveryTimeoutMs: 60_000 });
    const { pid } = cluster.node(1);
    const acknowledged = new Set<string>();
    const filler = 'x'.repeat(10_000);
    const sends: Promise<unknown>[] = [];
    for (let number = 0; number < 40_000; number++) {
      const key = String(number);
      sends.push(producer.send({ topic: TOPIC, key, value: filler }).then(() => acknowledged.add(key)));
      if (number % 500 === 499) await Promise.all(sends.splice(0));
    }
    await Promise.all(sends);
    expect(acknowledged.size).toBe(40_000);
    await expectKeys(cluster, acknowledged);
    // The process is the same, it votes and it follows the metadata; its replicas are out, and it said so.
    const others = { name: 'others', partitions: 20, replicationFactor: 3 };
    await millrace.admin().createTopic(others);
    await expect.poll(() => lagOf(millrace, 1), { timeout: 20_000, interval: 200 }).toBe(0);
    expect({ isRunning: cluster.node(1).isRunning, pid: cluster.node(1).pid }).toEqual({
      isRunning: true,
      pid,
    });
    expect(await inEveryIsr(millrace)).toEqual([2, 3]);
    const log = await readFile(cluster.node(1).logFile, 'utf8');
    expect(log).toMatch(/"event":"disk_full"/);
    expect(log).toMatch(/"event":"log_offline"/);
    // Room and a restart bring everything back.
    execFileSync('mount', ['-o', 'remount,size=1500m', small]);
    expect(await cluster.node(1).end('SIGTERM')).toBe(0);
    await cluster.node(1).start();
    await untilHealthy(cluster);
    expect(await inEveryIsr(millrace)).toEqual([1, 2, 3]);
    await cluster.node(2).end('SIGTERM');
    await expectKeys(cluster, acknowledged);
  } finally {
    await cluster.node(1).end('SIGKILL');
    execFileSync('umount', ['-l', small]);
  }
});
