/** Group commands that look: what they print in each format, under Kafka's headings. */
import { MillraceError } from '@millrace/core';
import { beforeEach, expect, test } from 'vitest';
import { FakeCluster } from '../testing/fake-cluster.ts';
import { type CliTestOptions, runCli } from '../testing/run-cli.ts';

let cluster: FakeCluster;

beforeEach(() => {
  cluster = new FakeCluster();
  cluster.addTopic('orders', 3);
  // Records are a millisecond apart; the fake's wall clock shows a minute after the first.
  for (let i = 0; i < 10; i++) cluster.append('orders', 0, { topic: 'orders', value: 'v' });
  cluster.groups.commit('billing', { topic: 'orders', partition: 0, offset: 4n });
  cluster.groups.commit('billing', { topic: 'orders', partition: 1, offset: 0n });
  cluster.groups.join('shipping', 'app', 'orders', [0, 1]);
  cluster.groups.commit('shipping', { topic: 'orders', partition: 0, offset: 10n });
});

const run = (line: string, options: CliTestOptions = {}) => runCli(line.split(' '), { cluster, ...options });

test('group list prints type and state, and filters', async () => {
  expect((await run('groups ls')).stdout).toMatchInlineSnapshot(`
    "GROUP     TYPE      STATE
    billing   consumer  Empty
    shipping  consumer  Stable
    "
  `);
  expect((await run('group list --state stable,dead -o name')).stdout).toBe('shipping\n');
  expect((await run('group list -r ^bill -o name')).stdout).toBe('billing\n');
  expect((await run('group list --type classic -o json')).stdout).toBe('{\n  "groups": []\n}\n');
});

test('group describe prints what Kafka prints, and lag in time', async () => {
  const shipping = await run('group describe shipping');
  expect(shipping).toMatchInlineSnapshot(`
    {
      "code": 0,
      "stderr": "",
      "stdout": "GROUP     TOPIC   PARTITION  CURRENT-OFFSET  LOG-END-OFFSET  LAG  TIME-LAG  CONSUMER-ID  HOST      CLIENT-ID
    shipping  orders          0              10              10    0         0  app-id       10.0.0.7  app
    shipping  orders          1               -               0    -         -  app-id       10.0.0.7  app
    ",
    }
  `);
  const billing = await run('group describe billing');
  expect(billing).toMatchInlineSnapshot(`
    {
      "code": 0,
      "stderr": "Group billing has no members; its state is Empty.
    ",
      "stdout": "GROUP    TOPIC   PARTITION  CURRENT-OFFSET  LOG-END-OFFSET  LAG  TIME-LAG  CONSUMER-ID  HOST  CLIENT-ID
    billing  orders          0               4              10    6     59.9s  -            -     -
    billing  orders          1               0               0    0         0  -            -     -
    ",
    }
  `);
  expect((await run('group describe -q -o name')).stdout.split('\n')).toContain('orders:0:4');
});

test('group describe as JSON keeps its shape', async () => {
  const { groups } = JSON.parse((await run('group describe shipping -o json')).stdout);
  expect(groups).toMatchInlineSnapshot(`
    [
      {
        "assignmentEpoch": 3,
        "assignor": "uniform",
        "epoch": 3,
        "groupId": "shipping",
        "members": [
          {
            "assignment": [
              {
                "partition": 0,
                "topic": "orders",
              },
              {
                "partition": 1,
                "topic": "orders",
              },
            ],
            "clientHost": "10.0.0.7",
            "clientId": "app",
            "groupInstanceId": null,
            "memberEpoch": 3,
            "memberId": "app-id",
            "rackId": "",
            "subscribedTopicRegex": "",
            "subscribedTopics": [
              "orders",
            ],
            "targetAssignment": [
              {
                "partition": 0,
                "topic": "orders",
              },
              {
                "partition": 1,
                "topic": "orders",
              },
            ],
            "type": "consumer",
          },
        ],
        "offsets": [
          {
            "committed": "10",
            "lag": "0",
            "lagMs": 0,
            "logEnd": "10",
            "logStart": "0",
            "memberId": "app-id",
            "partition": 0,
            "topic": "orders",
          },
          {
            "committed": null,
            "lag": null,
            "lagMs": null,
            "logEnd": "0",
            "logStart": "0",
            "memberId": "app-id",
            "partition": 1,
            "topic": "orders",
          },
        ],
        "protocolType": "consumer",
        "state": "Stable",
        "type": "consumer",
      },
    ]
  `);
});

test('group lag sums up, and says what is not known', async () => {
  expect((await run('group lag billing shipping')).stdout).toMatchInlineSnapshot(`
    "GROUP     TOPIC   PARTITION  CURRENT-OFFSET  LOG-END-OFFSET  LAG  TIME-LAG
    billing   orders          0               4              10    6     59.9s
    billing   orders          1               0               0    0         0
    shipping  orders          0              10              10    0         0
    shipping  orders          1               -               0    -         -
    "
  `);
  const { groups } = JSON.parse((await run('group lag billing -o json')).stdout);
  expect(groups).toMatchObject([{ groupId: 'billing', totalLag: '6', maxLagMs: 59_996 }]);
  expect((await run('group lag shipping -o name')).stdout).toBe('orders:0:0\norders:1:\n');
});

