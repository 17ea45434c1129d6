/** Administration over a connection to a cluster: what Kafka's own tools ask, and every answer that they read. */
import { ERRORS, type ErrorCode } from '@millrace/core';
import type { RequestDraftOf, ResponseOf } from '@millrace/kafka-api';
import { type Cluster, startCluster } from '@millrace/server';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { KafkaPeer } from './kafka-peer.ts';

const NONE = 0;
const ZERO_UUID = 'A'.repeat(22);
const [TOPIC, BROKER, LOGGER, METRICS] = [2, 4, 8, 16];
const [SET, DELETE, APPEND, SUBTRACT] = [0, 1, 2, 3];
const wire = (code: ErrorCode): number => ERRORS[code].wire;
const versions = (lowest: number, highest: number): number[] =>
  Array.from({ length: highest - lowest + 1 }, (_, i) => lowest + i);

let cluster: Cluster;
let peer: KafkaPeer;
let count = 0;

beforeAll(async () => {
  cluster = await startCluster({ nodes: 1, firstKafkaPort: 0 });
  peer = await KafkaPeer.to(cluster.kafkaBootstrap);
});

afterAll(async () => {
  peer.close();
  await cluster.close();
});

type NewTopic = RequestDraftOf<'createTopics'>['topics'][number];

const topicOf = (name: string, more: Partial<NewTopic> = {}): NewTopic => ({
  name,
  numPartitions: 2,
  replicationFactor: 1,
  assignments: [],
  configs: [],
  ...more,
});

async function create(topic: NewTopic, version = 7, validateOnly = false) {
  const { topics } = await peer.ask('createTopics', version, {
    topics: [topic],
    timeoutMs: 10_000,
    validateOnly,
  });
  return topics[0]!;
}

async function newTopic(more: Partial<NewTopic> = {}): Promise<string> {
  const name = `topic-${++count}`;
  expect(await create(topicOf(name, more))).toMatchObject({ errorCode: NONE });
  await expect.poll(() => partitionCount(name)).toBe(more.assignments?.length ?? 2);
  return name;
}

async function partitionCount(name: string): Promise<number> {
  const asked = { topics: [{ name }], allowAutoTopicCreation: false };
  return (await peer.ask('metadata', 12, asked)).topics[0]!.partitions.length;
}

async function configs(resourceType: number, resourceName: string, more: object = {}) {
  const resources = [{ resourceType, resourceName, configurationKeys: null }];
  const { results } = await peer.ask('describeConfigs', 4, { resources, ...more });
  return results[0]!;
}

async function configOf(topic: string, key: string) {
  const found = await configs(TOPIC, topic, { includeSynonyms: true, includeDocumentation: true });
  return found.configs.find(({ name }) => name === key)!;
}

async function alter(topic: string, name: string, configOperation: number, value: string | null) {
  const changes = [{ name, configOperation, value }];
  const resources = [{ resourceType: TOPIC, resourceName: topic, configs: changes }];
  return (await peer.ask('incrementalAlterConfigs', 1, { resources, validateOnly: false })).responses[0]!;
}

