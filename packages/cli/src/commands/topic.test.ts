/** Topic commands: what they print in each format, and what they ask of the cluster. */
import { Readable } from 'node:stream';
import { MillraceError } from '@millrace/core';
import { beforeEach, expect, test } from 'vitest';
import { FakeCluster } from '../testing/fake-cluster.ts';
import { type CliTestOptions, runCli } from '../testing/run-cli.ts';

let cluster: FakeCluster;

beforeEach(() => {
  cluster = new FakeCluster();
  cluster.addTopic('orders', 3);
  cluster.addTopic('orders.dlq', 1);
});

const run = (line: string, options: CliTestOptions = {}) => runCli(line.split(' '), { cluster, ...options });

test('topic list prints names and counts; with -o name one cheap call', async () => {
  expect((await run('topics ls')).stdout).toMatchInlineSnapshot(`
    "NAME        PARTITIONS  REPLICAS
    orders               3         3
    orders.dlq           1         3
    "
  `);
  expect((await run('topic list -r dlq$ -o name')).stdout).toBe('orders.dlq\n');
  expect((await run('topic list -o yaml -r ^orders$')).stdout).toMatchInlineSnapshot(`
    "topics:
      - name: orders
        topicId: b3JkZXJzLi4uLi4uLi4uLg
        partitionCount: 3
        replicationFactor: 3
        internal: false
    "
  `);
});

test('topic describe prints what Kafka prints', async () => {
  cluster.setPartition('orders', 1, { leader: -1, isr: [], elr: [2], lastKnownElr: [3] });
  cluster.setPartition('orders', 2, { isr: [3, 1] });
  expect((await run('topic describe orders')).stdout).toMatchInlineSnapshot(`
    "Topic: orders	TopicId: b3JkZXJzLi4uLi4uLi4uLg	PartitionCount: 3	ReplicationFactor: 3	Configs: min.insync.replicas=2
    	Topic: orders	Partition: 0	Leader: 1	Replicas: 1,2,3	Isr: 1,2,3	Elr: 	LastKnownElr: 
    	Topic: orders	Partition: 1	Leader: none	Replicas: 2,3,1	Isr: 	Elr: 2	LastKnownElr: 3
    	Topic: orders	Partition: 2	Leader: 3	Replicas: 3,1,2	Isr: 3,1	Elr: 	LastKnownElr: 
    "
  `);
});

test('topic describe filters partitions', async () => {
  cluster.setPartition('orders', 1, { leader: -1, isr: [] });
  cluster.setPartition('orders', 2, { isr: [3, 1] });
  const partitions = async (flag: string) =>
    [...(await run(`topic describe ${flag}`)).stdout.matchAll(/Partition: (\d)/g)].map(([, id]) =>
      Number(id),
    );
  expect(await partitions('--under-replicated')).toEqual([1, 2]);
  expect(await partitions('--unavailable')).toEqual([1]);
  expect(await partitions('--under-min-isr')).toEqual([1]);
  expect(await partitions('--at-min-isr')).toEqual([2]);
});

test('topic describe as JSON keeps its shape', async () => {
  cluster.setPartition('orders.dlq', 0, { leader: -1 });
  const { stdout } = await run('topic describe orders.dlq -o json');
  expect(JSON.parse(stdout)).toEqual({
    topics: [
      {
        topic: 'orders.dlq',
        topicId: expect.stringMatching(/^[\w-]{22}$/),
        partitionCount: 1,
        replicationFactor: 3,
        configs: { 'min.insync.replicas': '2' },
        partitions: [
          {
            partition: 0,
            leader: null,
            leaderEpoch: 0,
            replicas: [1, 2, 3],
            isr: [1, 2, 3],
            elr: [],
            lastKnownElr: [],
            partitionEpoch: 0,
          },
        ],
      },
    ],
  });
});

test('topic create makes what it can, reports the rest, and warns of names that collide in metrics', async () => {
  const created = await run('topic create orders a_b.c -p 2 -r 1 -c retention.ms=5');
  expect(created.code).toBe(5);
  expect(created.stdout).toBe('Created topic a_b.c.\n');
  expect(created.stderr).toMatchInlineSnapshot(`
    "warning: topic a_b.c has "." and "_" in its name; metric names may not tell them apart.
    error: TOPIC_ALREADY_EXISTS: topic orders exists already
      A topic of this name exists already.
    "
  `);
  expect(cluster.topic('a_b.c').info.partitions).toHaveLength(2);
  expect((await run('topic create orders --if-not-exists')).code).toBe(0);
  expect((await run('topic create fresh --dry-run')).stdout).toBe('Would create topic fresh.\n');
  expect(cluster.topics.has('fresh')).toBe(false);
});

test('topic delete needs --yes without a terminal, and asks on one', async () => {
  const refused = await run('topic delete orders');
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain('--yes');
  const declined = await run('topic delete orders', { terminal: true, stdin: 'n\n' });
  expect(declined.code).toBe(1);
  expect(declined.stderr).toContain('Delete orders with all records? [y/N]');
  expect(cluster.topics.has('orders')).toBe(true);

  const agreed = await run('topic delete orders', { terminal: true, stdin: 'yes\n' });
  expect(agreed).toMatchObject({ code: 0, stdout: 'Deleted topic orders.\n' });
  expect((await run('topic rm orders --yes')).code).toBe(4);
  expect((await run('topic rm orders --yes --if-exists')).code).toBe(0);
});

