/** What group commands say when something is amiss: with a name, with an offset, or with some of several groups. */
import { ERRORS, MillraceError } from '@millrace/core';
import { beforeEach, expect, test } from 'vitest';
import { FakeCluster } from '../testing/fake-cluster.ts';
import { type CliTestOptions, runCli } from '../testing/run-cli.ts';

let cluster: FakeCluster;

beforeEach(() => {
  cluster = new FakeCluster();
  cluster.addTopic('orders', 2);
  cluster.addTopic('payments', 1);
  for (let i = 0; i < 10; i++) cluster.append('orders', 0, { topic: 'orders', value: 'v' });
  cluster.groups.commit('billing', { topic: 'orders', partition: 0, offset: 4n });
});

const run = (line: string, options: CliTestOptions = {}) => runCli(line.split(' '), { cluster, ...options });

test('a commit beyond the end of the log is a negative lag and a warning', async () => {
  cluster.groups.commit('billing', { topic: 'orders', partition: 1, offset: 1_000n });
  for (const verb of ['describe', 'lag']) {
    const { code, stdout, stderr } = await run(`group ${verb} billing`);
    expect(code).toBe(0);
    expect(stdout).toMatch(/orders +1 +1000 +0 +-1000 +-/);
    expect(stderr).toContain('warning: orders-1: committed 1000 is beyond the log end 0 (group billing).\n');
  }
  const { groups } = JSON.parse((await run('group lag billing -o json')).stdout);
  expect(groups).toMatchObject([{ totalLag: '6', offsets: [{ lag: '6' }, { lag: '-1000', lagMs: null }] }]);
});

test.each(['describe', 'members', 'state', 'lag'])(
  'group %s shows the groups there are, then tells of the one that is not there',
  async (verb) => {
    const { code, stdout, stderr } = await run(`group ${verb} billing nobody -o json`);
    expect(code).toBe(4);
    expect(JSON.parse(stdout).groups).toMatchObject([{ groupId: 'billing' }]);
    expect(stderr).toContain('group nobody: no such group');
    const neither = await run(`group ${verb} nobody nothing`);
    expect(neither).toMatchObject({ code: 4, stdout: '' });
    expect(neither.stderr).toMatch(/nobody.*\n.*nothing/);
  },
);

test.each([
  ['--state Foo', 'Empty, PreparingRebalance, CompletingRebalance, Assigning, Reconciling, Stable, Dead'],
  ['--state Empty,', 'Empty, PreparingRebalance'],
  ['--type Foo', 'classic, consumer'],
])('group list %s is wrong usage, and lists what there is', async (flags, allowed) => {
  const { code, stderr } = await run(`group list ${flags}`);
  expect(code).toBe(2);
  expect(stderr).toContain(allowed);
});

test.each(['describe', 'members', 'state', 'lag', 'explain', 'delete', 'delete-offsets', 'reset'])(
  'group %s of an empty name is wrong usage',
  async (verb) => {
    const { code, stderr } = await runCli(['group', verb, ''], { cluster });
    expect({ code, stderr }).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('name of a group is empty'),
    });
  },
);

test('the coordinator is told with its id', async () => {
  for (const command of ['group state billing', 'group describe billing --state']) {
    const { groups } = JSON.parse((await run(`${command} -o json`)).stdout);
    expect(groups).toMatchObject([{ coordinator: { id: 1, host: 'node-1', port: 9191 } }]);
  }
});

test('explain says first that a new coordinator has begun a new history', async () => {
  const group = cluster.groups.group('billing');
  const nobody = { memberId: '', clientId: '', groupInstanceId: '', gained: [], lost: [], withoutMs: null };
  const atMs = 1_700_000_000_000;
  group.events = [{ ...nobody, atMs, epoch: 3, kind: 'loaded', cause: 'a new coordinator read the group' }];
  const { stdout } = await run('group explain billing');
  expect(stdout.split('\n')[0]).toBe(
    'A new coordinator (node 1) read the group from its log at 2023-11-14T22:13:20.000Z; what happened before is not kept.',
  );
  expect(JSON.parse((await run('group explain billing -o json')).stdout).coordinator).toMatchObject({
    id: 1,
  });
  expect((await run('group explain --help')).stdout).toContain(
    'when another node takes over, it begins anew',
  );
});

const EVIL = 'evil\n\u001b[31mred';

