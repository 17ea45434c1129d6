/** Consuming: where it starts, where it stops, and what it prints. */
import { Writable } from 'node:stream';
import { ManualClock } from '@millrace/core';
import { beforeEach, expect, test, vi } from 'vitest';
import { FakeCluster } from '../testing/fake-cluster.ts';
import { type CliTestOptions, runCli } from '../testing/run-cli.ts';

let cluster: FakeCluster;

beforeEach(() => {
  cluster = new FakeCluster();
  cluster.addTopic('orders', 2);
  for (let i = 0; i < 5; i++) {
    cluster.append('orders', i % 2, {
      topic: 'orders',
      key: Buffer.from(`k${i}`),
      value: Buffer.from(`v${i}`),
    });
  }
});

const consume = (argv: readonly string[], options: CliTestOptions = {}) =>
  runCli(['consume', 'orders', ...argv], { cluster, ...options });

const values = async (...argv: string[]) =>
  (await consume(argv)).stdout
    .split('\n')
    .filter((line) => line !== '')
    .sort();

test.each<[string[], string[]]>([
  [
    ['--from-beginning', '-e'],
    ['v0', 'v1', 'v2', 'v3', 'v4'],
  ],
  [
    ['--offset', 'beginning', '-e', '-p', '1'],
    ['v1', 'v3'],
  ],
  [
    ['--offset', '1', '-e'],
    ['v2', 'v3', 'v4'],
  ],
  [
    ['--offset', '-1', '-e'],
    ['v3', 'v4'],
  ],
  [
    ['--offset', '@1700000000001', '-e'],
    ['v2', 'v3', 'v4'],
  ],
  [['--offset', '@2023-11-14T22:13:20.002Z', '-e'], ['v4']],
  [['--offset', 'end', '-e'], []],
  [['-e'], []],
  [
    ['--from-beginning', '-n', '2'],
    ['v0', 'v2'],
  ],
  [['--offset', '99', '-e'], []],
])('consume %j', async (argv, expected) => {
  expect(await values(...argv)).toEqual(expected);
});

test('whoever starts at the end of a topic with records and stops there is told why nothing came', async () => {
  const hint = expect.stringContaining('--from-beginning');
  expect(await consume(['-e'])).toEqual({ code: 0, stdout: '', stderr: hint });
  cluster.addTopic('empty', 1);
  const none = { code: 0, stdout: '', stderr: '' };
  expect(await runCli(['consume', 'empty', '-e'], { cluster })).toEqual(none);
  expect(await consume(['-e', '-q'])).toEqual(none);
});

test('the end is where the topic ended when the command began', async () => {
  cluster.batchRecords = 1;
  let grown = false;
  const growing = new Writable({
    write(_chunk, _encoding, done) {
      if (!grown) cluster.append('orders', 0, { topic: 'orders', value: Buffer.from('late') });
      grown = true;
      done();
    },
  });
  expect(await consume(['--from-beginning', '-e'], { stdout: growing })).toMatchObject({ code: 0 });
});

