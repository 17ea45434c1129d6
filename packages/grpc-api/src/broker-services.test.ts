import type { FetchResponse, ProduceRequest, ProduceResponse, ReplicaFetchRequest } from '@millrace/broker';
import { Deferred, MiB, MillraceError } from '@millrace/core';
import {
  adminService,
  brokerService,
  RpcChannel,
  type RpcStream,
  type FetchResponse as WireFetchResponse,
  type ProduceRequest as WireProduceRequest,
  type ProduceResponse as WireProduceResponse,
} from '@millrace/protocol';
import { expect, onTestFinished, test } from 'vitest';
import { registerAdminServices } from './admin-services.ts';
import { registerBrokerServices } from './broker-services.ts';
import { GrpcReplicaChannel } from './grpc-replica-channel.ts';
import { fakeBroker } from './testing/fake-broker.ts';
import { serve, until } from './testing/nodes.ts';

const HEADER = { correlationId: 1, timeoutMs: 250, clientId: 'app', clusterId: 'c', quorumId: '' };

async function at(parts: Parameters<typeof fakeBroker>[0]): Promise<{ channel: RpcChannel; port: number }> {
  const broker = fakeBroker(parts);
  const { port } = await serve((server) => {
    registerBrokerServices(server, broker);
    registerAdminServices(server, broker);
  });
  const channel = RpcChannel.connect('127.0.0.1', port);
  onTestFinished(() => channel.close());
  return { channel, port };
}

function produceRequest(correlationId: number, acks = -1, bytes = 10): WireProduceRequest {
  const partition = { topicId: 't', partition: 3, leaderEpoch: 5, records: Buffer.alloc(bytes, 1) };
  return { header: { ...HEADER, correlationId }, acks, partitions: [partition] };
}

const produced = (baseOffset: number): ProduceResponse => ({
  partitions: [
    {
      topicId: 't',
      partition: 3,
      baseOffset,
      logAppendTimeMs: -1,
      logStartOffset: 0,
      currentLeaderId: -1,
      currentLeaderEpoch: -1,
    },
  ],
});

interface Producer {
  readonly stream: RpcStream<WireProduceRequest>;
  readonly answers: WireProduceResponse[];
  readonly closed: Promise<MillraceError | undefined>;
}

function producer(channel: RpcChannel): Producer {
  const answers: WireProduceResponse[] = [];
  const closed = new Deferred<MillraceError | undefined>();
  const stream = channel.duplex(brokerService.produce, {
    onMessage: (answer) => void answers.push(answer),
    onClosed: (error) => closed.resolve(error),
  });
  return { stream, answers, closed: closed.promise };
}

test('produce: requests reach the broker in the order sent, answers come back as they resolve', async () => {
  const requests: ProduceRequest[] = [];
  const gates = [1, 2, 3].map(() => new Deferred<ProduceResponse>());
  const { channel } = await at({ produce: (request) => gates[requests.push(request) - 1]!.promise });
  const { stream, answers } = producer(channel);
  for (const id of [1, 2, 3]) stream.send(produceRequest(id));
  await until(() => requests.length === 3);
  expect(requests[0]).toMatchObject({ acks: -1, timeoutMs: 250, clientId: 'app' });
  expect(requests[0]!.partitions).toEqual(produceRequest(1).partitions);
  gates[2]!.resolve(produced(30));
  await until(() => answers.length === 1);
  gates[0]!.resolve(produced(10));
  gates[1]!.resolve({ partitions: [], failure: { code: 'NODE_OVERLOADED', message: 'full' } });
  await until(() => answers.length === 3);
  expect(answers.map((answer) => answer.correlationId)).toEqual([3, 1, 2]);
  expect(answers[1]!.partitions[0]).toMatchObject({ topicId: 't', partition: 3, baseOffset: 10 });
  expect(answers[2]!.failure).toEqual({ code: 1004, message: 'full' });
});

test('produce: acks=0 is not answered', async () => {
  const { channel } = await at({ produce: async () => produced(1) });
  const { stream, answers } = producer(channel);
  stream.send(produceRequest(1, 0));
  stream.send(produceRequest(2, 1));
  await until(() => answers.length > 0);
  expect(answers.map((answer) => answer.correlationId)).toEqual([2]);
});

test('produce: a request for another cluster is refused and ends the stream', async () => {
  const { channel } = await at({});
  const { stream, answers, closed } = producer(channel);
  stream.send({ ...produceRequest(1), header: { ...HEADER, clusterId: 'other' } });
  expect(await closed).toMatchObject({ code: 'INCONSISTENT_CLUSTER_ID' });
  expect(answers).toMatchObject([{ correlationId: 1, failure: { code: 104 } }]);
});

