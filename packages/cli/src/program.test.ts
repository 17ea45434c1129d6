/** The frame that all commands share: where things are printed, which exit code, which value a flag gets. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { Millrace } from '@millrace/client';
import { ERRORS, type ErrorCode, MillraceError } from '@millrace/core';
import type { Command } from 'commander';
import { afterEach, expect, test } from 'vitest';
import type { Connect } from './cluster-client.ts';
import { exitCodeOf } from './exit-code.ts';
import { buildProgram } from './program.ts';
import { FakeCluster } from './testing/fake-cluster.ts';
import { runCli, testEnvironment } from './testing/run-cli.ts';

const directories: string[] = [];
afterEach(async () => {
  for (const path of directories.splice(0)) await rm(path, { recursive: true });
});

async function homeWith(config: string): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'millrace-cli-'));
  directories.push(path);
  await writeFile(join(path, 'config.yaml'), config);
  return path;
}

test.each<[string[], number]>([
  [['topic', 'list'], 0],
  [['topic', 'list', '--help'], 0],
  [['--version'], 0],
  [[], 2],
  [['topic'], 2],
  [['nonsense'], 2],
  [['topic', 'list', '--nonsense'], 2],
  [['topic', 'list', 'extra'], 2],
  [['topic', 'create', 'x', '-p', 'many'], 2],
  [['topic', 'create', 'x', '-p', '99999999999'], 2],
  [['topic', 'create', 'x', '-r', '99999999999'], 2],
  [['topic', 'add-partitions', 'orders', '--by', '99999999999'], 2],
  [['debug', 'dump-log', '/nonexistent'], 4],
  [['produce', 'orders', '-f', '/nonexistent'], 4],
  [['topic', 'list', '-o', 'xml'], 2],
  [['topic', 'list', '--timeout', 'soon'], 2],
  [['topic', 'list', '-X', 'linger.ms=-1'], 2],
  [['topic', 'delete', 'orders'], 2],
  [['topic', 'describe', 'missing'], 4],
  [['broker', 'describe', '9'], 4],
  [['topic', 'list', '--profile', 'missing'], 4],
  [['topic', 'create', 'orders'], 5],
])('%j exits with %i', async (argv, code) => {
  const cluster = new FakeCluster();
  cluster.addTopic('orders');
  expect((await runCli(argv, { cluster })).code).toBe(code);
});

test('every failure of the cluster has the exit code of its table, and says what to do', async () => {
  for (const code of Object.keys(ERRORS) as ErrorCode[]) {
    const cluster = new FakeCluster();
    cluster.failure = new MillraceError(code, 'what happened');
    const run = await runCli(['topic', 'list'], { cluster });
    expect(run.code).toBe(exitCodeOf(code));
    expect(run.stdout).toBe('');
    expect(run.stderr).toContain(`error: ${code}: what happened`);
    expect(run.stderr).toContain(ERRORS[code].help);
  }
});

test('a cluster that cannot be reached is named', async () => {
  const cluster = new FakeCluster();
  cluster.failure = new MillraceError('CONNECTION_FAILED');
  const run = await runCli(['topic', 'list', '--bootstrap-server', 'far:1'], { cluster });
  expect(run.code).toBe(3);
  expect(run.stderr).toMatchInlineSnapshot(`
    "error: CONNECTION_FAILED: No server answered at the address; check that the cluster runs, and that --bootstrap-server is a gRPC port (9191), none for Kafka clients (9092). [far:1]
    "
  `);
});

test.each([['host:99999'], ['host:0'], ['a:1,b:x'], [','], ['http://host:1']])(
  '--bootstrap-server %s is a usage error, for every command',
  async (server) => {
    const connect: Connect = (options) => new Millrace(options);
    const env = { MILLRACE_CLI_CONFIG: '/nowhere/config.yaml' };
    const saved = await runCli(['profile', 'set', 'p', `bootstrap-server=${server}`], { connect, env });
    expect(saved).toMatchObject({ code: 2, stdout: '' });
    for (const argv of [['topic', 'list'], ['health'], ['cluster', 'health'], ['produce', 'x']]) {
      const run = await runCli([...argv, '--bootstrap-server', server], { connect });
      expect(run).toMatchObject({ code: 2, stdout: '' });
      expect(run.stderr).toMatch(/^error: --bootstrap-server: /);
    }
  },
);

test('a file that is not there is named, and the system call is not', async () => {
  const run = await runCli(['produce', 'orders', '-f', '/nonexistent']);
  expect(run.stderr).toBe('error: ENOENT: no such file or directory: /nonexistent\n');
});

test('with -o json errors are JSON on stderr, whatever went wrong', async () => {
  const cluster = new FakeCluster();
  for (const argv of [
    ['topic', 'describe', 'missing', '-o', 'json'],
    ['topic', 'descibe', '--output=json'],
    ['topic', 'list', '-ojson', '--timeout', 'x'],
    ['topic', 'create', 'a_b.c', '-o', 'json'],
  ]) {
    const { stderr } = await runCli(argv, { cluster });
    for (const line of stderr.trimEnd().split('\n')) expect(() => JSON.parse(line)).not.toThrow();
  }
  expect((await runCli(['topic', 'descibe', '-o', 'json'], { cluster })).stderr).toMatchInlineSnapshot(`
    "{"error":{"code":"USAGE","exitCode":2,"message":"unknown command 'descibe'","help":"Did you mean describe?","retriable":false}}
    "
  `);
});

test('misspelt commands, flags, properties and keys are met with a suggestion', async () => {
  const cluster = new FakeCluster();
  cluster.addTopic('orders');
  const stderrOf = async (...argv: string[]) => (await runCli(argv, { cluster })).stderr;
  expect(await stderrOf('topc', 'list')).toContain('Did you mean topic?');
  expect(await stderrOf('topic', 'list', '--bootstrap-sever', 'x')).toContain(
    'Did you mean --bootstrap-server?',
  );
  expect(await stderrOf('topic', 'list', '-X', 'lingr.ms=1')).toContain('Did you mean lingerMs?');
  expect(await stderrOf('topic', 'config', 'get', 'orders', 'retention')).toContain(
    'Did you mean retention.ms?',
  );
});

test('verbs written as flags, as in Kafka, are met with how they are written here', async () => {
  for (const [argv, hint] of [
    [['topic', '--list'], 'Verbs have no dashes here: millrace topic list.'],
    [['topics', '--describe', 'orders'], 'Verbs have no dashes here: millrace topic describe.'],
    [['--bootstrap-server', 'a:1', 'topic', '--create', 'x'], 'millrace topic create.'],
  ] as const) {
    const run = await runCli(argv);
    expect(run.code).toBe(2);
    expect(run.stderr).toContain(hint);
  }
});

test('help shows any command, and refuses one that does not exist', async () => {
  const create = await runCli(['help', 'topic', 'create']);
  expect(create).toEqual(await runCli(['topic', 'create', '--help']));
  expect(create.code).toBe(0);
  expect((await runCli(['help'])).stdout).toContain('Usage: millrace ');
  const unknown = await runCli(['help', 'topic', 'creat']);
  expect(unknown).toMatchObject({ code: 2, stdout: '' });
  expect(unknown.stderr).toContain('Did you mean create?');
});

test('values come from flag, then environment, then profile, then default', async () => {
  const home = await homeWith(
    'current: prod\nprofiles:\n  prod: {bootstrap-server: profile:1, timeout: 7s, linger.ms: "3", output: json}\n',
  );
  const env = { MILLRACE_CLI_CONFIG: join(home, 'config.yaml') };
  const serverOf = async (argv: string[], more = {}) => {
    const cluster = new FakeCluster();
    await runCli(['topic', 'list', ...argv], { cluster, env: { ...env, ...more } });
    return (cluster.connections[0] as { bootstrap: string }).bootstrap;
  };
  expect(await serverOf([])).toBe('profile:1');
  expect(await serverOf([], { MILLRACE_BOOTSTRAP_SERVER: 'env:1' })).toBe('env:1');
  expect(await serverOf(['--bootstrap-server', 'flag:1'], { MILLRACE_BOOTSTRAP_SERVER: 'env:1' })).toBe(
    'flag:1',
  );
  expect(await serverOf([], { MILLRACE_CLI_CONFIG: '/nowhere.yaml' })).toBe('localhost:9191');

  const effective = await runCli(['profile', 'show', '--effective', '-o', 'table', '-X', 'client.id=me'], {
    env: { ...env, MILLRACE_TIMEOUT: '3s' },
  });
  expect(effective.stdout).toMatchInlineSnapshot(`
    "NAME              VALUE      SOURCE
    bootstrap-server  profile:1  profile prod
    output            table      flag
    timeout           3s         env
    linger.ms         3          profile prod
    client.id         me         flag
    "
  `);
});

test("a command's own flags have variables too, under the command's name", async () => {
  const cluster = new FakeCluster();
  await runCli(['topic', 'create', 'made'], {
    cluster,
    env: { MILLRACE_TOPIC_CREATE_PARTITIONS: '4', MILLRACE_PARTITIONS: '9' },
  });
  expect(cluster.topic('made').info.partitions).toHaveLength(4);
  const bad = await runCli(['topic', 'create', 'other'], {
    cluster,
    env: { MILLRACE_TOPIC_CREATE_PARTITIONS: 'x' },
  });
  expect(bad.code).toBe(2);
  expect(bad.stderr).toContain('MILLRACE_TOPIC_CREATE_PARTITIONS=x');
});

test('colour appears on terminals only, and not with NO_COLOR', async () => {
  const controlSequence = '\u001b[';
  expect((await runCli(['nonsense'], { terminal: true })).stderr).toContain(controlSequence);
  expect((await runCli(['nonsense'], { terminal: true, env: { NO_COLOR: '1' } })).stderr).not.toContain(
    escape,
  );
  expect((await runCli(['nonsense'])).stderr).not.toContain(controlSequence);
});

test('a reader that goes away ends the program quietly', async () => {
  const gone = new Writable({
    write(_chunk, _encoding, done) {
      done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
    },
  });
  const run = await runCli(['topic', 'list'], { stdout: gone });
  expect(run).toMatchObject({ code: 0, stderr: '' });
});

test('the client is closed whether the command works or not', async () => {
  const cluster = new FakeCluster();
  await runCli(['topic', 'list'], { cluster });
  await runCli(['topic', 'describe', 'missing'], { cluster });
  expect(cluster.closed).toBe(2);
});

test('commands of other packages run in the same frame', async () => {
  const run = await runCli(['greet', 'you', '-o', 'json'], {
    extensions: [
      (program, shell) => {
        program.command('greet <name>').action(
          shell.action<object, [string]>(async (context, _options, name) => {
            context.note('greeting');
            await context.show({
              value: { hello: name },
              text: () => `hello ${name}\n`,
              names: () => [name],
            });
          }),
        );
      },
    ],
  });
  expect(run).toEqual({ code: 0, stdout: '{\n  "hello": "you"\n}\n', stderr: '{"note":"greeting"}\n' });
});

test('every command has a description and an example', async () => {
  const leaves: string[][] = [];
  const visit = (command: Command, path: readonly string[]): void => {
    if (command.name().startsWith('__')) return;
    expect(command.description(), command.name()).toMatch(/^[A-Z].*\.$/);
    if (command.commands.length === 0) leaves.push([...path]);
    for (const child of command.commands) visit(child, [...path, child.name()]);
  };
  visit(buildProgram(testEnvironment()), []);
  expect(leaves.length).toBeGreaterThan(25);
  for (const path of leaves) {
    const help = await runCli([...path, '--help']);
    expect(help.stdout).toContain(
      `Example:\n  ${path[0] === 'completion' ? 'source <(' : ''}millrace ${path.join(' ')}`,
    );
  }
});
