/** What a Kafka client finds before it does anything: the handshake, brokers and topics; and what bad clients find. */
import { ERRORS, type ErrorCode } from '@millrace/core';
import { APIS, apiNameOf, decodeResponse } from '@millrace/kafka-api';
import { type Cluster, startCluster } from '@millrace/server';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { KafkaPeer } from './kafka-peer.ts';

const NONE = 0;
const wire = (code: ErrorCode): number => ERRORS[code].wire;
const versions = (highest: number): number[] => Array.from({ length: highest + 1 }, (_, version) => version);
const ZERO_UUID = 'A'.repeat(22);

let cluster: Cluster;
let count = 0;

beforeAll(async () => {
  cluster = await startCluster({ nodes: 3, firstKafkaPort: 0, properties: { 'num.partitions': '3' } });
});

afterAll(() => cluster.close());

async function newPeer(): Promise<KafkaPeer> {
  const peer = await KafkaPeer.to(cluster.kafkaBootstrap);
  onTestFinished(() => peer.close());
  return peer;
}

const newName = (): string => `topic-${++count}`;

/** A request's header, version 1, with its size before it. */
function framed(apiKey: number, version: number, body = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(14);
  head.writeInt32BE(10 + body.length, 0);
  head.writeInt16BE(apiKey, 4);
  head.writeInt16BE(version, 6);
  head.writeInt32BE(77, 8);
  head.writeInt16BE(-1, 12);
  return Buffer.concat([head, body]);
}

describe('the handshake', () => {
  const software = { clientSoftwareName: 'test', clientSoftwareVersion: '1.0' };

  test.each(versions(4))('lists every API with its versions, in version %i', async (version) => {
    const peer = await newPeer();
    const { errorCode, apiKeys } = await peer.ask('apiVersions', version, version >= 3 ? software : {});
    expect(errorCode).toBe(NONE);
    for (const { apiKey, minVersion, maxVersion } of apiKeys) {
      const { advertised } = APIS[apiNameOf(apiKey)!];
      expect({ lowest: minVersion, highest: maxVersion }).toEqual(advertised);
    }
    expect(apiKeys).toContainEqual(expect.objectContaining({ apiKey: 0, minVersion: 0 }));
  });

  test('in a version that nobody knows yet is answered in the oldest, with the versions to ask again with', async () => {
    const peer = await newPeer();
    const frame = await peer.raw(framed(18, 99, Buffer.from([0])));
    const { correlationId, response } = decodeResponse('apiVersions', 0, frame);
    expect(correlationId).toBe(77);
    expect(response.errorCode).toBe(wire('UNSUPPORTED_VERSION'));
    expect(response.apiKeys).toMatchObject([{ apiKey: 18, minVersion: 0, maxVersion: 4 }]);
    expect((await peer.ask('apiVersions', 4, software)).errorCode).toBe(NONE);
  });

  test('with a name that is no name is refused', async () => {
    const peer = await newPeer();
    const { errorCode } = await peer.ask('apiVersions', 3, { ...software, clientSoftwareName: 'no name!' });
    expect(errorCode).toBe(wire('INVALID_REQUEST'));
  });
});