test('produce: while the broker has no room nothing more is read; the producer feels it', async () => {
  const room = new Deferred<void>();
  let calls = 0;
  const { channel } = await at({
    produce: async () => {
      calls += 1;
      return produced(calls);
    },
    produceRoom: () => (calls === 1 ? room.promise : undefined),
  });
  const { stream, answers } = producer(channel);
  let sent = 0;
  let isStuck = false;
  while (!isStuck) {
    stream.send(produceRequest(++sent, -1, 1 * MiB));
    const idle = new Promise<string>((resolve) => setTimeout(resolve, 300, 'idle'));
    isStuck = (await Promise.race([stream.drained().then(() => 'room'), idle])) === 'idle';
    expect(sent).toBeLessThan(40);
  }
  expect(calls).toBeLessThan(5);
  room.resolve();
  await until(() => answers.length === sent);
});

test('produce: requests without an answer are bounded by their bytes', async () => {
  let calls = 0;
  const gate = new Deferred<ProduceResponse>();
  const { channel } = await at({
    produce: () => {
      calls += 1;
      return gate.promise;
    },
  });
  const { stream, answers } = producer(channel);
  for (let id = 1; id <= 100; id++) stream.send(produceRequest(id, -1, 1 * MiB));
  await until(() => calls === 64);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(calls).toBeLessThan(68);
  gate.resolve(produced(1));
  await until(() => answers.length === 100);
});

test('produce: an answer that cannot be encoded ends its stream, not the process', async () => {
  const { channel } = await at({ produce: async () => produced(Number.NaN) });
  const { stream, closed } = producer(channel);
  stream.send(produceRequest(1));
  expect(await closed).toMatchObject({ code: 'INVALID_REQUEST' });
});

test('produce: a producer that is done still gets every answer; then the stream ends', async () => {
  const gate = new Deferred<ProduceResponse>();
  let calls = 0;
  const { channel } = await at({
    produce: () => {
      calls += 1;
      return gate.promise;
    },
  });
  const { stream, answers, closed } = producer(channel);
  stream.send(produceRequest(1));
  stream.close();
  await until(() => calls === 1);
  gate.resolve(produced(7));
  expect(await closed).toBeUndefined();
  expect(answers).toHaveLength(1);
});

const fetched = (bytes: number): FetchResponse => ({
  partitions: [
    {
      topicId: 't',
      partition: 0,
      highWatermark: 2 ** 40,
      lastStableOffset: 9,
      logStartOffset: 0,
      divergingEpoch: -1,
      divergingEndOffset: -1,
      currentLeaderId: 2,
      currentLeaderEpoch: 4,
      records: Buffer.alloc(bytes, 5),
    },
  ],
});

const fetchRequest = (correlationId: number) => ({
  header: { ...HEADER, correlationId },
  maxWaitMs: 500,
  minBytes: 1,
  maxBytes: 1 * MiB,
  partitions: [],
});

test('fetch: several requests wait at one time; each is answered once', async () => {
  const gates = new Map<number, Deferred<FetchResponse>>();
  const { channel } = await at({
    fetch: ({ maxWaitMs }) => {
      const gate = new Deferred<FetchResponse>();
      gates.set(maxWaitMs, gate);
      return gate.promise;
    },
  });
  const answers: WireFetchResponse[] = [];
  const stream = channel.duplex(brokerService.fetch, {
    onMessage: (answer) => void answers.push(answer),
    onClosed: () => undefined,
  });
  stream.send({ ...fetchRequest(1), maxWaitMs: 1 });
  stream.send({ ...fetchRequest(2), maxWaitMs: 2 });
  await until(() => gates.size === 2);
  gates.get(2)!.resolve(fetched(3));
  await until(() => answers.length === 1);
  gates.get(1)!.reject(new MillraceError('UNKNOWN_TOPIC_ID', 'gone'));
  await until(() => answers.length === 2);
  expect(answers[0]).toMatchObject({ correlationId: 2, partitions: [{ highWatermark: 2 ** 40 }] });
  expect(answers[0]!.partitions[0]!.records).toEqual(Buffer.alloc(3, 5));
  expect(answers[1]).toMatchObject({
    correlationId: 1,
    failure: { code: 100, message: 'gone' },
    partitions: [],
  });
});

test('fetch: as many fetches as may wait on one stream raise no warning about a leak', async () => {
  const warnings: string[] = [];
  const onWarning = ({ name }: Error): void => void warnings.push(name);
  process.on('warning', onWarning);
  onTestFinished(() => void process.off('warning', onWarning));
  let parked = 0;
  const { channel } = await at({
    fetch: (_request, signal) => {
      parked += 1;
      return new Promise((_resolve, reject) => signal!.addEventListener('abort', reject));
    },
  });
  const stream = channel.duplex(brokerService.fetch, {
    onMessage: () => undefined,
    onClosed: () => undefined,
  });
  for (let id = 1; id <= 16; id++) stream.send(fetchRequest(id));
  await until(() => parked === 16);
  await new Promise((resolve) => setImmediate(resolve));
  expect(warnings).toEqual([]);
});

