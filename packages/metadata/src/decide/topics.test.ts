/** Topics: creation, growth, deletion and configuration, and what is refused of each. */
import { expect, test } from 'vitest';
import type { ConfigChange, NewTopic } from '../command.ts';
import { clusterConfigOf, topicConfigOf } from '../effective-config.ts';
import { topicByName } from '../image.ts';
import { Scenario } from '../testing/scenario.ts';
import { alterConfigs } from './alter-configs.ts';
import { createPartitions } from './create-partitions.ts';
import { createTopics } from './create-topics.ts';
import { deleteTopics } from './delete-topics.ts';

function create(cluster: Scenario, ...topics: (Partial<NewTopic> & { name: string })[]) {
  const complete = topics.map((topic) => ({ partitionCount: -1, replicationFactor: -1, ...topic }));
  return cluster.run(createTopics(cluster.image, { topics: complete }, cluster.context)).topics;
}

function alter(cluster: Scenario, ...changes: ConfigChange[]) {
  return cluster.run(alterConfigs(cluster.image, { changes }, cluster.context)).resources;
}

const topic = (name: string) => ({ kind: 'topic', name }) as const;
const compact = { 'cleanup.policy': 'compact' };
const cluster_ = { kind: 'cluster', name: '' } as const;

test('a topic without numbers gets the defaults of the cluster', () => {
  const cluster = new Scenario().start(1, 2, 3);
  alter(
    cluster,
    { resource: cluster_, name: 'num.partitions', value: '6' },
    { resource: cluster_, name: 'default.replication.factor', value: '3' },
  );
  expect(create(cluster, { name: 't' })).toMatchObject([{ partitionCount: 6, replicationFactor: 3 }]);
  expect(topicByName(cluster.image, 't')?.partitions).toHaveLength(6);
});

const refused: [string, Partial<NewTopic> & { name: string }, string, string][] = [
  ['an illegal name', { name: 'a b' }, 'INVALID_TOPIC_EXCEPTION', 'has a character outside'],
  ['the name of the metadata log', { name: '__cluster_metadata' }, 'INVALID_REQUEST', 'own log of metadata'],
  ['a name that exists', { name: 'a.b' }, 'TOPIC_ALREADY_EXISTS', 'topic a.b exists already'],
  ['a name that collides', { name: 'a_b' }, 'INVALID_TOPIC_EXCEPTION', 'collides with topic a.b'],
  ['no partitions', { name: 't', partitionCount: 0 }, 'INVALID_PARTITIONS', 'would have 0 partitions'],
  ['too many partitions', { name: 't', partitionCount: 10_001 }, 'POLICY_VIOLATION', 'at most 10000'],
  [
    'more replicas than brokers',
    { name: 't', replicationFactor: 4 },
    'INVALID_REPLICATION_FACTOR',
    'replication factor 4 is larger than the cluster: 3 brokers are registered',
  ],
  ['no replicas', { name: 't', replicationFactor: 0 }, 'INVALID_REPLICATION_FACTOR', 'is less than 1'],
  ['an unknown key', { name: 't', configs: { nonsense: '1' } }, 'INVALID_CONFIG', 'unknown key "nonsense"'],
  [
    'a bad value',
    { name: 't', configs: { 'retention.ms': 'soon', 'min.insync.replicas': '0' } },
    'INVALID_CONFIG',
    'retention.ms=soon must be an integer in [-1,...]',
  ],
  [
    'an unknown broker',
    assigned([[1, 9]]),
    'INVALID_REPLICA_ASSIGNMENT',
    'broker 9, which is not registered',
  ],
  ['a broker twice', assigned([[1, 1]]), 'INVALID_REPLICA_ASSIGNMENT', 'two replicas of partition 0'],
  ['an uneven assignment', assigned([[1, 2], [3]]), 'INVALID_REPLICA_ASSIGNMENT', '1 replicas and others 2'],
];

