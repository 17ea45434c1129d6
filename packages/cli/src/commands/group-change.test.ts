/** Group commands that change something: what they show before, what they refuse, what they did. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { FakeCluster } from '../testing/fake-cluster.ts';
import { type CliTestOptions, runCli } from '../testing/run-cli.ts';

const NOW_MS = 1_700_000_000_000;

let cluster: FakeCluster;

beforeEach(() => {
  cluster = new FakeCluster();
  cluster.addTopic('orders', 3);
  cluster.addTopic('payments', 1);
  for (let i = 0; i < 10; i++) {
    const timestamp = NOW_MS - (10 - i) * 3_600_000;
    cluster.append('orders', 0, { topic: 'orders', value: 'v', timestamp });
  }
  cluster.groups.commit('billing', { topic: 'orders', partition: 0, offset: 4n });
  cluster.groups.commit('billing', { topic: 'payments', partition: 0, offset: 0n });
});

const run = (line: string, options: CliTestOptions = {}) => runCli(line.split(' '), { cluster, ...options });

const committed = (groupId = 'billing', key = 'orders:0'): bigint | null | undefined =>
  cluster.groups.group(groupId).offsets.get(key)?.offset;

test('reset shows where offsets would go, and changes nothing', async () => {
  const dry = await run('group reset billing --topic orders --to-latest');
  expect(dry).toMatchInlineSnapshot(`
    {
      "code": 0,
      "stderr": "Nothing was changed: --execute does it.
    ",
      "stdout": "GROUP    TOPIC   PARTITION  NEW-OFFSET
    billing  orders          0          10
    billing  orders          1           0
    billing  orders          2           0
    ",
    }
  `);
  expect(committed()).toBe(4n);
  expect((await run('group reset billing --topic orders --to-latest --dry-run')).stdout).toBe(dry.stdout);
  expect((await run('group reset billing --topic orders --to-latest --dry-run --execute')).code).toBe(2);
});

test('reset moves them with --execute', async () => {
  const done = await run('group reset billing --topic orders:0,1 --topic payments --to-latest --execute');
  expect(done).toMatchObject({ code: 0, stderr: '' });
  expect(committed()).toBe(10n);
  expect(committed('billing', 'orders:1')).toBe(0n);
  expect(committed('billing', 'orders:2')).toBeUndefined();
});

test.each([
  ['--to-earliest', '0'],
  ['--to-latest', '10'],
  ['--to-current', '4'],
  ['--to-offset 7', '7'],
  ['--shift-by 2', '6'],
  ['--shift-by=-3', '1'],
  ['--by-duration 3h', '7'],
  ['--by-duration PT3H', '7'],
  ['--by-duration P7D', '0'],
  ['--by-duration 30m', '10'],
  [`--to-datetime ${new Date(NOW_MS - 2 * 3_600_000).toISOString()}`, '8'],
])('reset %s moves to %s', async (flags, offset) => {
  const { stdout } = await run(`group reset billing --topic orders:0 ${flags} -o name`);
  expect(stdout).toBe(`orders:0:${offset}\n`);
});

test('reset keeps offsets inside the log, and says so', async () => {
  const beyond = await run('group reset billing --topic orders:0 --to-offset 99 -o name');
  expect(beyond.stdout).toBe('orders:0:10\n');
  expect(beyond.stderr).toContain(
    'warning: orders-0 holds offsets 0 to 10; the new offset is 10 instead of 99.',
  );
  expect((await run('group reset billing --topic orders:0 --shift-by=-100 -o name')).stdout).toBe(
    'orders:0:0\n',
  );
});

test('reset of all topics means those with offsets', async () => {
  expect((await run('group reset billing --all-topics --to-earliest -o name')).stdout).toBe(
    'orders:0:0\npayments:0:0\n',
  );
  expect((await run('group reset newcomer --all-topics --to-earliest')).code).toBe(4);
});

test('reset exports what it can read again', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-reset-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const file = join(directory, 'offsets.csv');
  const exported = await run('group reset billing --all-topics --to-current --export');
  expect(exported.stdout).toBe('orders,0,4\npayments,0,0\n');
  await writeFile(file, '"orders",0,6\nother,orders,1,3\nbilling,payments,0,0\n');
  expect((await run(`group reset billing --from-file ${file} -o name`)).stdout).toBe(
    'orders:0:6\npayments:0:0\n',
  );
  await writeFile(file, 'orders;0;6\n');
  const wrong = await run(`group reset billing --from-file ${file}`);
  expect(wrong.code).toBe(2);
  expect(wrong.stderr).toContain('line 1');
  expect((await run('group reset billing --from-file /nonexistent')).code).toBe(4);
});

test('reset refuses a live group, and names its state and members', async () => {
  cluster.groups.join('billing', 'app-1', 'orders', [0]);
  cluster.groups.join('billing', 'app-2', 'orders', [1, 2]);
  for (const execute of ['', ' --execute']) {
    const refused = await run(`group reset billing --topic orders --to-earliest${execute}`);
    expect(refused.code).toBe(5);
    expect(refused.stdout).toBe('');
    expect(refused.stderr).toContain(
      'group billing is Stable with 2 members: app-1 (10.0.0.7), app-2 (10.0.0.7); their offsets cannot be moved',
    );
  }
  expect(committed()).toBe(4n);
});

test('reset makes a group that does not exist, and says that it would', async () => {
  const dry = await run('group reset newcomer --topic orders --to-earliest');
  expect(dry.stderr).toContain('Group newcomer does not exist yet; it would be made.');
  expect((await run('group reset newcomer --topic orders --to-earliest --execute')).code).toBe(0);
  expect(committed('newcomer')).toBe(0n);
  expect((await run('group reset other --topic orders --shift-by 1')).code).toBe(1);
});

test.each([
  'group reset billing --topic orders',
  'group reset billing --to-earliest',
  'group reset billing --topic orders --all-topics --to-earliest',
  'group reset billing --topic orders --to-earliest --to-latest',
  'group reset billing --topic orders --to-offset x',
  'group reset billing --topic orders --by-duration P',
  'group reset billing --topic orders --to-datetime noon',
  'group reset billing --topic orders:x --to-earliest',
  'group delete-offsets billing',
  'group delete billing',
])('%s is wrong usage', async (line) => {
  expect((await run(line)).code).toBe(2);
});

test('topics and partitions that are not there are exit code 4', async () => {
  expect((await run('group reset billing --topic nothing --to-earliest')).code).toBe(4);
  expect((await run('group reset billing --topic orders:7 --to-earliest')).code).toBe(4);
  expect((await run('group delete-offsets billing --topic orders:2 --yes')).code).toBe(4);
});

test('delete asks first, and refuses a live group', async () => {
  cluster.groups.join('shipping', 'app', 'orders', [0]);
  expect((await run('group delete billing', { terminal: true, stdin: 'n\n' })).code).toBe(1);
  const some = await run('group rm billing shipping nobody --yes --if-exists');
  expect(some).toMatchObject({ code: 5, stdout: 'Deleted group billing.\n' });
  expect(some.stderr).toContain('shipping is Stable with 1 member: app (10.0.0.7)');
  expect(cluster.groups.has('billing')).toBe(false);
  expect((await run('group delete nobody --yes --if-exists')).code).toBe(0);
});

test('delete-offsets forgets what was committed of a topic', async () => {
  const deleted = await run('group delete-offsets billing --topic orders --yes');
  expect(deleted.stdout).toMatchInlineSnapshot(`
    "TOPIC   PARTITION  STATUS
    orders          0  Deleted
    "
  `);
  expect(committed()).toBeUndefined();
  cluster.groups.join('billing', 'app', 'payments', [0]);
  expect((await run('group delete-offsets billing --topic payments --yes')).code).toBe(5);
});
