/** Profiles are kept, used and forgotten as told; a damaged file is never overwritten. */
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runCli } from './testing/run-cli.ts';

let homeDirectory: string;

beforeEach(async () => {
  homeDirectory = await mkdtemp(join(tmpdir(), 'millrace-profile-'));
});
afterEach(() => rm(homeDirectory, { recursive: true }));

const profile = (line: string) => runCli(['profile', ...line.split(' ')], { homeDirectory });

test('a profile is set, listed, used, shown and deleted', async () => {
  await profile('set prod bootstrap-server=a:1,b:1 linger.ms=5 timeout=3s');
  await profile('set dev bootstrap-server=c:1');
  await profile('use prod');
  await profile('set prod timeout=');
  expect((await profile('list')).stdout).toMatchInlineSnapshot(`
    "CURRENT  NAME  BOOTSTRAP-SERVER
    *        prod  a:1,b:1
    -        dev   c:1
    "
  `);
  expect((await profile('show')).stdout).toMatchInlineSnapshot(`
    "bootstrap-server:  a:1,b:1
    linger.ms:         5
    "
  `);
  const path = join(homeDirectory, '.config/millrace/config.yaml');
  expect(await readFile(path, 'utf8')).toMatchInlineSnapshot(`
    "current: prod
    profiles:
      prod:
        bootstrap-server: a:1,b:1
        linger.ms: "5"
      dev:
        bootstrap-server: c:1
    "
  `);
  expect((await stat(path)).mode & 0o777).toBe(0o600);

  expect((await profile('delete prod')).code).toBe(2);
  expect((await profile('delete prod --yes')).code).toBe(0);
  expect((await profile('list -o name')).stdout).toBe('dev\n');
  expect((await profile('show')).code).toBe(2);
});

test.each([
  ['use missing', 4],
  ['show missing', 4],
  ['delete missing --yes', 4],
  ['set prod nonsense', 2],
  ['set prod output=xml', 2],
  ['set prod timeout=never', 2],
  ['set prod linger.ms=many', 2],
  ['set prod lingr.ms=1', 2],
  ['set a/b linger.ms=1', 2],
])('profile %s exits with %i', async (line, code) => {
  expect((await profile(line)).code).toBe(code);
});

test('a file that is not understood is named and left alone', async () => {
  const path = join(homeDirectory, 'broken.yaml');
  for (const text of ['profiles: [1, 2]\n', ': : :\n', 'profiles: {a: text}\n']) {
    await writeFile(path, text);
    const run = await runCli(['profile', 'set', 'x', 'linger.ms=1'], { env: { MILLRACE_CLI_CONFIG: path } });
    expect(run.code).toBe(1);
    expect(run.stderr).toContain(`cannot read the profile file ${path}`);
    expect(await readFile(path, 'utf8')).toBe(text);
  }
});