function assigned(replicas: number[][]): Partial<NewTopic> & { name: string } {
  return { name: 't', assignments: replicas.map((ids, partition) => ({ partition, replicas: ids })) };
}

test.each(refused)('a topic with %s is refused', (_what, bad, code, message) => {
  const cluster = new Scenario().start(1, 2, 3);
  create(cluster, { name: 'a.b' });
  const [failed, good] = create(cluster, bad, { name: 'good' });
  expect(failed?.failure?.code).toBe(code);
  expect(failed?.failure?.message).toContain(message);
  expect(good?.failure).toBeUndefined();
});

test('names in one request are checked against each other', () => {
  const cluster = new Scenario().start(1);
  const codes = create(cluster, { name: 'x' }, { name: 'x' }, { name: 'y.z' }, { name: 'y_z' });
  expect(codes.map((result) => result.failure?.code)).toEqual([
    'INVALID_REQUEST',
    'INVALID_REQUEST',
    undefined,
    'INVALID_TOPIC_EXCEPTION',
  ]);
});

test('without a live broker no topic can be created', () => {
  const cluster = new Scenario();
  cluster.register(1);
  expect(create(cluster, { name: 't' })[0]?.failure?.message).toBe('none of the 1 brokers is alive');
});

test('replicas on dead brokers are out of sync from the start', () => {
  const cluster = new Scenario().start(1, 2);
  cluster.register(3);
  create(cluster, { name: 't', replicationFactor: 3 });
  const { replicas, isr } = cluster.partition('t');
  expect(replicas).toHaveLength(3);
  expect([...isr].sort()).toEqual([1, 2]);
});

test('validateOnly checks everything and changes nothing', () => {
  const cluster = new Scenario().start(1);
  const topics = [{ name: 't', partitionCount: 3, replicationFactor: 1 }];
  const { records, reply } = createTopics(cluster.image, { topics, validateOnly: true }, cluster.context);
  expect(records).toEqual([]);
  expect(reply.topics).toEqual([{ name: 't', topicId: '', partitionCount: 3, replicationFactor: 1 }]);
});

test('the cluster has a limit of partitions', () => {
  const cluster = new Scenario().start(1);
  create(cluster, { name: 'a', partitionCount: 10_000 });
  create(cluster, { name: 'b', partitionCount: 9999 });
  expect(create(cluster, { name: 'c', partitionCount: 2 })[0]?.failure?.code).toBe('POLICY_VIOLATION');
  expect(create(cluster, { name: 'c', partitionCount: 1 })[0]?.failure).toBeUndefined();
});

test('partitions are added, never taken away', () => {
  const cluster = new Scenario().start(1, 2);
  create(cluster, { name: 't', partitionCount: 2, replicationFactor: 2 });
  const grow = (totalCount: number, name = 't') =>
    cluster.run(createPartitions(cluster.image, { topics: [{ name, totalCount }] }, cluster.context))
      .topics[0];
  expect(grow(5)?.failure).toBeUndefined();
  expect(topicByName(cluster.image, 't')?.partitions).toHaveLength(5);
  expect(cluster.partition('t', 4).replicas).toHaveLength(2);
  expect(grow(5)?.failure).toMatchObject({ code: 'INVALID_PARTITIONS' });
  expect(grow(2)?.failure?.message).toContain('has 5 partitions; a new total of 2');
  expect(grow(9, 'nobody')?.failure?.code).toBe('UNKNOWN_TOPIC_OR_PARTITION');
});

test('a deleted topic is gone with its settings, and its name is free', () => {
  const cluster = new Scenario().start(1);
  create(cluster, { name: 't', configs: { 'retention.ms': '1' } });
  const { topicId } = cluster.partition('t');
  const remove = (names: string[], topicIds: string[] = []) =>
    cluster.run(deleteTopics(cluster.image, { names, topicIds }, cluster.context)).topics;
  expect(remove(['t', 'nobody'], [topicId]).map((result) => result.failure?.code)).toEqual([
    undefined,
    'UNKNOWN_TOPIC_OR_PARTITION',
    'INVALID_REQUEST',
  ]);
  expect(cluster.image.topicIds.size).toBe(0);
  expect(cluster.image.configs.size).toBe(0);
  expect(remove([], [topicId])[0]?.failure?.code).toBe('UNKNOWN_TOPIC_ID');
  create(cluster, { name: 't' });
  expect(cluster.partition('t').topicId).not.toBe(topicId);
});

