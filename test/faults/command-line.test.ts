/** The command in a real process: signals, pipes whose reader goes away, nodes that are gone. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ClusterProcesses, freePorts, MILLRACE_BIN, runCommand } from '../cluster/cluster-processes.ts';

const LIMIT = { timeout: 20_000, interval: 50 };

let cluster: ClusterProcesses;
beforeAll(async () => {
  cluster = await ClusterProcesses.start({ nodes: 1 });
  await cluster.command('topic', 'create', 'lines', '-r', '1');
  const text = Array.from({ length: 50_000 }, (_, number) => `line ${number}\n`).join('');
  await runCommand(['--bootstrap-server', cluster.bootstrap, 'produce', 'lines'], text);
});
afterAll(() => cluster.close());

/** A command that goes on until it is told to stop. */
function start(...args: string[]) {
  const child = spawn(process.execPath, [MILLRACE_BIN, '--bootstrap-server', cluster.bootstrap, ...args]);
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => {
    output.stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    output.stderr += chunk.toString();
  });
  const exit = once(child, 'exit').then(([code, signal]: unknown[]) => code ?? signal);
  return { child, output, exit };
}

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s ends consume with exit code %i and no message', async (signal, code) => {
  const { child, output, exit } = start('consume', 'lines', '--from-beginning');
  await expect.poll(() => output.stdout, LIMIT).toContain('line 49999\n');
  child.kill(signal);
  expect(await exit).toBe(code);
  expect(output.stderr).toBe('');
});

test('Ctrl-C ends produce with exit code 130 once what was read is acknowledged', async () => {
  await cluster.command('topic', 'create', 'typed', '-r', '1');
  const { child, output, exit } = start('produce', 'typed');
  child.stdin.write('one\ntwo\nunfinish');
  await expect
    .poll(async () => (await cluster.command('topic', 'offsets', 'typed', '-o', 'name')).stdout, LIMIT)
    .toBe('typed:0:2\n');
  child.kill('SIGINT');
  expect(await exit).toBe(130);
  expect(output.stderr).toMatch(/^2 of 2 lines \(6 B\) acknowledged/);
});

test('Ctrl-C says what produce waits for when nobody acknowledges; a second one ends it at once', async () => {
  await using lonely = await ClusterProcesses.start({ nodes: 1 });
  await lonely.command('topic', 'create', 'typed', '-r', '1');
  const { child, output, exit } = start('--bootstrap-server', lonely.bootstrap, 'produce', 'typed');
  child.stdin.write('one\n');
  await expect
    .poll(async () => (await lonely.command('topic', 'offsets', 'typed', '-o', 'name')).stdout, LIMIT)
    .toBe('typed:0:1\n');
  await lonely.node(1).end('SIGKILL');
  // More than a pipe holds: once it is written, most of it was read.
  const lines = `${'x'.repeat(999)}\n`.repeat(1000);
  await new Promise<void>((resolve) => void child.stdin.write(lines, () => resolve()));
  const startMs = performance.now();
  child.kill('SIGINT');
  await expect.poll(() => output.stderr, LIMIT).toMatch(/^Interrupted: waiting for [\d,]+ of [\d,]+ lines/);
  child.kill('SIGINT');
  expect(await exit).toBe(130);
  expect(performance.now() - startMs).toBeLessThan(10_000);
});

test('a cluster that is not there is waited for aloud, then told', async () => {
  const [absent] = await freePorts(1);
  const run = await runCommand([
    '--bootstrap-server',
    `127.0.0.1:${absent}`,
    '--timeout',
    '4s',
    'topic',
    'list',
  ]);
  expect(run).toMatchObject({ exitCode: 3, stdout: '' });
  const [waiting, ...error] = run.stderr.split('\n');
  expect(waiting).toBe(`Waiting for an answer from 127.0.0.1:${absent}, up to 4 s (--timeout).`);
  expect(error.join('\n')).toMatch(/^error/i);
});

test('a reader that has enough ends consume quietly', async () => {
  const { child, output, exit } = start('consume', 'lines', '--from-beginning');
  await once(child.stdout, 'data');
  child.stdout.destroy();
  expect(await exit).toBe(0);
  expect(output.stderr).toBe('');
});

test('a node says that it serves, one that is gone that it does not answer', async () => {
  const [absent] = await freePorts(1);
  const both = `${cluster.bootstrap},127.0.0.1:${absent}`;
  expect(await runCommand(['--bootstrap-server', cluster.bootstrap, 'health'])).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(/^healthy\nNODE +STATUS\n127\.0\.0\.1:\d+ +SERVING\n$/),
  });
  const { exitCode, stdout } = await runCommand(['--bootstrap-server', both, 'health', '-o', 'json']);
  expect(exitCode).toBe(7);
  expect(JSON.parse(stdout)).toMatchObject({
    healthy: false,
    nodes: [{ status: 'SERVING' }, { node: `127.0.0.1:${absent}`, status: 'UNREACHABLE' }],
  });
});

test('a limit that is too short is told in words, with exit code 3', async () => {
  const run = await cluster.command('topic', 'list', '--timeout', '1ms');
  expect(run.exitCode).toBe(3);
  expect(run.stderr).not.toMatch(/name resolution|Deadline exceeded|grpc/i);
});