test('control characters in names are escaped wherever text is printed, and JSON has the name itself', async () => {
  cluster.groups.commit(EVIL, { topic: 'orders', partition: 0, offset: 4n });
  const runs = [
    ['group', 'list'],
    ['group', 'list', '-o', 'name'],
    ['group', 'describe', EVIL],
    ['group', 'describe', EVIL, 'nobody\n\u001b'],
    ['group', 'state', EVIL, '-o', 'wide'],
    ['group', 'explain', EVIL],
    ['group', 'reset', EVIL, '--topic', 'orders', '--to-latest'],
    ['group', 'delete', EVIL, '--yes'],
    ['group', 'delete', EVIL, '--yes', '--if-exists'],
  ];
  for (const argv of runs) {
    const { stdout, stderr } = await runCli(argv, { cluster });
    const text = stdout + stderr;
    expect(text.includes('\u001b') || text.includes('evil\n'), text).toBe(false);
  }
  cluster.groups.commit(EVIL, { topic: 'orders', partition: 0, offset: 4n });
  expect((await run('group list -r evil -o name')).stdout).toBe('evil\\n\\x1b[31mred\n');
  expect((await runCli(['group', 'delete', EVIL, '--yes'], { cluster })).stdout).toBe(
    'Deleted group "evil\\n\\x1b[31mred".\n',
  );
  cluster.groups.commit(EVIL, { topic: 'orders', partition: 0, offset: 4n });
  expect(JSON.parse((await run('group list -r evil -o json')).stdout).groups).toMatchObject([
    { groupId: EVIL },
  ]);
});

test('a name with control characters is not completed into a line', async () => {
  cluster.groups.commit(EVIL, { topic: 'orders', partition: 0, offset: 4n });
  expect((await runCli(['__complete', 'group', 'describe', ''], { cluster })).stdout).toBe('billing\n');
});

test('a long name widens no table and fills no message, and JSON has all of it', async () => {
  const long = 'x'.repeat(300);
  cluster.groups.commit(long, { topic: 'orders', partition: 0, offset: 4n });
  const table = (await run(`group describe ${long}`)).stdout;
  expect(table).toContain(`\n${'x'.repeat(79)}…  orders`);
  expect((await run('group list -o name')).stdout).toContain(`${long}\n`);
  expect((await run(`group describe ${long} -o json`)).stdout).toContain(long);
  const missing = await run(`group describe ${'y'.repeat(40_000)}`);
  expect(missing.code).toBe(4);
  expect(missing.stderr.length).toBeLessThan(400);
});

test('an error says its sentence once', async () => {
  const { help } = ERRORS.GROUP_ID_NOT_FOUND;
  cluster.failure = new MillraceError('GROUP_ID_NOT_FOUND', `group nosuch: ${help}`);
  const { stderr } = await run('group describe nosuch');
  expect(stderr).toBe(`error: GROUP_ID_NOT_FOUND: group nosuch: ${help}\n`);
});

test('what helps against several failures alike is said once', async () => {
  const { stderr } = await run('group describe nobody nothing');
  expect(stderr.match(/"group list" shows/g)).toHaveLength(1);
});

test('delete-offsets of topics that are read says who reads them, once a topic, and deletes the others', async () => {
  cluster.groups.commit('billing', { topic: 'orders', partition: 1, offset: 0n });
  cluster.groups.commit('billing', { topic: 'payments', partition: 0, offset: 0n });
  cluster.groups.join('billing', 'app', 'orders', [0, 1]);
  const { code, stdout, stderr } = await run('group delete-offsets billing --all-topics --yes -o name');
  expect({ code, stdout }).toEqual({ code: 5, stdout: 'payments:0\n' });
  expect(stderr).toBe(
    'error: NON_EMPTY_GROUP: group billing is Stable with 1 member: app (10.0.0.7); offsets of topic orders cannot be deleted\n' +
      '  Stop its members first; a member that was killed is expired after its session timeout.\n',
  );
});

test('delete-offsets takes all topics, or those named', async () => {
  cluster.groups.commit('billing', { topic: 'payments', partition: 0, offset: 0n });
  expect((await run('group delete-offsets billing --all-topics --topic orders --yes')).code).toBe(2);
  const all = await run('group delete-offsets billing --all-topics --yes -o name');
  expect(all).toMatchObject({ code: 0, stdout: 'orders:0\npayments:0\n' });
  expect((await run('group delete-offsets billing --all-topics --yes')).code).toBe(4);
});
