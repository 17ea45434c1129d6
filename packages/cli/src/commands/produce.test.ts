/** Producing: which record a line becomes, and that no line is lost in silence. */
import { PassThrough } from 'node:stream';
import { MillraceError } from '@millrace/core';
import { beforeEach, expect, test, vi } from 'vitest';
import { FakeCluster } from '../testing/fake-cluster.ts';
import { type CliTestOptions, runCli } from '../testing/run-cli.ts';

let cluster: FakeCluster;

beforeEach(() => {
  cluster = new FakeCluster();
  cluster.addTopic('orders', 2);
});

const produce = (argv: readonly string[], options: CliTestOptions = {}) =>
  runCli(['produce', 'orders', ...argv], { cluster, ...options });

const written = (partition = 0) =>
  cluster
    .topic('orders')
    .records[partition]!.map(({ key, value, headers }) => [
      key?.toString() ?? null,
      value?.toString() ?? null,
      ...headers.map((header) => `${header.key}=${header.value?.toString()}`),
    ]);

test('each line is a record, empty ones and the last without a line break too', async () => {
  const run = await produce([], { stdin: 'one\n\nthree' });
  expect(run).toMatchObject({ code: 0, stdout: '' });
  expect(run.stderr).toContain('3 of 3 lines (8 B) acknowledged');
  expect(written()).toEqual([
    [null, 'one'],
    [null, ''],
    [null, 'three'],
  ]);
});

test('keys, headers, partition and tombstones', async () => {
  await produce(['-K', '\\t', '-H', 'a=1', '-H', 'b=2=3', '-p', '1', '-Z'], { stdin: 'k1\tv1\nk2\t\n' });
  expect(written(1)).toEqual([
    ['k1', 'v1', 'a=1', 'b=2=3'],
    ['k2', null, 'a=1', 'b=2=3'],
  ]);
  await produce(['-k', 'same'], { stdin: 'v\n' });
  expect(written()).toEqual([['same', 'v']]);
  expect((await produce(['-k', 'x', '-K', ':'], { stdin: 'v\n' })).code).toBe(2);
});

test('flags and properties reach the producer', async () => {
  await produce(['--acks', '1', '-z', 'zstd', '-X', 'linger.ms=50', '-X', 'acks=0'], { stdin: '' });
  expect(cluster.producerOptions).toEqual([{ lingerMs: 50, acks: 1, compression: 'zstd' }]);
  expect((await produce(['-z', 'rar'])).code).toBe(2);
  expect((await produce(['--acks', '2'])).code).toBe(2);
});

test('-o json prints the tally', async () => {
  const { stdout } = await produce(['-o', 'json'], { stdin: 'a\nb\n' });
  expect(JSON.parse(stdout)).toEqual({
    topic: 'orders',
    sent: 2,
    acknowledged: 2,
    failed: 0,
    bytes: 2,
    acknowledgedBytes: 2,
    elapsedMs: 0,
  });
});

test('lines that were not acknowledged end in exit code 1, with their number and the first reason', async () => {
  cluster.sendFailure = { from: 3, error: new MillraceError('NOT_ENOUGH_REPLICAS', 'two replicas are down') };
  const run = await produce([], { stdin: 'a\nb\nc\nd\n' });
  expect(run.code).toBe(1);
  expect(run.stderr).toMatchInlineSnapshot(`
    "2 of 4 lines (2 B) acknowledged in 0.00 s: 2,000 lines/s, 2.0 kB/s
    error: LINES_NOT_ACKNOWLEDGED: 2 of 4 lines were not acknowledged, and reading stopped after line 4; the first error is NOT_ENOUGH_REPLICAS: two replicas are down
      Fewer in-sync replicas than min.insync.replicas; nothing was written.
    "
  `);
});

test('if nothing was acknowledged the exit code is that of the reason', async () => {
  cluster.sendFailure = { from: 1, error: new MillraceError('UNKNOWN_TOPIC_OR_PARTITION', 'no topic') };
  expect((await produce([], { stdin: 'a\n' })).code).toBe(4);
});

test('after a failure reading stops', async () => {
  cluster.sendFailure = { from: 1, error: new MillraceError('MESSAGE_TOO_LARGE') };
  const input = new PassThrough();
  input.write('first\n');
  // The input stays open: nothing but the failure ends the command.
  const running = produce([], { stdin: input });
  expect((await running).stderr).toContain('1 of 1 lines were not acknowledged');
});

test('a line without its key separator stops the input, and what was sent before is counted', async () => {
  const run = await produce(['-K', ':'], { stdin: 'a:1\nnonsense\nb:2\n' });
  expect(run.code).toBe(1);
  expect(run.stderr).toContain('1 of 1 line (3 B) acknowledged');
  expect(run.stderr).toContain('line 2 of the input has no key separator ":"');
});

test('a cluster that does not answer is told before anything is read', async () => {
  cluster.failure = new MillraceError('CONNECTION_FAILED');
  expect(await produce([], { stdin: 'a\n' })).toMatchObject({ code: 3 });
  expect(written()).toEqual([]);
});

test('a missing file is named', async () => {
  const run = await produce(['-f', '/nowhere/lines.txt']);
  expect(run.code).toBe(4);
  expect(run.stderr).toContain('/nowhere/lines.txt');
});

test('an interruption ends the reading, sends what was read, and exits with 130', async () => {
  const interruption = new AbortController();
  const input = new PassThrough();
  input.write('read\nunfinished');
  const running = produce([], { stdin: input, interrupted: interruption.signal });
  await vi.waitFor(() => expect(written()).toHaveLength(1));
  interruption.abort('SIGINT');
  const run = await running;
  expect(run.code).toBe(130);
  expect(run.stderr).toContain('1 of 1 line (4 B) acknowledged');
  expect(written()).toEqual([[null, 'read']]);
});