test('the topic of offsets neither goes nor grows', () => {
  const cluster = new Scenario().start(1);
  create(cluster, { name: '__consumer_offsets', configs: compact }, { name: '__mine' });
  const names = ['__consumer_offsets', '__mine'];
  const growths = names.map((name) => ({ name, totalCount: 2 }));
  expect(
    cluster.run(createPartitions(cluster.image, { topics: growths }, cluster.context)).topics,
  ).toMatchObject([{ failure: { code: 'INVALID_TOPIC_EXCEPTION' } }, { name: '__mine' }]);
  expect(cluster.run(deleteTopics(cluster.image, { names }, cluster.context)).topics).toMatchObject([
    { failure: { code: 'INVALID_TOPIC_EXCEPTION' } },
    { name: '__mine' },
  ]);
  expect([...cluster.image.topicIds.keys()]).toEqual(['__consumer_offsets']);
});

test.each(['delete', 'compact,delete', '', undefined])(
  'the topic of offsets is compacted and nothing else: cleanup.policy=%s is refused',
  (value) => {
    const cluster = new Scenario().start(1);
    const name = '__consumer_offsets';
    const configs = value === undefined ? {} : { 'cleanup.policy': value };
    expect(create(cluster, { name, configs })[0]?.failure?.code).toBe('INVALID_CONFIG');
    create(cluster, { name, configs: compact });
    const change = { resource: topic(name), name: 'cleanup.policy', ...(value !== undefined && { value }) };
    expect(alter(cluster, change)[0]?.failure).toEqual({
      code: 'INVALID_CONFIG',
      message: `cleanup.policy of ${name} must be compact: retention would delete offsets that groups have committed`,
    });
    const other = { resource: topic(name), name: 'segment.bytes', value: '1048576' };
    expect(alter(cluster, other)[0]?.failure).toBeUndefined();
  },
);

test('a record cannot have to stay longer than it may', () => {
  const [min, max] = ['min.compaction.lag.ms', 'max.compaction.lag.ms'];
  const cluster = new Scenario().start(1);
  const both = { [min]: '1000', [max]: '10' };
  expect(create(cluster, { name: 'a', configs: both })[0]?.failure).toEqual({
    code: 'INVALID_CONFIG',
    message: `${min}=1000 must not be above ${max}=10: a record cannot both stay and be cleaned`,
  });
  create(
    cluster,
    { name: 'a', configs: { [max]: '10' } },
    { name: 'b', configs: { [min]: '10', [max]: '10' } },
  );
  const refusal = (resource: ConfigChange['resource'], name: string, value: string) =>
    alter(cluster, { resource, name, value })[0]?.failure?.code;
  expect(refusal(topic('a'), min, '11')).toBe('INVALID_CONFIG');
  expect(refusal(topic('a'), min, '10')).toBeUndefined();
  const [clusterMin, clusterMax] = [`log.cleaner.${min}`, `log.cleaner.${max}`];
  expect(refusal(cluster_, clusterMin, '500')).toBeUndefined();
  expect(refusal(cluster_, clusterMax, '499')).toBe('INVALID_CONFIG');
  expect(refusal({ kind: 'broker', name: '1' }, clusterMax, '499')).toBe('INVALID_CONFIG');
  // The cluster's minimum holds for a topic that sets only the other one.
  expect(create(cluster, { name: 'c', configs: { [max]: '499' } })[0]?.failure?.code).toBe('INVALID_CONFIG');
});

