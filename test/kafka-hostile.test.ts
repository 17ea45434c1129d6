/** Kafka clients that ask for more than anybody needs, send it slowly, or never read: others are served all the while. */
import { connect, type Socket } from 'node:net';
import { ERRORS, KiB, MiB } from '@millrace/core';
import { encodeRequest } from '@millrace/kafka-api';
import { buildBatch } from '@millrace/records';
import { type Cluster, startCluster } from '@millrace/server';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { KafkaPeer } from './kafka-peer.ts';

const WIDE = 'wide';
const WIDE_PARTITIONS = 1_000;
const DEEP = 'deep';
const RECORD_BYTES = 500 * KiB;
const RECORDS = 20;
/** What is named as often would be thirty million partitions, were each told. */
const NAMINGS = 30_000;
const CONNECTIONS_MAX = 50;
const RECEIVE_TIMEOUT_MS = 1_000;
const SERVED_LIMIT_MS = 30_000;

let cluster: Cluster;

beforeAll(async () => {
  cluster = await startCluster({
    nodes: 1,
    firstKafkaPort: 0,
    properties: {
      'max.connections': String(CONNECTIONS_MAX),
      'request.receive.timeout.ms': String(RECEIVE_TIMEOUT_MS),
      'connection.setup.timeout.ms': '1000',
      'response.send.timeout.ms': '2000',
      'queued.max.response.bytes': String(32 * MiB),
    },
  });
  await using peer = await KafkaPeer.to(cluster.kafkaBootstrap);
  const topics = [
    { name: WIDE, numPartitions: WIDE_PARTITIONS, replicationFactor: 1, assignments: [], configs: [] },
    { name: DEEP, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] },
  ];
  const made = await peer.ask('createTopics', 7, { topics, timeoutMs: 30_000, validateOnly: false });
  expect(made.topics.map(({ errorCode }) => errorCode)).toEqual([0, 0]);
  for (let count = 0; count < RECORDS; count++) {
    const records = buildBatch([{ value: Buffer.alloc(RECORD_BYTES, count) }]);
    const topicData = [{ name: DEEP, partitionData: [{ index: 0, records }] }];
    await vi.waitFor(async () => {
      const { responses } = await peer.ask('produce', 9, { acks: -1, timeoutMs: 10_000, topicData });
      expect(responses[0]!.partitionResponses[0]!.errorCode).toBe(0);
    }, SERVED_LIMIT_MS);
  }
}, 2 * SERVED_LIMIT_MS);

afterAll(() => cluster.close());

async function newPeer(): Promise<KafkaPeer> {
  const peer = await KafkaPeer.to(cluster.kafkaBootstrap);
  onTestFinished(() => peer.close());
  return peer;
}

/** A socket that is accepted; `isClosed` tells whether the node has ended it. */
async function dial(): Promise<Socket> {
  const port = Number(cluster.kafkaBootstrap.split(':').at(-1));
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  socket.on('error', () => undefined);
  onTestFinished(() => void socket.destroy());
  await new Promise((resolve) => socket.once('connect', resolve).once('close', resolve));
  return socket;
}

/** The same; nobody waits for its beginning, nor for what becomes of it when the test ends. */
function dialUnknown(): Socket {
  const port = Number(cluster.kafkaBootstrap.split(':').at(-1));
  return connect({ port, host: '127.0.0.1' })
    .on('error', () => undefined)
    .resume();
}

const closed = (socket: Socket): Promise<unknown> =>
  socket.closed ? Promise.resolve() : new Promise((resolve) => socket.once('close', resolve));

const isServed = async (peer: KafkaPeer): Promise<boolean> =>
  (await peer.ask('metadata', 9, { topics: [] })).brokers.length === 1;

const many = <T>(value: T): T[] => Array.from({ length: NAMINGS }, () => value);