describe('a topic', () => {
  test.each(versions(0, 7))('is created, told about and deleted again in version %i', async (version) => {
    const name = `created-${version}`;
    const created = await create(
      topicOf(name, { configs: [{ name: 'retention.ms', value: '5000' }] }),
      version,
    );
    expect(created).toMatchObject({ name, errorCode: NONE, errorMessage: version === 0 ? '' : null });
    if (version >= 5) {
      expect(created).toMatchObject({ numPartitions: 2, replicationFactor: 1 });
      expect(created.configs).toContainEqual({
        name: 'retention.ms',
        value: '5000',
        readOnly: false,
        configSource: 1,
        isSensitive: false,
      });
    }
    expect(created.topicId === ZERO_UUID).toBe(version < 7);
    expect(await create(topicOf(name), version)).toMatchObject({ errorCode: wire('TOPIC_ALREADY_EXISTS') });
    const request = version < 6 ? { topicNames: [name] } : { topics: [{ name, topicId: ZERO_UUID }] };
    const { responses } = await peer.ask('deleteTopics', Math.min(version, 6), {
      ...request,
      timeoutMs: 9_000,
    });
    expect(responses).toMatchObject([{ name, errorCode: NONE }]);
  });

  test('is not created by a request that only asks whether it could be, which tells what it would have', async () => {
    const answer = await create(topicOf('wished', { numPartitions: -1, replicationFactor: -1 }), 7, true);
    expect(answer).toMatchObject({
      errorCode: NONE,
      numPartitions: 1,
      replicationFactor: 1,
      topicId: ZERO_UUID,
    });
    expect(answer.configs).toContainEqual(expect.objectContaining({ name: 'retention.ms', configSource: 5 }));
    expect(await partitionCount('wished')).toBe(0);
  });

  test.each<[string, Partial<NewTopic>, ErrorCode]>([
    ['an unknown key', { configs: [{ name: 'no.such.key', value: '1' }] }, 'INVALID_CONFIG'],
    ['a key without a value', { configs: [{ name: 'retention.ms', value: null }] }, 'INVALID_CONFIG'],
    ['no partitions', { numPartitions: 0 }, 'INVALID_PARTITIONS'],
    ['too many replicas', { replicationFactor: 3 }, 'INVALID_REPLICATION_FACTOR'],
    [
      'a count beside an assignment',
      { assignments: [{ partitionIndex: 0, brokerIds: [1] }] },
      'INVALID_REQUEST',
    ],
  ])('is refused with %s, and the others of its request are created', async (_what, more, code) => {
    const other = topicOf(`other-${++count}`);
    const topics = [topicOf('refused', more), other];
    const answer = await peer.ask('createTopics', 7, { topics, timeoutMs: 9_000 });
    expect(answer.topics).toMatchObject([
      { name: 'refused', errorCode: wire(code), numPartitions: -1, configs: null },
      { name: other.name, errorCode: NONE },
    ]);
  });

  test.each(versions(0, 6))(
    'stays where deletion is forbidden, and version %i says so as far as its clients know',
    async (version) => {
      const name = await newTopic();
      const allow = async (value: string) => {
        const resource = { resourceType: BROKER, resourceName: '' };
        const configs = [{ name: 'delete.topic.enable', configOperation: SET, value }];
        const resources = [{ ...resource, configs }];
        const { responses } = await peer.ask('incrementalAlterConfigs', 1, {
          resources,
          validateOnly: false,
        });
        expect(responses).toMatchObject([{ errorCode: NONE }]);
      };
      await allow('false');
      const request = version < 6 ? { topicNames: [name] } : { topics: [{ name, topicId: ZERO_UUID }] };
      const { responses } = await peer.ask('deleteTopics', version, { ...request, timeoutMs: 9_000 });
      await allow('true');
      const code = version < 3 ? 'INVALID_REQUEST' : 'TOPIC_DELETION_DISABLED';
      expect(responses).toMatchObject([{ name, errorCode: wire(code) }]);
      expect(await partitionCount(name)).toBe(2);
    },
  );

  test('has its replicas where the request puts them', async () => {
    const assignments = [0, 1, 2].map((partitionIndex) => ({ partitionIndex, brokerIds: [1] }));
    const name = await newTopic({ numPartitions: -1, replicationFactor: -1, assignments });
    expect(await partitionCount(name)).toBe(3);
  });

  test('is deleted by its id; an id that no topic has is UNKNOWN_TOPIC_ID', async () => {
    const { topicId } = await create(topicOf('by-id'));
    const unknown = `${'B'.repeat(21)}A`;
    const topics = [
      { topicId },
      { topicId: unknown },
      { name: 'by-id', topicId },
      { name: 'never', topicId: ZERO_UUID },
    ];
    const { responses } = await peer.ask('deleteTopics', 6, { topics, timeoutMs: 9_000 });
    const errors = responses.map(({ name, topicId: id, errorCode }) => [name, id, errorCode]);
    expect(errors).toContainEqual(['by-id', topicId, NONE]);
    expect(errors).toContainEqual([null, unknown, wire('UNKNOWN_TOPIC_ID')]);
    expect(errors).toContainEqual(['by-id', topicId, wire('INVALID_REQUEST')]);
    expect(errors).toContainEqual(['never', ZERO_UUID, wire('UNKNOWN_TOPIC_OR_PARTITION')]);
  });

  test.each(versions(0, 3))('grows, and never shrinks, in version %i', async (version) => {
    const name = await newTopic();
    const grow = async (
      total: number,
      assignments: { brokerIds: number[] }[] | null,
      validateOnly = false,
    ) => {
      const request = { topics: [{ name, count: total, assignments }], timeoutMs: 9_000, validateOnly };
      return (await peer.ask('createPartitions', version, request)).results[0]!.errorCode;
    };
    expect(await grow(3, null, true)).toBe(NONE);
    expect(await grow(3, [])).toBe(wire('INVALID_REPLICA_ASSIGNMENT'));
    expect(await partitionCount(name)).toBe(2);
    expect(await grow(3, null)).toBe(NONE);
    expect(await grow(5, [{ brokerIds: [1] }, { brokerIds: [1] }])).toBe(NONE);
    expect(await grow(4, null)).toBe(wire('INVALID_PARTITIONS'));
    await expect.poll(() => partitionCount(name)).toBe(5);
  });

  test('is described page by page, by name, and the cursor goes on where the page ended', async () => {
    const names = [await newTopic(), await newTopic()].sort();
    const pages: string[][] = [];
    let cursor: RequestDraftOf<'describeTopicPartitions'>['cursor'] = null;
    do {
      const request: RequestDraftOf<'describeTopicPartitions'> = {
        topics: names.map((name) => ({ name })),
        responsePartitionLimit: 3,
        cursor,
      };
      const page: ResponseOf<'describeTopicPartitions'> = await peer.ask(
        'describeTopicPartitions',
        0,
        request,
      );
      pages.push(
        page.topics.flatMap((topic) => topic.partitions.map((p) => `${topic.name}/${p.partitionIndex}`)),
      );
      cursor = page.nextCursor;
    } while (cursor !== null);
    expect(pages).toEqual([[`${names[0]}/0`, `${names[0]}/1`, `${names[1]}/0`], [`${names[1]}/1`]]);
  });
});

