/** `millrace dev` before it starts anything, and in one process; as processes it is in `test/faults`. */
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Millrace } from '@millrace/client';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type CommandRun, runCommand } from '../testing/run-command.ts';
import { devCommand } from './dev-command.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-dev-'));
});
afterEach(() => rm(folder, { recursive: true }));

const dev = (...flags: string[]) =>
  runCommand([devCommand], ['dev', '--kafka-port', '0', '--data-dir', folder, ...flags]);

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

interface RunningDev {
  readonly bootstrap: string;
  stop(): Promise<CommandRun>;
}

/** One node in this process, once it says that it is up. */
async function startDev(port: number, ...flags: string[]): Promise<RunningDev> {
  const interruption = new AbortController();
  let running: Promise<CommandRun> | undefined;
  await new Promise<void>((resolve, reject) => {
    running = runCommand(
      [devCommand],
      [
        'dev',
        '--in-process',
        '--nodes',
        '1',
        '--port',
        String(port),
        '--kafka-port',
        '0',
        '--data-dir',
        folder,
        ...flags,
      ],
      {
        interrupted: interruption.signal,
        onStderr: (text) => text.includes('1 node is up') && resolve(),
      },
    );
    running.then(({ stderr }) => reject(new Error(stderr)), reject);
  });
  return {
    bootstrap: `localhost:${port}`,
    stop: () => {
      interruption.abort('SIGINT');
      return running!;
    },
  };
}

async function topicsAt(bootstrap: string): Promise<string[]> {
  await using millrace = new Millrace({ bootstrap });
  return await millrace.admin().listTopics();
}

test('in one process, data is kept between runs, and --reset begins anew but leaves what is not its own', async () => {
  const port = await freePort();
  const first = await startDev(port);
  await using millrace = new Millrace({ bootstrap: first.bootstrap });
  await millrace.admin().createTopic({ name: 'kept' });
  const ended = await first.stop();
  expect(ended).toMatchObject({ code: 0, stdout: '' });
  expect(ended.stderr).toContain(`1 node is up: localhost:${port}`);
  expect(ended.stderr).toMatch(/Ctrl-C stops them\.[\s\S]*Stopping \.\.\.\n$/);

  await writeFile(join(folder, 'notes.txt'), 'mine');
  await mkdir(join(folder, 'node-77'));
  const second = await startDev(port);
  expect(await topicsAt(second.bootstrap)).toEqual(['kept']);
  await second.stop();

  const third = await startDev(port, '--reset');
  expect(await topicsAt(third.bootstrap)).toEqual([]);
  await third.stop();
  expect((await readdir(folder)).sort()).toEqual(['node-1', 'node-77', 'notes.txt']);
});

test('wrong flags are usage errors that name the flag and its range', async () => {
  for (const [flag, value, range] of [
    ['--nodes', '0', '1 to 9'],
    ['--nodes', 'three', '1 to 9'],
    ['--nodes', '1.5', '1 to 9'],
    ['--port', '65534', '1 to 65533'],
    ['--port', 'x', '1 to 65533'],
  ] as const) {
    const run = await dev(flag, value);
    expect(run).toMatchObject({
      code: 2,
      stderr: `error: ${flag} ${value} must be a whole number from ${range}\n`,
    });
  }
});

test('a data directory that is a file is refused before anything starts', async () => {
  const file = join(folder, 'file');
  await writeFile(file, 'not a directory');
  for (const mode of [[], ['--in-process']]) {
    const run = await dev('--data-dir', file, ...mode);
    expect(run.code).toBe(2);
    expect(run.stderr).toBe(`error: --data-dir=${file} names a file, not a directory\n`);
  }
});

test('a port that is taken is named, with the exit code of a conflict', async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const { port } = taken.address() as { port: number };
  const run = await dev('--in-process', '--nodes', '1', '--port', String(port));
  await new Promise((resolve) => taken.close(resolve));
  expect(run.code).toBe(5);
  expect(run.stderr).toContain(`cannot listen on localhost:${port}`);
});
