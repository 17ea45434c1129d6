/** `millrace group` against a whole cluster, as a shell would run it: texts in, texts and exit codes out. */
import { Writable } from 'node:stream';
import { processEnvironment, runProgram } from '@millrace/cli';
import { Millrace } from '@millrace/client';
import { type Cluster, startCluster } from '@millrace/server';
import { afterAll, beforeAll, expect, test } from 'vitest';

let cluster: Cluster;

beforeAll(async () => {
  cluster = await startCluster();
  await using millrace = new Millrace({ bootstrap: cluster.bootstrap });
  const admin = millrace.admin();
  await admin.createTopics([{ name: 'orders', partitions: 2, replicationFactor: 3 }]);
  await using producer = millrace.producer();
  const timestamp = Date.now() - 60 * 60_000;
  for (let i = 0; i < 10; i++)
    await producer.send({ topic: 'orders', partition: 0, value: `v${i}`, timestamp: timestamp + i });
}, 30_000);
afterAll(() => cluster.close());

class Sink extends Writable {
  text = '';
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

/** Its listeners belong to the process: made once. */
const environment = processEnvironment('0.0.0');

async function run(line: string): Promise<{ code: number; stdout: string; stderr: string }> {
  const [stdout, stderr] = [new Sink(), new Sink()];
  const argv = [...line.split(' '), '--bootstrap-server', cluster.bootstrap];
  const code = await runProgram(argv, { ...environment, stdout, stderr, env: {} });
  return { code, stdout: stdout.text, stderr: stderr.text };
}

test('offsets are moved, looked at, exported and forgotten', async () => {
  expect(await run('group reset billing --topic orders --to-offset 4')).toMatchObject({ code: 0 });
  expect((await run('group list')).stdout).not.toContain('billing');
  const done = await run('group reset billing --topic orders --to-offset 4 --execute');
  expect(done.code).toBe(0);
  expect(done.stderr).toContain('orders-1 holds offsets 0 to 0; the new offset is 0 instead of 4');
  expect((await run('group list -o name')).stdout).toBe('billing\n');
  const described = await run('group describe billing');
  expect(described.stdout).toMatch(/billing +orders +0 +4 +10 +6 +(59m\d\ds|1h\d\dm) +- +- +-\n/);
  expect(described.stdout).toMatch(/billing +orders +1 +0 +0 +0 +0 +- +- +-\n/);
  expect((await run('group state billing')).stdout).toMatch(/billing +\S+:\d+ \(\d\) +\S+ +Empty +0\n/);
  expect((await run('group reset billing --all-topics --by-duration 30m -o name')).stdout).toBe(
    'orders:0:10\norders:1:0\n',
  );
  expect((await run('group reset billing --all-topics --to-current --export')).stdout).toBe(
    'orders,0,4\norders,1,0\n',
  );
  expect((await run('group reset billing --topic orders:0 --shift-by 1 --execute')).code).toBe(0);
  expect((await run('group explain billing')).code).toBe(0);
  expect((await run('group delete-offsets billing --topic orders:1 --yes')).code).toBe(0);
  expect((await run('group lag billing -o name')).stdout).toBe('orders:0:5\n');
  expect((await run('group delete billing --yes')).stdout).toBe('Deleted group billing.\n');
  expect((await run('group describe billing')).code).toBe(4);
}, 30_000);

test('members of one group share what there is, another group gets all of it', async () => {
  const consume = (group: string, count: number) =>
    run(`consume orders -g ${group} --from-beginning -n ${count}`);
  expect(await consume('readers', 3)).toMatchObject({ code: 0, stdout: 'v0\nv1\nv2\n', stderr: '' });
  expect((await run('group lag readers -o name')).stdout).toContain('orders:0:7\n');
  expect(await consume('readers', 7)).toMatchObject({ stdout: 'v3\nv4\nv5\nv6\nv7\nv8\nv9\n' });
  expect((await run('group lag readers -o name')).stdout).toContain('orders:0:0\n');
  expect((await consume('others', 10)).stdout).toBe('v0\nv1\nv2\nv3\nv4\nv5\nv6\nv7\nv8\nv9\n');
  const { stdout } = await run('group explain readers');
  expect(stdout).toMatch(/joined +millrace-cli/);
  expect(stdout).toMatch(/left +millrace-cli/);
  expect(stdout).toMatch(/MEMBER +REBALANCES +WITHOUT-PARTITIONS +LONGEST/);
}, 30_000);

test('a live group is not moved, and its members are named', async () => {
  await using millrace = new Millrace({ bootstrap: cluster.bootstrap, clientId: 'till' });
  await using consumer = millrace.consumer({ groupId: 'live', autoOffsetReset: 'earliest' });
  consumer.subscribe(['orders']);
  await consumer.poll();
  const refused = await run('group reset live --topic orders --to-earliest --execute');
  expect(refused).toMatchObject({ code: 5, stdout: '' });
  expect(refused.stderr).toMatch(/group live is \w+ with 1 member: till \(\S+\)/);
  expect((await run('group delete live --yes')).code).toBe(5);
  expect((await run('group describe live')).stdout).toMatch(/live +orders +0 .* till\n/);
  expect((await run('group members live')).stdout).toMatch(/live +\S+ +\S+ +till +2\n/);
}, 30_000);