test('a setting that only an older version knew does not block a change', () => {
  const cluster = new Scenario().start(1).topic('t', [[1]]);
  const stale = { kind: 'configChanged', resource: topic('t'), name: 'preallocate', value: 'true' } as const;
  cluster.commit([stale]);
  const [changed] = alter(cluster, { resource: topic('t'), name: 'retention.ms', value: '1' });
  expect(changed?.failure).toBeUndefined();
  const [again] = alter(cluster, { resource: topic('t'), name: 'preallocate', value: 'true' });
  expect(again?.failure).toEqual({ code: 'INVALID_CONFIG', message: 'unknown topic key "preallocate"' });
});

test('deletion can be forbidden', () => {
  const cluster = new Scenario().start(1);
  alter(cluster, { resource: cluster_, name: 'delete.topic.enable', value: 'false' });
  expect(() => deleteTopics(cluster.image, { names: ['t'] }, cluster.context)).toThrow(
    expect.objectContaining({ code: 'TOPIC_DELETION_DISABLED' }),
  );
});

test('each resource changes whole or not at all', () => {
  const cluster = new Scenario().start(1);
  create(cluster, { name: 'a' }, { name: 'b' });
  const results = alter(
    cluster,
    { resource: topic('a'), name: 'retention.ms', value: '1000' },
    { resource: topic('a'), name: 'segment.bytes', value: '-1' },
    { resource: topic('b'), name: 'retention.ms', value: '2000' },
    { resource: topic('c'), name: 'retention.ms', value: '1' },
    { resource: { kind: 'broker', name: '7' }, name: 'log.retention.ms', value: '1' },
    { resource: { kind: 'broker', name: '1' }, name: 'min.insync.replicas', value: '1' },
  );
  expect(results.map((result) => result.failure?.code)).toEqual([
    'INVALID_CONFIG',
    undefined,
    'UNKNOWN_TOPIC_OR_PARTITION',
    'BROKER_ID_NOT_REGISTERED',
    'INVALID_CONFIG',
  ]);
  const retention = (name: string) =>
    topicConfigOf(cluster.image, cluster.image.topicIds.get(name)!)['retention.ms'];
  expect([retention('a'), retention('b')]).toEqual([604_800_000, 2000]);
});

test('a setting without a value goes back to its default', () => {
  const cluster = new Scenario().start(1);
  alter(cluster, { resource: cluster_, name: 'num.partitions', value: '9' });
  expect(clusterConfigOf(cluster.image)['num.partitions']).toBe(9);
  alter(cluster, { resource: cluster_, name: 'num.partitions' });
  expect(clusterConfigOf(cluster.image)['num.partitions']).toBe(1);
  expect(cluster.image.configs.size).toBe(0);
});

test('lowering min.insync.replicas ends eligibility that it no longer covers, before the change itself', () => {
  const cluster = new Scenario().start(1, 2).topic('t', [[1, 2]], { 'min.insync.replicas': '2' });
  cluster.fence(2);
  expect(cluster.state('t')).toBe('leader 1 epoch 0 isr 1 elr 2');
  alter(cluster, { resource: topic('t'), name: 'min.insync.replicas', value: '1' });
  expect(cluster.state('t')).toBe('leader 1 epoch 0 isr 1');
  expect(cluster.log.slice(-2).map((record) => record.kind)).toEqual(['partitionChanged', 'configChanged']);
});

test('raising min.insync.replicas fences in-sync set changes of leaders that have not seen it', () => {
  const cluster = new Scenario().start(1, 2).topic('t', [[1, 2]]);
  const { partitionEpoch } = cluster.partition('t');
  alter(cluster, { resource: cluster_, name: 'min.insync.replicas', value: '2' });
  expect(cluster.log.slice(-2).map((record) => record.kind)).toEqual(['configChanged', 'partitionChanged']);
  expect(cluster.alter('t', 0, [1], { partitionEpoch })?.code).toBe('INVALID_UPDATE_VERSION');
});
