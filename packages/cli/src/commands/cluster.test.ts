/** Commands about the cluster, its brokers and its quorum: what they print, and when they say "unhealthy". */
import { ManualClock, MillraceError } from '@millrace/core';
import { expect, test } from 'vitest';
import { FakeCluster } from '../testing/fake-cluster.ts';
import { type CliTestOptions, runCli } from '../testing/run-cli.ts';

const run = (cluster: FakeCluster, line: string, options: CliTestOptions = {}) =>
  runCli(line.split(' '), { cluster, ...options });

test('cluster info, broker and quorum commands print tables', async () => {
  const cluster = new FakeCluster();
  cluster.addTopic('orders', 3);
  cluster.brokers = cluster.brokers.map((each) => (each.id === 2 ? { ...each, fenced: true } : each));
  expect((await run(cluster, 'cluster info')).stdout).toMatchInlineSnapshot(`
    "Cluster id:        cluster-of-the-test-22
    Controller:        1
    Metadata offset:   77
    Topics:            1
    Partitions:        3
    Without leader:    0
    Under-replicated:  0
    Under min ISR:     0

    ID  HOST    PORT  RACK  STATE
     1  node-1  9191  r1    active
     2  node-2  9191  r2    fenced
     3  node-3  9191  -     active
    "
  `);
  expect((await run(cluster, 'broker list -o wide')).stdout).toMatchInlineSnapshot(`
    "ID  HOST    PORT  RACK  STATE   EPOCH
     1  node-1  9191  r1    active    101
     2  node-2  9191  r2    fenced    102
     3  node-3  9191  -     active    103
    "
  `);
  expect((await run(cluster, 'broker describe 1')).stdout).toMatchInlineSnapshot(`
    "Id:                 1
    Address:            node-1:9191
    Rack:               r1
    State:              active
    Broker epoch:       101
    Active controller:  yes
    Partitions led:     1
    Replicas:           3
    Out of sync:        0
    "
  `);
  expect((await run(cluster, 'quorum status')).stdout).toMatchInlineSnapshot(`
    "ClusterId:             cluster-of-the-test-22
    LeaderId:              1
    LeaderEpoch:           4
    HighWatermark:         77
    MaxFollowerLag:        77
    MaxFollowerLagTimeMs:  40
    CurrentVoters:         [{"id":1,"directoryId":"dir-1","address":"host-1:9191","lag":"0"},{"id":2,"directoryId":"dir-2","address":"host-2:9191","lag":"2"},{"id":3,"directoryId":"dir-3","address":"host-3:9191","lag":"77"}]
    CurrentObservers:      [{"id":4,"directoryId":"dir-4","address":"host-4:9191","lag":"0"}]
    "
  `);
  expect((await run(cluster, 'quorum replication')).stdout).toMatchInlineSnapshot(`
    "NodeId  DirectoryId  LogEndOffset  Lag  LastContactMs  LastCaughtUpMs  Status
         1  dir-1                  77    0              0               0  Leader
         2  dir-2                  75    2             12              40  Follower
         3  dir-3                  -1   77              -               -  Follower
         4  dir-4                  77    0              3               3  Observer
    "
  `);
});

test('int64 values are strings in JSON', async () => {
  const cluster = new FakeCluster();
  const info = JSON.parse((await run(cluster, 'cluster info -o json')).stdout);
  expect(info.metadataOffset).toBe('77');
  expect(info.brokers[0]).toEqual({
    id: 1,
    host: 'node-1',
    port: 9191,
    rack: 'r1',
    state: 'active',
    brokerEpoch: '101',
  });
  const quorum = JSON.parse((await run(cluster, 'quorum status -o json')).stdout);
  expect(quorum).toMatchObject({ leaderId: 1, leaderEpoch: '4', highWatermark: '77', maxFollowerLag: '77' });
});