describe('metadata', () => {
  test.each(versions(12))(
    'show brokers, a controller that is one of them, and topics, in version %i',
    async (version) => {
      const peer = await newPeer();
      const name = newName();
      const request = { topics: [{ name }] };
      const { brokers, controllerId, clusterId, topics } = await peer.ask('metadata', version, request);
      expect(brokers.map(({ nodeId }) => nodeId).sort()).toEqual([1, 2, 3]);
      const ports = cluster.kafkaBootstrap.split(',').map((address) => Number(address.split(':')[1]));
      expect(brokers.map(({ port }) => port).sort()).toEqual(ports.sort());
      if (version >= 1) expect([1, 2, 3]).toContain(controllerId);
      if (version >= 2) expect(clusterId).toBe(cluster.nodes[0]!.broker!.clusterId);
      expect(topics).toMatchObject([{ errorCode: NONE, name }]);
      expect(topics[0]!.topicId === ZERO_UUID).toBe(version < 10);
      const { partitions } = topics[0]!;
      expect(partitions.map(({ partitionIndex }) => partitionIndex)).toEqual([0, 1, 2]);
      for (const partition of partitions) {
        expect(partition.errorCode).toBe(NONE);
        expect(partition.replicaNodes).toHaveLength(3);
        expect(partition.replicaNodes).toContain(partition.leaderId);
        expect(partition.offlineReplicas).toEqual([]);
      }
    },
  );

  test('of no topics are asked for with an empty list, of all with null; in version 0 with an empty list', async () => {
    const peer = await newPeer();
    await peer.ask('metadata', 4, { topics: [{ name: newName() }] });
    expect((await peer.ask('metadata', 1, { topics: [] })).topics).toEqual([]);
    const { topics } = await peer.ask('metadata', 1, { topics: null });
    expect(topics.length).toBeGreaterThan(0);
    expect((await peer.ask('metadata', 0, { topics: [] })).topics).toHaveLength(topics.length);
  });

  test('create a topic only where the client allows it', async () => {
    const peer = await newPeer();
    const name = newName();
    const request = { topics: [{ name }], allowAutoTopicCreation: false };
    const { topics } = await peer.ask('metadata', 9, request);
    expect(topics).toMatchObject([{ name, errorCode: wire('UNKNOWN_TOPIC_OR_PARTITION'), partitions: [] }]);
  });

  test('of a name that no topic may have say so, so that nobody waits for it', async () => {
    const peer = await newPeer();
    const { topics } = await peer.ask('metadata', 9, { topics: [{ name: 'not/a/name' }] });
    expect(topics).toMatchObject([{ errorCode: wire('INVALID_TOPIC_EXCEPTION'), partitions: [] }]);
  });

  test('are asked for by topic id in version 12', async () => {
    const peer = await newPeer();
    const name = newName();
    const [{ topicId } = { topicId: '' }] = (await peer.ask('metadata', 12, { topics: [{ name }] })).topics;
    const known = await peer.ask('metadata', 12, { topics: [{ name: null, topicId }] });
    expect(known.topics).toMatchObject([{ errorCode: NONE, name, topicId }]);
    const stranger = `${'A'.repeat(21)}Q`;
    const unknown = await peer.ask('metadata', 12, { topics: [{ name: null, topicId: stranger }] });
    expect(unknown.topics).toMatchObject([{ errorCode: wire('UNKNOWN_TOPIC_ID'), topicId: stranger }]);
  });

  test('tell what a client may do only if it asks', async () => {
    const peer = await newPeer();
    const topics = [{ name: newName() }];
    const silent = await peer.ask('metadata', 8, { topics });
    expect([silent.clusterAuthorizedOperations, silent.topics[0]!.topicAuthorizedOperations]).toEqual([
      -(2 ** 31),
      -(2 ** 31),
    ]);
    const asked = { includeClusterAuthorizedOperations: true, includeTopicAuthorizedOperations: true };
    const telling = await peer.ask('metadata', 8, { topics, ...asked });
    expect(telling.clusterAuthorizedOperations).toBeGreaterThan(0);
    expect(telling.topics[0]!.topicAuthorizedOperations).toBeGreaterThan(0);
  });
});

describe('an identity of a producer', () => {
  test.each(versions(5))('is a new one each time, in version %i', async (version) => {
    const peer = await newPeer();
    const request = { transactionalId: null, transactionTimeoutMs: 1_000 };
    const first = await peer.ask('initProducerId', version, request);
    const second = await peer.ask('initProducerId', version, request);
    expect(first).toMatchObject({ errorCode: NONE, producerEpoch: 0 });
    expect(second.producerId).not.toBe(first.producerId);
  });

  test('for transactions is refused', async () => {
    const peer = await newPeer();
    const request = { transactionalId: 'mine', transactionTimeoutMs: 1_000 };
    const refused = await peer.ask('initProducerId', 4, request);
    expect(refused).toMatchObject({ errorCode: wire('INVALID_REQUEST'), producerId: -1 });
  });
});

describe('a client', () => {
  test.each([
    ['asks for an API that is not spoken', framed(999, 0)],
    ['asks in a version that is not spoken', framed(3, 99)],
    ['sends half a message', framed(3, 1, Buffer.from([0, 0]))],
    ['claims more elements than there are bytes', framed(3, 1, Buffer.from([0x7f, 0xff, 0xff, 0xff]))],
    ['sends nothing sensible', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
  ])('that %s is cut off, and others are not', async (_what, bytes) => {
    const [bad, good] = [await newPeer(), await newPeer()];
    await expect(bad.raw(bytes)).rejects.toThrow('closed');
    expect((await good.ask('metadata', 1, { topics: [] })).brokers).toHaveLength(3);
  });

  test('that sends many requests at once gets their answers in order', async () => {
    const peer = await newPeer();
    const name = newName();
    await peer.ask('metadata', 4, { topics: [{ name }] });
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, i) =>
        i % 2 === 0
          ? peer.ask('metadata', 9, { topics: [{ name }] })
          : peer.ask('initProducerId', 1, { transactionalId: null, transactionTimeoutMs: 1 }),
      ),
    );
    expect(answers).toHaveLength(200);
  });
});

test('a node that stops lets nobody in, and one that is up again serves on its old ports', async () => {
  const before = cluster.kafkaBootstrap.split(',');
  await cluster.stopNode(2);
  const peer = await newPeer();
  await expect(KafkaPeer.to(before[1]!)).rejects.toThrow(/ECONNREFUSED/);
  await expect
    .poll(async () =>
      (await peer.ask('metadata', 1, { topics: [] })).brokers.map(({ nodeId }) => nodeId).sort(),
    )
    .toEqual([1, 3]);
  await cluster.restartNode(2);
  expect(cluster.kafkaBootstrap.split(',')).toEqual(before);
  await expect.poll(async () => (await peer.ask('metadata', 1, { topics: [] })).brokers).toHaveLength(3);
});
