import { MillraceError, sleep } from '@millrace/core';
import {
  adminService,
  brokerService,
  type ProduceRequest,
  type ProduceResponse,
  type RpcConnection,
  type RpcListener,
  type RpcStream,
} from '@millrace/protocol';
import { expect, test } from 'vitest';
import type { SimLife } from '../world/sim-process.ts';
import { World } from '../world/world.ts';
import { SimNetwork } from './sim-network.ts';
import { SimRpcNetwork, type SimRpcOptions } from './sim-rpc-network.ts';

const HEADER = { correlationId: 0, timeoutMs: 0, clientId: 'test', clusterId: '', quorumId: '' };
const DELETE = { header: HEADER, names: ['a'], topicIds: [] };

interface Stage {
  readonly world: World;
  readonly network: SimNetwork;
  readonly rpc: SimRpcNetwork;
  readonly client: SimLife;
  readonly connection: RpcConnection;
  /** Of the server's streams, by correlation id. */
  readonly received: number[];
  readonly serverEnds: (MillraceError | undefined)[];
  serverStream: RpcStream<ProduceResponse> | undefined;
}

/** A server that takes produce streams and deletes topics, and a client that has connected to it. */
async function stage(
  seed: number,
  options: SimRpcOptions = {},
  setUp?: (server: RpcListener) => void,
): Promise<Stage> {
  const world = new World({ seed });
  const network = new SimNetwork(world);
  const rpc = new SimRpcNetwork(network, options);
  const received: number[] = [];
  const serverEnds: (MillraceError | undefined)[] = [];
  startServer(world, rpc, (server) => {
    server.unary(adminService.deleteTopics, () => ({ topics: [] }));
    server.duplex(brokerService.produce, (stream) => {
      at.serverStream = stream;
      return {
        onMessage: ({ header }) => void received.push(header.correlationId),
        onClosed: (error) => void serverEnds.push(error),
      };
    });
    setUp?.(server);
  });
  await world.run(5);
  const client = world.process('client').start(() => {});
  const connection = rpc.of(client).connect('server', 9192);
  const at: Stage = {
    world,
    network,
    rpc,
    client,
    connection,
    received,
    serverEnds,
    serverStream: undefined,
  };
  await world.settle(connection.unary(adminService.deleteTopics, DELETE));
  return at;
}

function startServer(world: World, rpc: SimRpcNetwork, setUp: (server: RpcListener) => void): void {
  world.process('server').start(async (life) => {
    const server = rpc.of(life).serve();
    setUp(server);
    await server.listen('server', 9192);
  });
}

function request(correlationId: number, sizeBytes = 10): ProduceRequest {
  const partition = { topicId: 't', partition: 0, leaderEpoch: 0, records: Buffer.alloc(sizeBytes, 1) };
  return { header: { ...HEADER, correlationId }, acks: -1, partitions: [partition] };
}

interface Opened {
  readonly stream: RpcStream<ProduceRequest>;
  readonly answers: number[];
  readonly ends: { readonly error: MillraceError | undefined; readonly atMs: number }[];
}

function open({ world, connection }: Stage): Opened {
  const answers: number[] = [];
  const ends: Opened['ends'] = [];
  const stream = connection.duplex(brokerService.produce, {
    onMessage: ({ correlationId }) => void answers.push(correlationId),
    onClosed: (error) => void ends.push({ error, atMs: world.nowMs }),
  });
  return { stream, answers, ends };
}

async function failureOf(at: Stage, call: Promise<unknown>): Promise<MillraceError> {
  return await at.world.settle(
    call.then(
      () => expect.fail('it succeeded'),
      (error: MillraceError) => error,
    ),
  );
}

test.each([1, 2, 3])(
  'messages arrive whole, in order and in memory of their own, however bad the link (seed %i)',
  async (seed) => {
    const at = await stage(seed);
    at.network.setAll({
      delayMinMs: 1,
      delayMeanMs: 50,
      loss: 0.3,
      duplication: 0.5,
      reordering: 0.5,
      bytesPerMs: 100,
    });
    const { stream, ends } = open(at);
    const sent = request(1);
    stream.send(sent);
    Object.assign(sent.header, { correlationId: 99 });
    for (let i = 2; i <= 100; i++) stream.send(request(i));
    stream.close();
    await at.world.run(() => ends.length > 0);
    expect(at.received).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
    expect([ends[0]!.error, at.serverEnds]).toEqual([undefined, [undefined]]);
  },
);