describe('settings', () => {
  test.each(versions(1, 4))(
    'are described in version %i with where their values come from',
    async (version) => {
      const name = await newTopic({ configs: [{ name: 'cleanup.policy', value: 'compact' }] });
      const resources = [{ resourceType: TOPIC, resourceName: name, configurationKeys: ['cleanup.policy'] }];
      const request = { resources, includeSynonyms: true, includeDocumentation: version >= 3 };
      const { results } = await peer.ask('describeConfigs', version, request);
      expect(results).toMatchObject([{ errorCode: NONE, resourceType: TOPIC, resourceName: name }]);
      expect(results[0]!.configs).toMatchObject([
        {
          name: 'cleanup.policy',
          value: 'compact',
          configSource: 1,
          readOnly: false,
          configType: version >= 3 ? 7 : 0,
          synonyms: [
            { name: 'cleanup.policy', value: 'compact', source: 1 },
            { name: 'log.cleanup.policy', value: 'delete', source: 5 },
          ],
        },
      ]);
      expect(Boolean(results[0]!.configs[0]!.documentation)).toBe(version >= 3);
    },
  );

  test('are appended to and subtracted from, once each, where they are lists, and set back', async () => {
    const name = await newTopic();
    for (const _twice of [1, 2]) {
      expect(await alter(name, 'cleanup.policy', APPEND, 'compact')).toMatchObject({ errorCode: NONE });
      await expect.poll(async () => (await configOf(name, 'cleanup.policy')).value).toBe('delete,compact');
    }
    await alter(name, 'cleanup.policy', SUBTRACT, 'delete');
    await expect.poll(async () => (await configOf(name, 'cleanup.policy')).value).toBe('compact');
    await alter(name, 'cleanup.policy', DELETE, null);
    await expect.poll(async () => (await configOf(name, 'cleanup.policy')).configSource).toBe(5);
  });

  test.each<[string, string, number, string | null, ErrorCode]>([
    ['an append to what is no list', 'retention.ms', APPEND, '5', 'INVALID_CONFIG'],
    ['an unknown key', 'no.such.key', SET, '5', 'INVALID_CONFIG'],
    ['a value out of range', 'retention.ms', SET, '-7', 'INVALID_CONFIG'],
    ['null as a value', 'retention.ms', SET, null, 'INVALID_REQUEST'],
    ['an unknown operation', 'retention.ms', 9, '5', 'INVALID_REQUEST'],
  ])('refuse %s', async (_what, key, operation, value, code) => {
    expect(await alter(await newTopic(), key, operation, value)).toMatchObject({ errorCode: wire(code) });
  });

  test.each(versions(0, 2))(
    'are replaced as a whole by AlterConfigs %i, unless it only validates',
    async (version) => {
      const name = await newTopic({
        configs: [
          { name: 'retention.ms', value: '5000' },
          { name: 'segment.ms', value: '6000' },
        ],
      });
      const replace = async (validateOnly: boolean) => {
        const changed = [{ name: 'segment.ms', value: '7000' }];
        const resources = [{ resourceType: TOPIC, resourceName: name, configs: changed }];
        return (await peer.ask('alterConfigs', version, { resources, validateOnly })).responses;
      };
      expect(await replace(true)).toMatchObject([{ errorCode: NONE }]);
      expect((await configOf(name, 'segment.ms')).value).toBe('6000');
      expect(await replace(false)).toMatchObject([
        { errorCode: NONE, resourceType: TOPIC, resourceName: name },
      ]);
      await expect.poll(async () => (await configOf(name, 'segment.ms')).value).toBe('7000');
      expect((await configOf(name, 'retention.ms')).configSource).toBe(5);
    },
  );

  test('of a broker are described; of all brokers, those that were set for all of them', async () => {
    const own = await configs(BROKER, '1');
    expect(own.configs.length).toBeGreaterThan(20);
    const resources = [
      {
        resourceType: BROKER,
        resourceName: '',
        configs: [{ name: 'log.retention.ms', configOperation: SET, value: '9000000' }],
      },
    ];
    const { responses } = await peer.ask('incrementalAlterConfigs', 1, { resources, validateOnly: false });
    expect(responses).toMatchObject([{ errorCode: NONE }]);
    const shared = async () => (await configs(BROKER, '')).configs;
    await expect
      .poll(shared)
      .toContainEqual(expect.objectContaining({ name: 'log.retention.ms', configSource: 3 }));
    expect((await shared()).every(({ configSource }) => configSource === 3)).toBe(true);
  });

  test('of a topic that does not exist are UNKNOWN_TOPIC_OR_PARTITION', async () => {
    expect(await configs(TOPIC, 'never')).toMatchObject({
      errorCode: wire('UNKNOWN_TOPIC_OR_PARTITION'),
      configs: [],
    });
  });

  test.each([LOGGER, METRICS, 0, 99])(
    'of a resource of type %i are INVALID_REQUEST',
    async (resourceType) => {
      expect(await configs(resourceType, '1')).toMatchObject({
        errorCode: wire('INVALID_REQUEST'),
        resourceType,
      });
      const resources = [
        { resourceType, resourceName: '1', configs: [{ name: 'a', configOperation: SET, value: 'b' }] },
      ];
      const { responses } = await peer.ask('incrementalAlterConfigs', 1, { resources, validateOnly: false });
      expect(responses).toMatchObject([
        { errorCode: wire('INVALID_REQUEST'), resourceType, resourceName: '1' },
      ]);
    },
  );

  test('of a resource that is named twice are not changed', async () => {
    const name = await newTopic();
    const one = { resourceType: TOPIC, resourceName: name, configs: [{ name: 'segment.ms', value: '7000' }] };
    const { responses } = await peer.ask('alterConfigs', 2, { resources: [one, one], validateOnly: false });
    expect(responses.map(({ errorCode }) => errorCode)).toEqual(Array(2).fill(wire('INVALID_REQUEST')));
  });
});

