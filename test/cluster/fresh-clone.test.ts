/** What the README promises of `npm start`: it is the only command that a fresh clone needs. */
import { execFile, execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { freeRange } from './cluster-processes.ts';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const MINUTE_MS = 60_000;

interface Started {
  readonly output: () => string;
  /** Ctrl-C in its terminal: every process in the foreground hears it. */
  interrupt(): Promise<void>;
}

async function npmStart(clone: string, port: number): Promise<Started> {
  const child = spawn('npm', ['start', '--', '--port', String(port), '--kafka-port', String(port + 3)], {
    cwd: clone,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
  }
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const interrupt = async (): Promise<void> => {
    process.kill(-child.pid!, 'SIGINT');
    await ended;
  };
  const limit = { timeout: 6 * MINUTE_MS, interval: 200 };
  try {
    await expect.poll(() => text + (child.exitCode ?? ''), limit).toContain('3 nodes are up');
  } catch (error) {
    if (child.exitCode === null) await interrupt();
    throw new Error(text, { cause: error });
  }
  return { output: () => text, interrupt };
}

test(
  'npm start is the only command on a fresh clone, and the second time installs and builds nothing',
  async ({ skip }) => {
    if (!existsSync(join(root, '.git'))) skip('there is no repository to clone');
    const folder = await mkdtemp(join(tmpdir(), 'millrace-clone-'));
    const clone = join(folder, 'millrace');
    try {
      execFileSync('git', ['clone', '--quiet', '--depth', '1', `file://${root}`, clone]);
      const port = await freeRange(6);
      const millrace = async (...args: string[]): Promise<string> => {
        const command = ['millrace', '--bootstrap-server', `localhost:${port}`, ...args];
        return (await promisify(execFile)('npx', command, { cwd: clone })).stdout;
      };

      const first = await npmStart(clone, port);
      expect(first.output()).toContain('installing dependencies ...');
      expect(first.output()).toContain('building ...');
      await millrace('topic', 'create', 'greetings', '--partitions', '3', '--replication-factor', '3');
      await first.interrupt();

      const second = await npmStart(clone, port);
      expect(second.output()).not.toMatch(/installing|building/);
      expect(await millrace('topic', 'list', '-o', 'name')).toBe('greetings\n');
      await second.interrupt();
    } finally {
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    }
  },
  15 * MINUTE_MS,
);
