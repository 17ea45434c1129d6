import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { lockDirectory } from './directory-lock.ts';

const root = mkdtempSync(join(tmpdir(), 'millrace-lock-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** What a holder leaves behind: a socket that listens until its process is gone. */
const HOLDER = `require('node:net').createServer().listen(process.argv[1], () => console.log('held'))`;

test('a directory is refused while its owner lives and free once the owner was killed', async () => {
  const path = join(root, '.lock');
  const holder = spawn(process.execPath, ['-e', HOLDER, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(holder.stdout, 'data');
  await expect(lockDirectory(path)).rejects.toMatchObject({ code: 'DIRECTORY_LOCKED' });
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  const lock = await lockDirectory(path);
  await expect(lockDirectory(path)).rejects.toMatchObject({ code: 'DIRECTORY_LOCKED' });
  await lock.release();
  expect(readdirSync(root)).toEqual([]);
});

test('of many that want a stale directory exactly one gets it', async () => {
  const directory = join(root, 'race');
  mkdirSync(directory);
  const path = join(directory, '.lock');
  const holder = spawn(process.execPath, ['-e', HOLDER, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(holder.stdout, 'data');
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  const results = await Promise.allSettled(Array.from({ length: 10 }, () => lockDirectory(path)));
  const won = results.filter((result) => result.status === 'fulfilled');
  expect(won.length).toBe(1);
  await won[0]!.value.release();
});

test('a path too long for a socket address can be locked', async () => {
  const directory = join(root, 'x'.repeat(120), 'y'.repeat(120));
  mkdirSync(directory, { recursive: true });
  const lock = await lockDirectory(join(directory, '.lock'));
  await expect(lockDirectory(join(directory, '.lock'))).rejects.toMatchObject({ code: 'DIRECTORY_LOCKED' });
  await lock.release();
});