test('fetch: a consumer that never reads is not served more than fits the buffers, and its fetches end with it', async () => {
  let calls = 0;
  let signal: AbortSignal | undefined;
  const { channel } = await at({
    fetch: async (_request, given) => {
      calls += 1;
      signal = given;
      return fetched(1 * MiB);
    },
  });
  const stream = channel.duplex(brokerService.fetch, {
    onMessage: () => undefined,
    onClosed: () => undefined,
  });
  stream.pause();
  for (let id = 1; id <= 200; id++) stream.send(fetchRequest(id));
  let before = -1;
  while (calls !== before || calls === 0) {
    before = calls;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  expect(calls).toBeLessThan(60);
  stream.close(new MillraceError('CANCELLED'));
  await until(() => signal?.aborted === true);
});

test('replication: a session lives as long as its stream; requests that only update it are not answered', async () => {
  const handled: ReplicaFetchRequest[] = [];
  let isClosed = false;
  const { port } = await at({
    replicaFetchSession: (replicaId) => {
      expect(replicaId).toBe(7);
      return {
        handle: (request) => {
          handled.push(request);
          const { correlationId } = request;
          const failure = { code: 'STALE_BROKER_EPOCH', message: 'old' } as const;
          return correlationId === 0
            ? undefined
            : Promise.resolve({ correlationId, partitions: [], failure });
        },
        close: () => {
          isClosed = true;
        },
      };
    },
  });
  const replicas = new GrpcReplicaChannel({ clusterId: 'c', clientId: 'broker-7' });
  const stream = replicas.connect({ id: 1, host: '127.0.0.1', port });
  const answers: unknown[] = [];
  stream.onResponse((answer) => answers.push(answer));
  stream.onClosed(() => expect.unreachable('closing it oneself is not reported'));
  const position = { topicId: 't', partition: 1, currentLeaderEpoch: 2, fetchOffset: 2 ** 33 };
  const request: ReplicaFetchRequest = {
    correlationId: 0,
    replicaId: 7,
    brokerEpoch: 3,
    maxWaitMs: 500,
    maxBytes: 1_000,
    positions: [{ ...position, flushedOffset: 4, lastFetchedEpoch: -1, logStartOffset: 0 }],
    removed: [{ topicId: 'u', partition: 0 }],
  };
  stream.send(request);
  stream.send({ ...request, correlationId: 5 });
  await until(() => answers.length === 1);
  expect(handled).toEqual([request, { ...request, correlationId: 5 }]);
  expect(answers).toEqual([
    { correlationId: 5, partitions: [], failure: { code: 'STALE_BROKER_EPOCH', message: 'old' } },
  ]);
  stream.close();
  await until(() => isClosed);
});

test('replication: a leader that is not there is reported through onClosed', async () => {
  const { port, server } = await serve(() => undefined);
  server.close();
  const stream = new GrpcReplicaChannel({ clusterId: 'c', clientId: 'b' }).connect({
    id: 1,
    host: '127.0.0.1',
    port,
  });
  const error = await new Promise((resolve) => stream.onClosed(resolve));
  expect(error).toMatchObject({ code: 'CONNECTION_FAILED' });
});

test('admin: the listener that the call came in on decides the addresses in the answer', async () => {
  const { channel } = await at({
    describeTopics: async ({ listener, names, allowAutoCreate }) => ({
      clusterId: listener,
      controllerId: allowAutoCreate ? 1 : -1,
      brokers: [],
      topics: [
        {
          topicId: '',
          name: names[0]!,
          internal: false,
          partitions: [],
          failure: { code: 'UNKNOWN_TOPIC_OR_PARTITION', message: 'no' },
        },
      ],
    }),
  });
  const request = { header: HEADER, names: ['a'], topicIds: [], allowAutoCreate: false };
  expect(await channel.unary(brokerService.describeTopics, request)).toMatchObject({
    clusterId: 'INTERNAL',
    controllerId: -1,
    topics: [{ name: 'a', failure: { code: 3, message: 'no' } }],
  });
});

test('admin: a removed setting, an unknown election and another cluster are told apart', async () => {
  let changes: unknown;
  const { channel } = await at({
    alterConfigs: async (request) => {
      changes = request.changes;
      return { resources: [] };
    },
  });
  const resource = { kind: 'topic', name: 'a' };
  await channel.unary(adminService.alterConfigs, {
    header: HEADER,
    changes: [
      { resource, name: 'retention.ms', value: '' },
      { resource, name: 'segment.ms', value: undefined },
    ],
    validateOnly: false,
  });
  expect(changes).toEqual([
    { resource, name: 'retention.ms', value: '' },
    { resource, name: 'segment.ms', value: undefined },
  ]);
  const election = { header: HEADER, election: 'best', partitions: [] };
  await expect(channel.unary(adminService.electLeaders, election)).rejects.toMatchObject({
    code: 'INVALID_REQUEST',
    message: 'an election is "preferred" or "unclean", not "best"',
  });
  const elsewhere = { header: { ...HEADER, clusterId: 'other' } };
  await expect(channel.unary(adminService.describeQuorum, elsewhere)).rejects.toMatchObject({
    code: 'INCONSISTENT_CLUSTER_ID',
  });
});