test('a blocked link holds a stream; the two ends give up on their own, each at its own time', async () => {
  const at = await stage(4);
  const { stream, ends } = open(at);
  stream.send(request(1));
  await at.world.run(() => at.received.length === 1);
  const cut = at.network.isolate('server', ['client'], 'in');
  const cutAtMs = at.world.nowMs;
  stream.send(request(2));
  at.serverStream!.send({ correlationId: 1, partitions: [] });
  await at.world.run(() => ends.length > 0);
  expect(ends[0]!.error?.code).toBe('NETWORK_EXCEPTION');
  expect(ends[0]!.atMs - cutAtMs).toBeGreaterThan(2_000);
  expect(ends[0]!.atMs - cutAtMs).toBeLessThan(3_001);
  expect(at.serverEnds).toEqual([]);
  await at.world.run(() => at.serverEnds.length > 0);
  expect(at.world.nowMs - cutAtMs).toBeGreaterThan(5_000);
  expect(at.received).toEqual([1]);
  cut.heal();
  const { stream: next } = open(at);
  next.send(request(3));
  await at.world.run(() => at.received.includes(3));
});

test('a partition that heals in time only delays; one direction may stay open', async () => {
  const at = await stage(5);
  const { stream, answers, ends } = open(at);
  stream.send(request(1));
  await at.world.run(() => at.received.length === 1);
  const cut = at.network.isolate('client', ['server'], 'out');
  at.serverStream!.send({ correlationId: 7, partitions: [] });
  stream.send(request(2));
  await at.world.run(() => answers.length === 1);
  await at.world.run(at.world.nowMs + 1_000);
  expect(at.received).toEqual([1]);
  cut.heal();
  await at.world.run(() => at.received.length === 2);
  await at.world.run(at.world.nowMs + 20_000);
  expect(ends).toEqual([]);
});

test('the death of a process resets its connections; that of a machine is silent', async () => {
  for (const death of ['process', 'machine'] as const) {
    const at = await stage(6);
    const { ends } = open(at);
    await at.world.run(() => at.serverStream !== undefined);
    const diedAtMs = at.world.nowMs;
    at.world.process('server').kill(death);
    await at.world.run(() => ends.length > 0);
    const tookMs = at.world.nowMs - diedAtMs;
    expect(ends[0]!.error?.code).toBe('NETWORK_EXCEPTION');
    if (death === 'process') expect(tookMs).toBeLessThan(100);
    else expect(tookMs).toBeGreaterThan(2_000);
    const calledAtMs = at.world.nowMs;
    const refused = await failureOf(
      at,
      at.connection.unary(adminService.deleteTopics, DELETE, { deadlineMs: 5_000 }),
    );
    expect(refused.code).toBe(death === 'process' ? 'CONNECTION_FAILED' : 'REQUEST_TIMED_OUT');
    if (death === 'machine') expect(at.world.nowMs - calledAtMs).toBeGreaterThanOrEqual(5_000);
    expect(at.serverEnds).toEqual([]);
  }
});

test('a call gets its answer, its deadline, its cancellation, or the error of its handler', async () => {
  let isAborted = false;
  const at = await stage(7, {}, (server) => {
    server.unary(adminService.describeCluster, async (_request, { signal, timeLeftMs }) => {
      expect(timeLeftMs).toBe(200);
      signal.addEventListener('abort', () => {
        isAborted = true;
      });
      return await new Promise<never>(() => {});
    });
    server.unary(adminService.createTopics, () => {
      throw new MillraceError('TOPIC_ALREADY_EXISTS', 'a is there');
    });
    server.expect([brokerService.initProducerId]);
  });
  const { connection, world } = at;
  const late = await failureOf(
    at,
    connection.unary(adminService.describeCluster, { header: HEADER }, { deadlineMs: 200 }),
  );
  expect(late.code).toBe('REQUEST_TIMED_OUT');
  await world.run(() => isAborted, 100);
  const create = connection.unary(adminService.createTopics, {
    header: HEADER,
    topics: [],
    validateOnly: false,
  });
  expect(await failureOf(at, create)).toMatchObject({ code: 'TOPIC_ALREADY_EXISTS', message: 'a is there' });
  const aborter = new AbortController();
  const cancelled = connection.unary(adminService.deleteTopics, DELETE, { signal: aborter.signal });
  aborter.abort();
  expect((await failureOf(at, cancelled)).code).toBe('CANCELLED');
  const unready = connection.unary(brokerService.initProducerId, { header: HEADER });
  expect((await failureOf(at, unready)).code).toBe('NODE_NOT_SERVING');
  const unknown = connection.unary(adminService.describeQuorum, { header: HEADER });
  expect((await failureOf(at, unknown)).code).toBe('UNSUPPORTED_VERSION');
  connection.close();
  expect((await failureOf(at, connection.unary(adminService.deleteTopics, DELETE))).code).toBe('CLOSED');
});