test.each(['status', 'replication'])(
  'quorum %s without a leader shows who answers, and fails',
  async (verb) => {
    const cluster = new FakeCluster();
    cluster.quorumFailure = new MillraceError('QUORUM_UNAVAILABLE', 'no controller answered');
    cluster.controllerId = -1;
    cluster.statuses.set('node-2:9191', 'NOT_SERVING');
    const { code, stdout, stderr } = await run(cluster, `quorum ${verb}`);
    expect(code).toBe(3);
    expect(stdout).toMatchInlineSnapshot(`
      "ClusterId:  cluster-of-the-test-22
      LeaderId:   none

      NODE            STATUS
      localhost:9191  SERVING
      node-1:9191     SERVING
      node-2:9191     NOT_SERVING
      node-3:9191     SERVING
      "
    `);
    expect(stderr).toMatchInlineSnapshot(`
      "error: QUORUM_UNAVAILABLE: no controller leads (no controller answered); of 4 addresses known here 4 answer
        A majority of the voters must be up: start the nodes that are down.
      "
    `);
    const value = JSON.parse((await run(cluster, `quorum ${verb} -o json`)).stdout);
    expect(value).toMatchObject({ leaderId: null, nodes: [{ status: 'SERVING' }, {}, {}, {}] });
  },
);

test('quorum status of a cluster of which nobody answers says what every command says', async () => {
  const cluster = new FakeCluster();
  cluster.failure = new MillraceError('CONNECTION_FAILED', 'no node answered');
  const { code, stdout, stderr } = await run(cluster, 'quorum status');
  expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
  expect(stderr).toContain('CONNECTION_FAILED: no node answered');
});

test('quorum status waits for a leader only shortly, unless it is told how long', async () => {
  const cluster = new FakeCluster();
  await run(cluster, 'quorum status');
  await run(cluster, 'quorum status --timeout 9s');
  expect(cluster.quorumWaitsMs).toEqual([4_000, 9_000]);
});

test('cluster health is 0 when all is well and 7 otherwise, with the reasons', async () => {
  const cluster = new FakeCluster();
  cluster.addTopic('orders', 2);
  expect((await run(cluster, 'cluster health')).code).toBe(0);
  cluster.setPartition('orders', 0, { leader: -1, isr: [] });
  cluster.controllerId = -1;
  const sick = await run(cluster, 'cluster health');
  expect(sick.code).toBe(7);
  expect(sick.stdout).toMatchInlineSnapshot(`
    "Healthy:           no
    Controller:        none
    Brokers:           3
    Without leader:    1
    Under min ISR:     1
    Under-replicated:  1
    Problem:           no active controller: a majority of controllers must be up
    Problem:           1 partition without a leader: neither readable nor writable
    Problem:           1 partition below min.insync.replicas: acks=all writes fail
    Problem:           1 partition under-replicated: replicas are catching up or down
    "
  `);
  cluster.failure = new MillraceError('CONNECTION_FAILED', 'nobody there');
  const gone = await run(cluster, 'cluster health -o json');
  expect(gone.code).toBe(7);
  expect(JSON.parse(gone.stdout).problems).toEqual([
    'the cluster does not answer: nobody there [localhost:9191]',
  ]);
});

test('cluster health --exit-when-healthy waits, also for a cluster that does not answer yet', async () => {
  const cluster = new FakeCluster();
  cluster.failure = new MillraceError('CONNECTION_FAILED');
  const clock = new ManualClock();
  const running = run(cluster, 'cluster health --exit-when-healthy', { clock });
  await passTime(clock, () => cluster.described === 3);
  cluster.failure = undefined;
  await passTime(clock, () => cluster.closed === 1);
  expect((await running).code).toBe(0);
});

test('cluster health --exit-when-healthy gives up with 7 when the time is over', async () => {
  const cluster = new FakeCluster();
  cluster.controllerId = -1;
  const clock = new ManualClock();
  const running = run(cluster, 'cluster health --exit-when-healthy --timeout 1s', { clock });
  await passTime(clock, () => cluster.closed === 1);
  const { code, stdout } = await running;
  expect(code).toBe(7);
  expect(stdout).toContain('Healthy:');
});

