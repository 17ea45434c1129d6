/** What prepares a data directory: what it writes, and what it refuses before it touches anything. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runCommand } from '../testing/run-command.ts';
import { serverCommand } from './server-command.ts';
import { storageCommand } from './storage-command.ts';

const CLUSTER_ID = 'c3RvcmFnZS1jb21tYW5kLQ';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-storage-'));
});
afterEach(() => rm(folder, { recursive: true }));

function settings(data: string): string[] {
  return Object.entries({
    'node.id': '1',
    'log.dirs': data,
    listeners: 'GRPC://127.0.0.1:0',
    'controller.quorum.voters': '1@127.0.0.1:1',
  }).flatMap(([key, value]) => ['-X', `${key}=${value}`]);
}

const format = (data: string, clusterId: string, ...flags: string[]) =>
  runCommand([storageCommand], ['storage', 'format', '--cluster-id', clusterId, ...settings(data), ...flags]);

test('random-uuid prints another id each time, one that format takes', async () => {
  const first = await runCommand([storageCommand], ['storage', 'random-uuid']);
  expect(first).toMatchObject({ code: 0, stderr: '' });
  expect(first.stdout).toMatch(/^[A-Za-z0-9_][A-Za-z0-9_-]{21}\n$/);
  const second = await runCommand([storageCommand], ['storage', 'random-uuid', '-o', 'json']);
  const { id } = JSON.parse(second.stdout) as { id: string };
  expect(id).not.toBe(first.stdout.trim());
  expect((await format(join(folder, 'data'), id)).code).toBe(0);
});

test('a directory is formatted once; again only with --ignore-formatted, which changes nothing', async () => {
  const data = join(folder, 'data');
  expect(await format(data, CLUSTER_ID)).toMatchObject({
    code: 0,
    stdout: `Formatted ${data} for node 1 of cluster ${CLUSTER_ID}.\n`,
  });
  const identity = await readFile(join(data, 'meta.properties'), 'utf8');

  const again = await format(data, CLUSTER_ID);
  expect(again.code).toBe(5);
  expect(again.stderr).toContain(`${data} is formatted already`);

  const ignored = await format(data, CLUSTER_ID, '--ignore-formatted');
  expect(ignored).toMatchObject({ code: 0, stdout: '', stderr: `${data} is formatted already.\n` });
  expect(await readFile(join(data, 'meta.properties'), 'utf8')).toBe(identity);
});

test('--ignore-formatted refuses a directory of another cluster or node', async () => {
  const data = join(folder, 'data');
  await format(data, CLUSTER_ID);
  const other = await format(data, 'YW5vdGhlci1jbHVzdGVyLQ', '--ignore-formatted');
  expect(other.code).toBe(5);
  expect(other.stderr).toContain(`belongs to node 1 of cluster ${CLUSTER_ID}`);
  const twin = await format(
    data,
    CLUSTER_ID,
    '--ignore-formatted',
    '-X',
    'node.id=2',
    '-X',
    'process.roles=broker',
  );
  expect(twin.code).toBe(5);
});

test.each(['bad!', 'short', `${CLUSTER_ID}x`, 'c3RvcmFnZS1jb21tYW5kLQ=='])(
  'the cluster id %j is refused before anything is touched',
  async (clusterId) => {
    const data = join(folder, 'data');
    const formatted = await format(data, clusterId);
    expect(formatted.code).toBe(2);
    expect(formatted.stderr).toContain(`--cluster-id=${clusterId} must be 22 characters of base64url`);
    const served = await runCommand([serverCommand], ['server', ...settings(data)], {
      env: { MILLRACE_CLUSTER_ID: clusterId },
    });
    expect(served.code).toBe(1);
    expect(served.stderr).toContain(`MILLRACE_CLUSTER_ID=${clusterId} must be 22 characters of base64url`);
    expect(await readdir(folder)).toEqual([]);
  },
);

test('log.dirs that is a file, or lies below one, is named with its key', async () => {
  const file = join(folder, 'file');
  await writeFile(file, 'not a directory');
  const env = { MILLRACE_CLUSTER_ID: CLUSTER_ID };
  for (const [path, reason] of [
    [file, 'names a file, not a directory'],
    [join(file, 'below'), 'leads through a file'],
  ] as const) {
    const served = await runCommand([serverCommand], ['server', ...settings(path)], { env });
    expect(served.stderr).toContain(`INVALID_CONFIG: log.dirs=${path} ${reason}`);
    expect(served.code).toBe(1);
    const formatted = await format(path, CLUSTER_ID);
    expect(formatted.stderr).toContain(`INVALID_CONFIG: log.dirs=${path} ${reason}`);
    expect(formatted.code).toBe(1);
  }
});

test('the example in deploy is a whole configuration', async () => {
  const example = fileURLToPath(new URL('../../../../deploy/server.properties', import.meta.url));
  const data = join(folder, 'data');
  const run = await runCommand(
    [storageCommand],
    ['storage', 'format', '--cluster-id', CLUSTER_ID, '--config', example, '-X', `log.dirs=${data}`],
  );
  expect(run).toMatchObject({ code: 0, stdout: `Formatted ${data} for node 1 of cluster ${CLUSTER_ID}.\n` });
});

test('a configuration file that is not there is named', async () => {
  const run = await runCommand([serverCommand], ['server', '--config', '/nonexistent']);
  expect(run).toMatchObject({ code: 4, stderr: 'error: NOT_FOUND: there is no file /nonexistent\n' });
});

test('every command that runs or prepares nodes has a description and an example', async () => {
  for (const path of [['server'], ['storage', 'format'], ['storage', 'random-uuid']]) {
    const { stdout } = await runCommand([serverCommand, storageCommand], [...path, '--help']);
    expect(stdout).toMatch(/\n\n[A-Z][^\n]*\.\n/);
    expect(stdout).toContain(`Example:\n  millrace ${path.join(' ')}`);
  }
});
