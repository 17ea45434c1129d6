/** Requests that are well-formed and mean nothing in particular: each is answered, and the node serves on. */

import { Millrace } from '@millrace/client';
import { ManualClock, SeededRandom, silentLogger } from '@millrace/core';
import { APIS, type ApiName, decodeResponse, encodeRequest, kafkaRequestHandler } from '@millrace/kafka-api';
import { type Cluster, startCluster } from '@millrace/server';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { arbitraryMessage } from '../packages/kafka-api/src/testing/arbitrary-message.js';
import { fetchOne, NONE } from './kafka-group-requests.ts';
import { KafkaPeer } from './kafka-peer.ts';

const SEED = 11;
const SIZE_BYTES = 4;
const TOPIC = 'here';
const API_NAMES = [
  'produce',
  'fetch',
  'listOffsets',
  'metadata',
  'apiVersions',
  'deleteRecords',
  'initProducerId',
  'offsetForLeaderEpoch',
  'describeProducers',
  'findCoordinator',
  'joinGroup',
  'syncGroup',
  'heartbeat',
  'leaveGroup',
  'offsetCommit',
  'offsetFetch',
  'offsetDelete',
  'listGroups',
  'describeGroups',
  'deleteGroups',
  'consumerGroupHeartbeat',
  'consumerGroupDescribe',
  'createPartitions',
  'describeConfigs',
  'alterConfigs',
  'incrementalAlterConfigs',
  'describeLogDirs',
  'electLeaders',
  'describeQuorum',
  'describeCluster',
  'describeTopicPartitions',
  'listPartitionReassignments',
  'createTopics',
  'deleteTopics',
] as const satisfies readonly ApiName[];

let cluster: Cluster;
let topicId: string;

beforeAll(async () => {
  cluster = await startCluster({
    nodes: 1,
    firstKafkaPort: 0,
    properties: {
      'auto.create.topics.enable': 'false',
      'offsets.topic.num.partitions': '1',
      // Whoever joins and waits for members that are none waits for a moment.
      'group.initial.rebalance.delay.ms': '0',
      'group.min.session.timeout.ms': '10',
    },
  });
  await using millrace = new Millrace({ bootstrap: cluster.bootstrap });
  await millrace.admin().createTopic({ name: TOPIC, partitions: 2, replicationFactor: 1 });
  await using peer = await KafkaPeer.to(cluster.kafkaBootstrap);
  await peer.ask('findCoordinator', 0, { key: 'group' });
  await vi.waitFor(async () => expect((await fetchOne(peer, 5, 'group')).errorCode).toBe(NONE), 20_000);
  topicId = (await millrace.admin().describeTopics([TOPIC]))[0]!.topicId;
});

afterAll(() => cluster.close());

const NAMES = new Set(['name', 'topic']);
const GROUPS = new Set(['groupId', 'groups', 'groupIds', 'groupsNames', 'coordinatorKeys', 'key']);
const GENERATIONS = new Set(['generationId', 'generationIdOrMemberEpoch', 'memberEpoch']);
const PARTITIONS = new Set(['index', 'partition', 'partitionIndex']);

/** The same message, where most names, ids and numbers of partitions are some that exist; waits are short. */
function aimed(value: unknown, toss: () => number, key = ''): unknown {
  if (Array.isArray(value)) return value.map((inner) => aimed(inner, toss, key));
  if (typeof value === 'object' && value !== null && !Buffer.isBuffer(value)) {
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, aimed(inner, toss, name)]));
  }
  if (key === 'maxWaitMs' || key === 'timeoutMs') return Math.abs(Number(value)) % 3;
  if (key === 'sessionTimeoutMs' || key === 'rebalanceTimeoutMs') return 10 + (Math.abs(Number(value)) % 20);
  const isNamed = value !== '' && toss() < 0.8;
  if (NAMES.has(key) && typeof value === 'string' && isNamed) return TOPIC;
  if (GROUPS.has(key) && typeof value === 'string' && isNamed) return 'group';
  if (GENERATIONS.has(key)) return [0, 1, -1, value][Math.floor(toss() * 4)];
  if ((key === 'memberId' || key === 'subscribedTopicRegex') && value !== null && toss() < 0.5) return '';
  if (key === 'keyType') return toss() < 0.7 ? 0 : value;
  if (key === 'subscribedTopicNames' && typeof value === 'string') return TOPIC;
  if (key === 'topicId' && value !== 'A'.repeat(22) && isNamed) return topicId;
  if (PARTITIONS.has(key) && isNamed) return Math.abs(Number(value)) % 2;
  if ((key === 'replicaId' || key === 'sessionEpoch' || key === 'sessionId') && toss() < 0.6) return -1;
  if ((key === 'leaderEpoch' || key === 'currentLeaderEpoch' || key === 'lastFetchedEpoch') && toss() < 0.5)
    return -1;
  if (key === 'transactionalId' && toss() < 0.9) return null;
  if (key === 'acks') return [0, 1, -1, value][Math.floor(toss() * 4)];
  if ((key === 'fetchOffset' || key === 'offset') && toss() < 0.5) return 0;
  return value;
}

test.each(API_NAMES)('%s is answered in every version, whatever it asks', async (api) => {
  const random = new SeededRandom(SEED);
  const toss = (): number => random.uint32() / 2 ** 32;
  const handle = kafkaRequestHandler({
    broker: cluster.nodes[0]!.broker!,
    clock: new ManualClock(),
    random,
    logger: silentLogger,
    fetchSessionSlots: 10,
  });
  const { signal } = new AbortController();
  const connection = { id: 1, listener: 'PLAINTEXT', peerHost: '::1', peerPort: 5, signal };
  const memory = { reuse: () => undefined, release: () => undefined, lent: [] };
  const { served, request: codec } = APIS[api];
  for (let version = served.lowest; version <= served.highest; version++) {
    const messages = fc.sample(arbitraryMessage(codec.schema as never, version), {
      seed: SEED + version,
      numRuns: 60,
    });
    for (const message of messages) {
      const request = aimed(message, toss);
      const head = { version, correlationId: 3, clientId: null };
      const frame = Buffer.concat(encodeRequest(api, head, request as never)).subarray(SIZE_BYTES);
      const shown = (): string => `${api} ${version} ${JSON.stringify(request)}`;
      const pieces = await handle(frame, connection, memory).catch((error: unknown) => {
        // The answer to a request with acks=0 that failed.
        if ((error as Error).name === 'ConnectionEnd') return undefined;
        throw new Error(shown(), { cause: error });
      });
      if (pieces === undefined) expect(api).toBe('produce');
      else expect(decodeResponse(api, version, Buffer.concat(pieces)).correlationId, shown()).toBe(3);
    }
  }
});