test('an interrupted question is no, and the exit code says interrupted', async () => {
  const interruption = new AbortController();
  const running = run('topic delete orders', {
    terminal: true,
    stdin: new Readable({ read() {} }),
    interrupted: interruption.signal,
  });
  interruption.abort('SIGINT');
  expect((await running).code).toBe(130);
  expect(cluster.topics.has('orders')).toBe(true);
});

test('topic add-partitions takes a total or a number to add', async () => {
  expect((await run('topic add-partitions orders --by 2')).stdout).toBe(
    'Topic orders has 5 partitions (before: 3).\n',
  );
  expect((await run('topic add-partitions orders -p 2')).code).toBe(1);
  expect((await run('topic add-partitions orders')).code).toBe(2);
  expect((await run('topic add-partitions orders -p 5 --by 1')).code).toBe(2);
});

test('topic offsets prints ranges, or the offset at a time', async () => {
  for (const value of ['a', 'b', 'c'])
    cluster.append('orders', 1, { topic: 'orders', value: Buffer.from(value) });
  expect((await run('topic offsets orders')).stdout).toMatchInlineSnapshot(`
    "TOPIC   PARTITION  EARLIEST  LATEST  RECORDS
    orders          0         0       0        0
    orders          1         0       3        3
    orders          2         0       0        0
    "
  `);
  expect((await run('topic offsets orders -p 1 --time 1700000000001 -o json')).stdout).toMatchInlineSnapshot(`
    "{
      "offsets": [
        {
          "topic": "orders",
          "partition": 1,
          "offset": "1",
          "timestamp": "1700000000001"
        }
      ]
    }
    "
  `);
  expect((await run('topic offsets orders --time 2030-01-01 -o name')).stdout).toBe(
    'orders:0:\norders:1:\norders:2:\n',
  );
  expect((await run('topic offsets orders -p 7')).code).toBe(4);
});

test('topic truncate deletes up to an offset or the end', async () => {
  cluster.append('orders', 0, { topic: 'orders', value: null });
  expect((await run('topic truncate orders --before 1 -p 0 --yes -o name')).stdout).toBe('orders:0:1\n');
  expect((await run('topic truncate orders --before end -p 0 --yes -o name')).stdout).toBe('orders:0:1\n');
  expect((await run('topic truncate orders --before soon --yes')).code).toBe(2);
  expect((await run('topic truncate orders --before 1')).code).toBe(2);
});

test('topic config and config act on the same things', async () => {
  expect((await run('topic config get orders')).stdout).toMatchInlineSnapshot(`
    "KEY                  VALUE  SOURCE
    min.insync.replicas  2      topic
    "
  `);
  expect((await run('config get topic/orders retention.ms -o wide')).stdout).toMatchInlineSnapshot(`
    "KEY           VALUE      SOURCE   TYPE  READ-ONLY  DESCRIPTION
    retention.ms  604800000  default  ms    false      How long.
    "
  `);
  await run('topic config set orders retention.ms=1 segment.ms=60000');
  await run('config unset topic/orders retention.ms');
  await run('config set cluster log.retention.ms=9');
  await run('config set broker/2 a=b=c');
  expect(cluster.changes).toEqual([
    { resource: { kind: 'topic', name: 'orders' }, name: 'retention.ms', value: '1' },
    { resource: { kind: 'topic', name: 'orders' }, name: 'segment.ms', value: '60000' },
    { resource: { kind: 'topic', name: 'orders' }, name: 'retention.ms', value: null },
    { resource: { kind: 'cluster', name: '' }, name: 'log.retention.ms', value: '9' },
    { resource: { kind: 'broker', name: '2' }, name: 'a', value: 'b=c' },
  ]);
  expect((await run('config get topc/orders')).code).toBe(2);
  expect((await run('config set cluster nonsense')).code).toBe(2);
});

test('a key that only the file of a node has is told from one that does not exist', async () => {
  const isNodeKey = (key: string) => key === 'group.consumer.session.timeout.ms';
  const told =
    "group.consumer.session.timeout.ms is a key of a node's configuration file; it is neither read nor changed at run time";
  const got = await run('config get broker/1 group.consumer.session.timeout.ms', { isNodeKey });
  expect(got).toMatchObject({ code: 4, stderr: expect.stringContaining(told) });
  const none = await run('config get broker/1 group.session', { isNodeKey });
  expect(none).toMatchObject({ code: 4, stderr: expect.stringContaining('no configuration key is called') });
  cluster.failure = new MillraceError(
    'INVALID_CONFIG',
    'broker 1: unknown broker key "group.consumer.session.timeout.ms"',
  );
  const set = await run('config set broker/1 group.consumer.session.timeout.ms=1', { isNodeKey });
  expect(set).toMatchObject({ code: 1, stderr: expect.stringContaining(told) });
});

test('what the cluster refuses keeps its reason', async () => {
  cluster.failure = new MillraceError('INVALID_REPLICATION_FACTOR', 'replication factor 5 with 3 brokers');
  expect((await run('topic create many -r 5')).stderr).toMatchInlineSnapshot(`
    "error: INVALID_REPLICATION_FACTOR: replication factor 5 with 3 brokers
      The replication factor must be at least 1 and at most the number of live brokers.
    "
  `);
});

test('the refusal of an internal topic says nothing of characters in names', async () => {
  cluster.failure = new MillraceError(
    'INVALID_TOPIC_EXCEPTION',
    'topic __consumer_offsets is internal: it stays',
  );
  const { stderr } = await run('topic delete __consumer_offsets --yes');
  expect(stderr).toContain('the topic is internal');
  expect(stderr).not.toContain('a-z');
});
