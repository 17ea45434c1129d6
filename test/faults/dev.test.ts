/** `millrace dev` as people use it: three processes, Ctrl-C once and twice, and ends that nobody planned. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { freeRange, listens, MILLRACE_BIN, runCommand } from '../cluster/cluster-processes.ts';

const NODES = 3;
const QUICK = { timeout: 20_000, interval: 100 };

let folder: string;
let firstPort: number;
const started: Dev[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-dev-'));
  firstPort = await freeRange(2 * NODES);
});
afterEach(async () => {
  for (const dev of started.splice(0)) dev.kill('SIGKILL');
  await untilPortsAreFree();
  await rm(folder, { recursive: true });
});

class Dev {
  readonly #child: ChildProcess;
  readonly ended: Promise<number | NodeJS.Signals>;
  stderr = '';

  constructor(...flags: string[]) {
    const ports = ['--port', String(firstPort), '--kafka-port', String(firstPort + NODES)];
    const settings = [...ports, '--data-dir', folder, ...flags];
    this.#child = spawn(process.execPath, [MILLRACE_BIN, 'dev', ...settings], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#child.stderr!.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString();
    });
    this.ended = new Promise((resolve) =>
      this.#child.once('exit', (code, signal) => resolve(code ?? signal!)),
    );
    started.push(this);
  }

  async up(): Promise<this> {
    await expect.poll(() => this.stderr, QUICK).toContain(`${NODES} nodes are up: localhost:${firstPort}, `);
    return this;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Process ids of the nodes. */
  get nodes(): number[] {
    const text = execFileSync('ps', ['-o', 'pid=', '--ppid', String(this.#child.pid)], { encoding: 'utf8' });
    return text.trim().split(/\s+/).map(Number);
  }
}

async function untilPortsAreFree(): Promise<void> {
  const ports = Array.from({ length: 2 * NODES }, (_, index) => firstPort + index);
  await expect.poll(async () => (await Promise.all(ports.map(listens))).includes(true), QUICK).toBe(false);
}

const millrace = (args: readonly string[], input?: string) =>
  runCommand(['--bootstrap-server', `localhost:${firstPort}`, ...args], input);

const READ = ['consume', 'greetings', '--from-beginning', '--exit-at-end'];

test('three processes keep their data between runs, Ctrl-C ends them in order, --reset begins anew', async () => {
  const first = await new Dev().up();
  expect((await millrace(['topic', 'create', 'greetings', '-p', '3', '-r', '3'])).exitCode).toBe(0);
  expect((await millrace(['produce', 'greetings'], 'hello, world\n')).exitCode).toBe(0);
  first.kill('SIGINT');
  expect(await first.ended).toBe(0);
  expect(first.stderr).toMatch(/Stopping \.\.\.\n$/);
  await untilPortsAreFree();

  const second = await new Dev().up();
  expect(await millrace(READ)).toMatchObject({ exitCode: 0, stdout: 'hello, world\n' });
  second.kill('SIGTERM');
  expect(await second.ended).toBe(0);

  await new Dev('--reset').up();
  expect(await millrace(['topic', 'list', '-o', 'name'])).toMatchObject({ exitCode: 0, stdout: '' });
});

test('a second Ctrl-C ends everything at once', async () => {
  const dev = await new Dev().up();
  dev.kill('SIGINT');
  await expect.poll(() => dev.stderr, QUICK).toContain('Stopping ...');
  dev.kill('SIGINT');
  // In order, if it happened to be through by then.
  expect([130, 0]).toContain(await dev.ended);
  await untilPortsAreFree();
});

test('nodes end in order when what started them is killed', async () => {
  const dev = await new Dev().up();
  await millrace(['topic', 'create', 'greetings', '-r', '3']);
  await millrace(['produce', 'greetings'], 'hello, world\n');
  dev.kill('SIGKILL');
  expect(await dev.ended).toBe('SIGKILL');
  await untilPortsAreFree();
  await new Dev().up();
  expect(await millrace(READ)).toMatchObject({ exitCode: 0, stdout: 'hello, world\n' });
});

test('a node that is killed is started again, and takes part again', async () => {
  const dev = await new Dev().up();
  const [victim] = dev.nodes;
  process.kill(victim!, 'SIGKILL');
  await expect.poll(() => dev.stderr, QUICK).toMatch(/node \d \| was ended by SIGKILL; starting it again/);
  await expect
    .poll(async () => (await millrace(['health', '--all'])).exitCode, { ...QUICK, timeout: 30_000 })
    .toBe(0);
  expect(dev.nodes).toHaveLength(NODES);
  expect(dev.nodes).not.toContain(victim);
});

test('a client that is cut off is told of, without the log of the nodes', async () => {
  const dev = await new Dev().up();
  const client = connect(firstPort + NODES, '127.0.0.1');
  client.on('error', () => {});
  client.end('GET / HTTP/1.1\r\n\r\n');
  await expect.poll(() => dev.stderr, QUICK).toMatch(/node 1 \| warn cut off a Kafka connection: /);
  client.destroy();
});

test('a port that is taken ends it with what was wrong', async () => {
  const taken = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => taken.listen(firstPort + 1, '127.0.0.1', resolve));
  const dev = new Dev();
  expect(await dev.ended).toBe(5);
  expect(dev.stderr).toContain(`node 2 | error: ADDRESS_IN_USE: cannot listen on localhost:${firstPort + 1}`);
  expect(dev.stderr).toContain('npm start with --port and --kafka-port');
  await new Promise((resolve) => taken.close(resolve));
});