test.each([
  ['deleted', () => cluster.deletedTo.set('orders:0', 3n).set('orders:1', 7n)],
  [
    'cut by an unclean election',
    () => {
      for (const log of cluster.topic('orders').records) log.length = Math.min(log.length, 1);
    },
  ],
])('the end is reached when all that was left before it is %s', async (_how, lose) => {
  cluster.batchRecords = 1;
  const clock = new ManualClock();
  let printed = 0;
  let lostMs = 0;
  const stdout = new Writable({
    write(_chunk, _encoding, done) {
      if (++printed === 2) {
        lose();
        lostMs = clock.nowMs();
      }
      done();
    },
  });
  const running = consume(['--from-beginning', '-e'], { stdout, clock });
  let isOver = false;
  void running.finally(() => {
    isOver = true;
  });
  while (!isOver) {
    clock.advance(10);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect((await running).code).toBe(0);
  expect(printed).toBeLessThan(5);
  // Not from the start: files are read then, and this clock runs ahead of them.
  expect(clock.nowMs() - lostMs).toBeLessThan(5_000);
});

test('an offset that is not there is told', async () => {
  expect((await consume(['--offset', '99', '-e', '-p', '0'])).stderr).toBe(
    'orders-0 holds offsets 0 to 3; reading it from 3 instead of 99.\n',
  );
});

test('formats', async () => {
  const one = ['-p', '0', '-n', '1', '--from-beginning'];
  expect((await consume([...one, '-f', '%t-%p@%o %k=%v %T\\n'])).stdout).toBe(
    'orders-0@0 k0=v0 1700000000000\n',
  );
  expect((await consume([...one, '-o', 'json'])).stdout).toMatchInlineSnapshot(`
    "{"topic":"orders","partition":0,"offset":"0","timestamp":"1700000000000","key":"k0","value":"v0","headers":[]}
    "
  `);
  expect((await consume([...one, '-o', 'yaml'])).stdout).toMatchInlineSnapshot(`
    "---
    topic: orders
    partition: 0
    offset: "0"
    timestamp: "1700000000000"
    key: k0
    value: v0
    headers: []
    "
  `);
  expect((await consume([...one, '-o', 'name'])).stdout).toBe('orders:0:0\n');
  expect((await consume([...one, '-o', 'wide'])).stdout).toBe('orders-0 0 1700000000000 k0 v0\n');
  expect((await consume([...one, '-o', 'json', '-f', '%v'])).code).toBe(2);
});

test('bytes that are no text are base64 in JSON, and pass unchanged otherwise', async () => {
  cluster.addTopic('blobs');
  cluster.append('blobs', 0, { topic: 'blobs', value: Buffer.from([0xff, 0xfe]) });
  const run = await runCli(['consume', 'blobs', '--from-beginning', '-e', '-o', 'json'], { cluster });
  expect(JSON.parse(run.stdout)).toMatchObject({ key: null, value: { base64: '//4=' } });
});

test('-o is the output, and says so to those who mean the offset', async () => {
  const run = await consume(['-o', 'beginning']);
  expect(run.code).toBe(2);
  expect(run.stderr).toContain('--offset');
});

test('several topics are read together', async () => {
  cluster.addTopic('more');
  cluster.append('more', 0, { topic: 'more', value: Buffer.from('m') });
  const run = await runCli(['consume', 'orders', 'more', '--from-beginning', '-e', '-f', '%t:%v '], {
    cluster,
  });
  expect(run.stdout).toBe('orders:v0 orders:v2 orders:v4 orders:v1 orders:v3 more:m ');
});

test('without an end it waits until interrupted, and exits with 130', async () => {
  const interruption = new AbortController();
  const running = consume(['--from-beginning'], { interrupted: interruption.signal });
  await vi.waitFor(() => expect(cluster.idleConsumers).toBe(1));
  interruption.abort('SIGINT');
  const run = await running;
  expect(run.code).toBe(130);
  expect(run.stdout).toBe('v0\nv2\nv4\nv1\nv3\n');
  expect(run.stderr).toBe('');
});

test('a reader that goes away ends it quietly', async () => {
  const head = new Writable({
    write(_chunk, _encoding, done) {
      done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
    },
  });
  expect(await consume(['--from-beginning'], { stdout: head })).toMatchObject({ code: 0, stderr: '' });
});

test('a topic or partition that does not exist is exit code 4', async () => {
  expect((await runCli(['consume', 'nothing'], { cluster })).code).toBe(4);
  expect((await consume(['-p', '7'])).code).toBe(4);
});

test('a member of a group commits what it has printed, and goes on from there', async () => {
  const first = await consume(['--group', 'billing', '--from-beginning', '-n', '2']);
  expect(first).toMatchObject({ code: 0, stdout: 'v0\nv2\n', stderr: '' });
  expect(cluster.consumerOptions.at(-1)).toMatchObject({ groupId: 'billing', autoOffsetReset: 'earliest' });
  const partition = { topic: 'orders', partition: 0 };
  expect(cluster.groups.offsets('billing', [partition])).toMatchObject([{ offset: 2n }]);
  expect((await consume(['-g', 'billing', '--from-beginning', '-n', '1', '-o', 'name'])).stdout).toBe(
    'orders:0:2\n',
  );
  expect((await consume(['-g', 'shipping', '--from-beginning', '-n', '1'])).stdout).toBe('v0\n');
});

test('a member that is interrupted has committed all that it printed', async () => {
  const interruption = new AbortController();
  const running = consume(['-g', 'billing', '--from-beginning'], { interrupted: interruption.signal });
  await vi.waitFor(() => expect(cluster.idleConsumers).toBe(1));
  interruption.abort('SIGINT');
  expect((await running).code).toBe(130);
  expect(cluster.groups.offsets('billing', undefined).map(({ offset }) => offset)).toEqual([3n, 2n]);
});

test('what a reader that goes away did not take is not committed', async () => {
  const head = new Writable({
    write(_chunk, _encoding, done) {
      done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
    },
  });
  expect((await consume(['-g', 'billing', '--from-beginning'], { stdout: head })).code).toBe(0);
  expect(cluster.groups.offsets('billing', undefined)).toEqual([]);
});

test.each([['--partition', '0'], ['--offset', '3'], ['--exit-at-end']])(
  'in a group %s makes no sense',
  async (...flags) => {
    expect((await consume(['--group', 'billing', ...flags])).code).toBe(2);
  },
);

test.each([
  ['--group billing -X group.id=shipping', '--group shipping'],
  ['-X group.id=shipping', '--group shipping'],
  ['--group billing -X enable.auto.commit=false', 'Leave out --group'],
  ['-X enable.auto.commit=true', 'Say --group'],
  ['--group billing --from-beginning -X auto.offset.reset=latest', '--from-beginning'],
])('consume %s is wrong usage, and names the flag', async (flags, named) => {
  const { code, stderr } = await runCli(['consume', 'orders', ...flags.split(' ')], { cluster });
  expect(code).toBe(2);
  expect(stderr).toContain(named);
});

test('a property that says the same as the flags is no contradiction', async () => {
  const flags = '--group billing --from-beginning -n 1 -X group.id=billing -X enable.auto.commit=true';
  const { code } = await runCli(['consume', 'orders', ...flags.split(' ')], { cluster });
  expect(code).toBe(0);
});
