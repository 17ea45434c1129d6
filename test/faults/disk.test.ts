/** Disks that fill up, and files that are cut, emptied and flipped while a node is down. */
import { execFileSync } from 'node:child_process';
import { mkdir, open, readdir, stat, truncate, writeFile } from 'node:fs/promises';
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

test('a full disk takes replicas offline, loses nothing acknowledged, and the cluster goes on', async ({
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
    const { stdout } = await cluster.command(
      'consume',
      TOPIC,
      '--from-beginning',
      '--exit-at-end',
      '-f',
      '%k\\n',
    );
    expect(stdout.trim().split('\n').sort()).toEqual([...acknowledged].sort());
    expect(cluster.node(1).pid).toBeGreaterThan(0);
  } finally {
    await cluster.node(1).end('SIGKILL');
    execFileSync('umount', ['-l', small]);
  }
});