describe('what is named tens of thousands of times in one request is told once:', () => {
  test('a topic with its partitions', async () => {
    const peer = await newPeer();
    const { topics } = await peer.ask('metadata', 9, { topics: many({ name: WIDE }) });
    expect(topics.map(({ partitions }) => partitions.length)).toEqual([WIDE_PARTITIONS]);
    const topicId = (await peer.ask('metadata', 12, { topics: [{ name: WIDE }] })).topics[0]!.topicId;
    const byId = await peer.ask('metadata', 12, { topics: many({ name: null, topicId }) });
    expect(byId.topics.map(({ partitions }) => partitions.length)).toEqual([WIDE_PARTITIONS]);
  });

  test('a topic with its settings, by the later of its namings', async () => {
    const peer = await newPeer();
    const all = { resourceType: 2, resourceName: WIDE, configurationKeys: null };
    const one = { ...all, configurationKeys: ['retention.ms'] };
    const { results } = await peer.ask('describeConfigs', 4, { resources: [...many(all), one] });
    expect(results.map(({ configs }) => configs.map(({ name }) => name))).toEqual([['retention.ms']]);
  });

  test('a partition with its producers, and with its size on disk', async () => {
    const peer = await newPeer();
    const topics = [{ name: DEEP, partitionIndexes: many(0) }];
    const producers = await peer.ask('describeProducers', 0, { topics: [...topics, ...topics] });
    expect(producers.topics).toMatchObject([{ name: DEEP, partitions: [{ errorCode: 0 }] }]);
    const { results } = await peer.ask('describeLogDirs', 4, {
      topics: [{ topic: DEEP, partitions: many(0) }],
    });
    expect(results[0]!.topics).toMatchObject([{ name: DEEP, partitions: [{ partitionIndex: 0 }] }]);
  });
});

describe('a partition named tens of thousands of times in one request is refused, with all of it:', () => {
  const partitionOf = <T extends object>(rest: T) => ({ partitionIndex: 0, ...rest });
  const allInvalid = (errorCodes: readonly number[]): void => {
    expect(errorCodes).toHaveLength(NAMINGS);
    expect(new Set(errorCodes)).toEqual(new Set([ERRORS.INVALID_REQUEST.wire]));
  };

  test('what is produced to it, of any format', async () => {
    const peer = await newPeer();
    for (const version of [0, 9]) {
      const partitionData = many({ index: 0, records: Buffer.alloc(40) });
      const topicData = [{ name: DEEP, partitionData }];
      const { responses } = await peer.ask('produce', version, { acks: 1, timeoutMs: 1_000, topicData });
      allInvalid(responses[0]!.partitionResponses.map(({ errorCode }) => errorCode));
    }
  });

  test('its offsets by time, and where an epoch of it ended', async () => {
    const peer = await newPeer();
    const listed = await peer.ask('listOffsets', 7, {
      replicaId: -1,
      topics: [{ name: DEEP, partitions: many(partitionOf({ timestamp: 5 })) }],
    });
    allInvalid(listed.topics[0]!.partitions.map(({ errorCode }) => errorCode));
    const ended = await peer.ask('offsetForLeaderEpoch', 4, {
      replicaId: -1,
      topics: [{ topic: DEEP, partitions: many({ partition: 0, leaderEpoch: 0 }) }],
    });
    allInvalid(ended.topics[0]!.partitions.map(({ errorCode }) => errorCode));
  });
});

test('a request that names more than 65,536 things ends the connection', async () => {
  const good = await newPeer();
  const names = Array.from({ length: 65_537 }, (_, i) => `nowhere-${i}`);
  const greedy = await newPeer();
  await expect(greedy.ask('deleteTopics', 5, { topicNames: names, timeoutMs: 1_000 })).rejects.toThrow();
  const some = await good.ask('deleteTopics', 5, { topicNames: names.slice(0, 100), timeoutMs: 1_000 });
  expect(some.responses).toHaveLength(100);
});