test('cluster health --watch goes on until interrupted', async () => {
  const cluster = new FakeCluster();
  const clock = new ManualClock();
  const interruption = new AbortController();
  const running = run(cluster, 'cluster health --watch 1s', { clock, interrupted: interruption.signal });
  await passTime(clock, () => cluster.described === 3);
  interruption.abort('SIGINT');
  const { code, stdout } = await running;
  expect(code).toBe(130);
  expect(stdout.match(/Healthy/g)!.length).toBeGreaterThanOrEqual(2);
});

test('the container probe is 0 or 7, and says of each node whether it serves', async () => {
  const cluster = new FakeCluster();
  expect(await run(cluster, 'health')).toMatchObject({
    code: 0,
    stdout: 'healthy\nNODE            STATUS\nlocalhost:9191  SERVING\n',
  });
  cluster.statuses.set('localhost:9191', 'NOT_SERVING');
  expect(await run(cluster, 'health')).toMatchObject({
    code: 7,
    stdout:
      'unhealthy: localhost:9191 answers, but does not serve: it is starting or stopping\n' +
      'NODE            STATUS\nlocalhost:9191  NOT_SERVING\n',
  });
  cluster.failure = new MillraceError('REQUEST_TIMED_OUT', 'no answer in 2000 ms');
  const gone = await run(cluster, 'health -o json');
  expect(gone.code).toBe(7);
  expect(JSON.parse(gone.stdout)).toEqual({
    healthy: false,
    reason: 'localhost:9191 does not answer: no answer in 2000 ms',
    nodes: [
      {
        node: 'localhost:9191',
        status: 'UNREACHABLE',
        reason: 'localhost:9191 does not answer: no answer in 2000 ms',
      },
    ],
  });
});

test('health --all asks every node of the cluster; without it, a neighbour that is down is no concern', async () => {
  const cluster = new FakeCluster();
  cluster.statuses.set('node-2:9191', 'NOT_SERVING');
  expect((await run(cluster, 'health')).code).toBe(0);
  const all = await run(cluster, 'health --all');
  expect(all.code).toBe(7);
  expect(all.stdout).toContain(
    'NODE         STATUS\nnode-1:9191  SERVING\nnode-2:9191  NOT_SERVING\nnode-3:9191  SERVING\n',
  );
  cluster.failure = new MillraceError('CONNECTION_FAILED', 'nobody there');
  const gone = await run(cluster, 'health --all');
  expect(gone).toMatchObject({ code: 7 });
  expect(gone.stdout).toContain('unhealthy: nobody there [localhost:9191]');
});

test('partition elect-leader tells what became of each partition', async () => {
  const cluster = new FakeCluster();
  cluster.addTopic('orders', 2);
  const elected = await run(cluster, 'partition elect-leader orders');
  expect(elected.code).toBe(0);
  expect(elected.stdout).toMatchInlineSnapshot(`
    "TOPIC   PARTITION  LEADER  RESULT
    orders          0       1  elected
    orders          1       1  not needed
    "
  `);
  expect((await run(cluster, 'partition elect-leader')).code).toBe(2);
  expect((await run(cluster, 'partition elect-leader orders --unclean')).code).toBe(2);
  expect((await run(cluster, 'partition elect-leader orders -p 4')).code).toBe(4);
});

/** Moves the clock until something has happened; real time goes by only as the event loop turns. */
async function passTime(clock: ManualClock, happened: () => boolean): Promise<void> {
  while (!happened()) {
    clock.advance(50);
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}

test('voters are added and removed by node id, and what is no node id is a usage error', async () => {
  const cluster = new FakeCluster();
  const added = await run(cluster, 'quorum add-voter 4');
  expect(added).toMatchObject({ code: 0, stdout: 'Node 4 with directory dir-4 votes now.\n' });
  const removed = await run(cluster, 'quorum remove-voter 3 --directory dir-3');
  expect(removed).toMatchObject({ code: 0, stdout: 'Node 3 with directory dir-3 votes no longer.\n' });
  expect((await run(cluster, 'quorum add-voter 9')).code).toBe(4);
  expect((await run(cluster, 'quorum remove-voter 3 --directory other')).code).toBe(4);
  expect((await run(cluster, 'quorum add-voter four')).code).toBe(2);
});