test('a paused server hears nothing until it goes on, then all at once; a long pause breaks the connection', async () => {
  const at = await stage(8);
  const { stream, ends } = open(at);
  await at.world.run(() => at.serverStream !== undefined);
  at.world.process('server').pause();
  for (let i = 1; i <= 5; i++) stream.send(request(i));
  await at.world.run(at.world.nowMs + 1_500);
  expect(at.received).toEqual([]);
  at.world.process('server').resume();
  await at.world.run(at.world.nowMs + 10);
  expect(at.received).toEqual([1, 2, 3, 4, 5]);
  at.world.process('server').pause();
  await at.world.run(() => ends.length > 0, 3_100);
  expect(ends[0]!.error?.code).toBe('NETWORK_EXCEPTION');
});

test('a reader that pauses holds its writer back after window and buffer; reading on lets all through', async () => {
  const at = await stage(9, { windowBytes: 1_000, sendBufferBytes: 2_000 });
  const { stream } = open(at);
  await at.world.run(() => at.serverStream !== undefined);
  at.serverStream!.pause();
  let sent = 1;
  while (stream.send(request(sent, 500))) sent += 1;
  expect(sent).toBeLessThan(7);
  expect(stream.bufferedBytes).toBeGreaterThanOrEqual(2_000);
  let isDrained = false;
  void stream.drained(0).then(() => {
    isDrained = true;
  });
  await at.world.run(at.world.nowMs + 1_000);
  expect([isDrained, at.received.length]).toEqual([false, 0]);
  at.serverStream!.resume();
  await at.world.run(() => isDrained && at.received.length === sent, 1_000);
});

test('streams end in order, with an error, by the client, or with their connection', async () => {
  const at = await stage(10);
  const first = open(at);
  await at.world.run(() => at.serverStream !== undefined);
  at.serverStream!.send({ correlationId: 5, partitions: [] });
  at.serverStream!.close();
  await at.world.run(() => first.ends.length > 0);
  expect([first.answers, first.ends[0]!.error]).toEqual([[5], undefined]);
  expect(first.stream.send(request(1))).toBe(false);
  const second = open(at);
  const before = at.serverStream;
  await at.world.run(() => at.serverStream !== before);
  at.serverStream!.close(new MillraceError('NOT_CONTROLLER', 'ask another'));
  await at.world.run(() => second.ends.length > 0);
  expect(second.ends[0]!.error).toMatchObject({ code: 'NOT_CONTROLLER', message: 'ask another' });
  const third = open(at);
  await at.world.run(at.world.nowMs + 10);
  third.stream.close(new MillraceError('CANCELLED'));
  await at.world.run(() => at.serverEnds.length === 3);
  expect([third.ends[0]!.error?.code, at.serverEnds[2]?.code]).toEqual(['CANCELLED', 'NETWORK_EXCEPTION']);
  const fourth = open(at);
  await at.world.run(at.world.nowMs + 10);
  at.rpc.resetOne(at.world.streams.network);
  await at.world.run(() => fourth.ends.length > 0 && at.serverEnds.length === 4);
  expect(fourth.ends[0]!.error?.code).toBe('NETWORK_EXCEPTION');
});

test('a server that drains lets streams finish, refuses new ones, and can be started again on its port', async () => {
  let drained: Promise<void> | undefined;
  const at = await stage(11, {}, (server) => {
    server.unary(adminService.describeQuorum, async () => {
      drained = server.drain(5_000);
      await drained;
      throw new MillraceError('CLOSED');
    });
  });
  const { ends } = open(at);
  await at.world.run(() => at.serverStream !== undefined);
  void at.connection.unary(adminService.describeQuorum, { header: HEADER }).catch(() => {});
  await at.world.run(() => ends.length > 0);
  expect(ends[0]!.error).toBeUndefined();
  expect((await failureOf(at, at.connection.unary(adminService.deleteTopics, DELETE))).code).toBe(
    'CONNECTION_FAILED',
  );
  await at.world.settle(drained!, 6_000);
  at.world.process('server').kill();
  startServer(at.world, at.rpc, (server) => server.unary(adminService.deleteTopics, () => ({ topics: [] })));
  await at.world.settle(
    (async () => {
      await sleep(at.client.clock, 3_000);
      await at.connection.unary(adminService.deleteTopics, DELETE);
    })(),
  );
});

test('an unexpected error in a handler is a violation, not an answer', async () => {
  const at = await stage(12, {}, (server) => {
    server.unary(adminService.describeCluster, () => {
      throw new TypeError('a bug');
    });
  });
  const call = at.connection.unary(adminService.describeCluster, { header: HEADER });
  await expect(at.world.settle(call)).rejects.toMatchObject({
    violation: 'a bug',
    facts: { process: 'server' },
  });
});