test('a client that sends a byte now and then is cut off, whether or not it has been served before', async () => {
  const good = await newPeer();
  expect(await isServed(good)).toBe(true);
  const [fresh, served] = [await dial(), await dial()];
  const head = { version: 9, correlationId: 1, clientId: null };
  const request = Buffer.concat(encodeRequest('metadata', head, { topics: [] }));
  served.write(request);
  await new Promise((resolve) => served.once('data', resolve));
  const startedMs = performance.now();
  const drip = setInterval(() => {
    fresh.write(Buffer.alloc(1));
    served.write(Buffer.alloc(1));
  }, 100);
  onTestFinished(() => clearInterval(drip));
  // As a size, zeros are garbage: the rest of a frame that never ends is what drips.
  for (const socket of [fresh, served]) socket.write(Buffer.from('00010000', 'hex'));
  await Promise.all([closed(fresh), closed(served)]);
  expect(performance.now() - startedMs).toBeLessThan(RECEIVE_TIMEOUT_MS * 20);
  expect(await isServed(good)).toBe(true);
});

test('clients that ask for everything a thousand times and never read cost no more than the room for answers', async () => {
  const good = await newPeer();
  expect(await isServed(good)).toBe(true);
  const readers = await Promise.all(Array.from({ length: 10 }, dial));
  const before = process.memoryUsage().arrayBuffers;
  const head = { version: 11, correlationId: 1, clientId: null };
  const topics = [
    { topic: DEEP, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 100 * MiB }] },
  ];
  const request = { maxWaitMs: 0, minBytes: 1, sessionId: 0, sessionEpoch: -1, topics };
  const fetches = Buffer.concat(
    many(0)
      .slice(0, 1_000)
      .flatMap(() => encodeRequest('fetch', head, request)),
  );
  for (const reader of readers) {
    reader.pause();
    reader.write(fetches);
  }
  let most = 0;
  while (!readers.every(({ closed: isClosed }) => isClosed)) {
    expect(await isServed(good)).toBe(true);
    most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    // Whoever does not read hears of the end only when writing.
    for (const reader of readers) if (!reader.closed) reader.write(fetches.subarray(0, 100));
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  // Ten answers of ten megabytes began before any of them counted, and ended in the room and in the kernel.
  expect(most).toBeLessThan(32 * MiB + 10 * RECORDS * RECORD_BYTES);
});

test('ten thousand connections over the limit are refused, and those within it are served', async () => {
  const good = await newPeer();
  expect(await isServed(good)).toBe(true);
  const within: Socket[] = [];
  for (let count = 0; count < CONNECTIONS_MAX - 1; count++) within.push(await dial());
  for (let round = 0; round < 20; round++) {
    const over = Array.from({ length: 500 }, dialUnknown);
    await Promise.all(over.map(closed));
    expect(await isServed(good)).toBe(true);
  }
  // Who has never asked anything makes room for others.
  for (const socket of within) socket.resume();
  await Promise.all(within.map(closed));
  expect(await isServed(await newPeer())).toBe(true);
}, 180_000);

test('connections that are closed on one side only, asked or not, come to their end', async () => {
  const good = await newPeer();
  expect(await isServed(good)).toBe(true);
  const head = { version: 11, correlationId: 1, clientId: null };
  const topics = [{ topic: WIDE, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: MiB }] }];
  // It would be answered in a day.
  const waiting = { maxWaitMs: 86_400_000, minBytes: 1, sessionId: 0, sessionEpoch: -1, topics };
  const fetch = Buffer.concat(encodeRequest('fetch', head, waiting));
  const sockets = await Promise.all(Array.from({ length: 40 }, dial));
  sockets.forEach((socket, index) => {
    socket.resume();
    socket.end([Buffer.alloc(0), fetch, fetch.subarray(0, 20)][index % 3]!);
  });
  await Promise.all(sockets.map(closed));
  expect(await isServed(good)).toBe(true);
});