test('group members and group state are parts of describe', async () => {
  expect((await run('group members shipping')).stdout).toMatchInlineSnapshot(`
    "GROUP     CONSUMER-ID  HOST      CLIENT-ID  #PARTITIONS
    shipping  app-id       10.0.0.7  app                  2
    "
  `);
  expect((await run('group describe shipping --members')).stdout).toBe(
    (await run('group members shipping')).stdout,
  );
  expect((await run('group members shipping -o wide')).stdout).toMatchInlineSnapshot(`
    "GROUP     CONSUMER-ID  GROUP-INSTANCE-ID  HOST      CLIENT-ID  #PARTITIONS  RACK  EPOCH  SUBSCRIPTION  ASSIGNMENT  TARGET-ASSIGNMENT
    shipping  app-id       -                  10.0.0.7  app                  2  -         3  orders        orders:0,1  orders:0,1
    "
  `);
  expect((await run('group state')).stdout).toMatchInlineSnapshot(`
    "GROUP     COORDINATOR (ID)  ASSIGNMENT-STRATEGY  STATE   #MEMBERS
    billing   node-1:9191 (1)   uniform              Empty          0
    shipping  node-1:9191 (1)   uniform              Stable         1
    "
  `);
  expect((await run('group describe shipping --state')).stdout).toBe(
    (await run('group state shipping')).stdout,
  );
  expect((await run('group describe shipping --state --members')).code).toBe(2);
});

test('group explain is a time line with causes, and what it cost each member', async () => {
  const group = cluster.groups.group('shipping');
  const event = { epoch: 3, groupInstanceId: '', gained: [], lost: [], withoutMs: null };
  const first = { memberId: 'aaaaaaaa-1', clientId: 'app' };
  const second = { memberId: 'bbbbbbbb-2', clientId: 'app' };
  const orders = (partition: number) => ({ topic: 'orders', partition });
  const atMs = 1_700_000_000_000;
  group.droppedEvents = 7;
  group.events = [
    { ...event, ...first, atMs, kind: 'joined', cause: 'subscribed to orders' },
    {
      ...event,
      ...second,
      atMs: atMs + 10,
      kind: 'expired',
      cause: 'missed heartbeats for 45.0 s',
      lost: [orders(0), orders(1)],
    },
    {
      ...event,
      ...first,
      atMs: atMs + 20,
      kind: 'assigned',
      cause: 'from app',
      gained: [orders(0)],
      withoutMs: 1_234,
    },
    { ...event, memberId: '', clientId: '', atMs: atMs + 30, kind: 'stable', cause: '' },
  ];
  group.pauses = [
    { memberId: 'aaaaaaaa-1', clientId: 'app', rebalances: 2, waitedMs: 1_500, longestWaitMs: 1_234 },
  ];
  expect((await run('group explain shipping')).stdout).toMatchInlineSnapshot(`
    "Group:           shipping
    Type:            consumer
    State:           Stable
    Earlier events:  7, not kept

    TIME                      EPOCH  EVENT     MEMBER        PARTITIONS   WITHOUT  CAUSE
    2023-11-14T22:13:20.000Z      3  joined    app/aaaaaaaa  -                  -  subscribed to orders
    2023-11-14T22:13:20.010Z      3  expired   app/bbbbbbbb  -orders:0,1        -  missed heartbeats for 45.0 s
    2023-11-14T22:13:20.020Z      3  assigned  app/aaaaaaaa  +orders:0       1.2s  from app
    2023-11-14T22:13:20.030Z      3  stable    -             -                  -  -

    MEMBER        REBALANCES  WITHOUT-PARTITIONS  LONGEST
    app/aaaaaaaa           2                1.5s     1.2s
    "
  `);
  const value = JSON.parse((await run('group explain shipping -o json')).stdout);
  expect(value).toMatchObject({ groupId: 'shipping', droppedEvents: 7, members: [{ longestWaitMs: 1_234 }] });
  expect(value.events[0]).toMatchObject({ at: '2023-11-14T22:13:20.000Z', kind: 'joined' });
});

test('a group without a history is explained, too', async () => {
  expect((await run('group explain billing')).stdout).toMatchInlineSnapshot(`
    "Group:   billing
    Type:    consumer
    State:   Empty
    Events:  none since this coordinator took the group over
    "
  `);
});

test('a group that does not exist is exit code 4', async () => {
  for (const verb of ['describe', 'members', 'state', 'lag', 'explain', 'delete --yes']) {
    expect({ verb, ...(await run(`group ${verb} nobody`)) }).toMatchObject({ verb, code: 4, stdout: '' });
  }
});

test('failures of the cluster are those of every command', async () => {
  cluster.failure = new MillraceError('CONNECTION_FAILED', 'nobody answers');
  expect((await run('group list')).code).toBe(3);
});

test('group names are completed', async () => {
  expect((await runCli(['__complete', 'group', 'describe', 's'], { cluster })).stdout).toBe('shipping\n');
});