describe('the cluster', () => {
  test.each(versions(1, 4))(
    'tells in version %i what replicas take of the disk, and from 4 on its size',
    async (version) => {
      const name = await newTopic();
      const dirs = (topics: { topic: string; partitions: number[] }[] | null) =>
        peer.ask('describeLogDirs', version, { topics });
      const sizes = async () => (await dirs([{ topic: name, partitions: [1, 7] }])).results;
      await expect.poll(sizes).toMatchObject([
        {
          errorCode: NONE,
          topics: [
            { name, partitions: [{ partitionIndex: 1, partitionSize: 0, offsetLag: 0, isFutureKey: false }] },
          ],
        },
      ]);
      const all = (await dirs(null)).results[0]!;
      expect(all.logDir).not.toBe('');
      if (version < 4) expect(all).toMatchObject({ totalBytes: -1, usableBytes: -1 });
      else {
        expect(all.usableBytes).toBeGreaterThan(0);
        expect(all.usableBytes).toBeLessThanOrEqual(all.totalBytes);
      }
      expect(all.topics.find((topic) => topic.name === name)!.partitions).toHaveLength(2);
    },
  );

  test.each(versions(0, 2))(
    'answers elections in version %i, also those that are not needed',
    async (version) => {
      const name = await newTopic();
      const elect = (topicPartitions: { topic: string; partitions: number[] }[] | null) =>
        peer.ask('electLeaders', version, { topicPartitions, timeoutMs: 9_000 });
      const { errorCode, replicaElectionResults } = await elect([{ topic: name, partitions: [0, 7] }]);
      expect(errorCode).toBe(NONE);
      expect(replicaElectionResults).toMatchObject([
        {
          topic: name,
          partitionResult: [
            { partitionId: 0, errorCode: wire('ELECTION_NOT_NEEDED') },
            { partitionId: 7, errorCode: wire('UNKNOWN_TOPIC_OR_PARTITION') },
          ],
        },
      ]);
      expect(await elect(null)).toMatchObject({ errorCode: NONE, replicaElectionResults: [] });
      expect(await elect([])).toMatchObject({ errorCode: NONE, replicaElectionResults: [] });
    },
  );

  test.each(versions(0, 2))(
    'describes the quorum of its metadata in version %i, and of nothing else',
    async (version) => {
      const topics = [
        { topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] },
        { topicName: 'other', partitions: [{ partitionIndex: 0 }] },
      ];
      const answer = await peer.ask('describeQuorum', version, { topics });
      expect(answer.errorCode).toBe(NONE);
      expect(answer.topics[0]!.partitions[0]).toMatchObject({
        errorCode: NONE,
        leaderId: 1,
        currentVoters: [{ replicaId: 1 }],
        observers: [],
      });
      expect(answer.topics[1]!.partitions[0]).toMatchObject({
        errorCode: wire('UNKNOWN_TOPIC_OR_PARTITION'),
      });
      expect(answer.nodes.map(({ nodeId }) => nodeId)).toEqual(version < 2 ? [] : [1]);
    },
  );

  test('does not describe one quorum thousands of times in one answer', async () => {
    const partitions = Array.from({ length: 2_000 }, () => ({ partitionIndex: 0 }));
    const topics = [{ topicName: '__cluster_metadata', partitions }];
    const answer = await peer.ask('describeQuorum', 2, { topics });
    expect(answer).toMatchObject({ errorCode: wire('INVALID_REQUEST'), topics: [] });
  });

  test.each(versions(0, 1))(
    'describes itself in version %i at the addresses of the asked listener',
    async (version) => {
      const answer = await peer.ask('describeCluster', version, { includeClusterAuthorizedOperations: true });
      const [host, port] = cluster.kafkaBootstrap.split(':');
      expect(answer).toMatchObject({
        errorCode: NONE,
        controllerId: 1,
        brokers: [{ brokerId: 1, host, port: Number(port) }],
      });
      expect(answer.clusterId).not.toBe('');
      expect(answer.clusterAuthorizedOperations).toBeGreaterThan(0);
    },
  );

  test.each([
    [2, 'MISMATCHED_ENDPOINT_TYPE'],
    [3, 'UNSUPPORTED_ENDPOINT_TYPE'],
  ] as const)('asked as an endpoint of type %i says %s', async (endpointType, code) => {
    const answer = await peer.ask('describeCluster', 1, {
      includeClusterAuthorizedOperations: false,
      endpointType,
    });
    expect(answer).toMatchObject({ errorCode: wire(code), brokers: [] });
    expect(answer.errorMessage).not.toBe('');
  });

  test('moves no replicas, and says so', async () => {
    const answer = await peer.ask('listPartitionReassignments', 0, { timeoutMs: 9_000, topics: null });
    expect(answer).toMatchObject({ errorCode: NONE, topics: [] });
  });
});
