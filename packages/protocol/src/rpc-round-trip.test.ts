import { type AddressInfo, createServer } from 'node:net';
import { Client, credentials, status } from '@grpc/grpc-js';
import { ERRORS, type ErrorCode, MillraceError } from '@millrace/core';
import { expect, onTestFinished, test } from 'vitest';
import {
  adminService,
  brokerService,
  type CallContext,
  type Codec,
  controllerService,
  type DeleteTopicsRequest,
  healthService,
  type MetadataUpdate,
  type ProduceResponse,
  RpcChannel,
  type RpcServer,
  ServingStatus,
} from './index.ts';
import { cuttableProxy, HEADER, loopback, until } from './testing/loopback.ts';

const DEADLINE_MS = 250;
const DELETE: DeleteTopicsRequest = { header: HEADER, names: ['a'], topicIds: [] };

function deleteTopics(handler: (context: CallContext) => Promise<void> | void) {
  return (server: RpcServer): void => {
    server.unary(adminService.deleteTopics, async (_request, context) => {
      await handler(context);
      return { topics: [] };
    });
  };
}

test('a unary call reaches its handler and its answer comes back whole', async () => {
  const { channel } = await loopback((server) => {
    server.unary(adminService.createTopics, (request, context) => {
      const topics = request.topics.map(({ name, configs }) => ({
        name: `${name} ${configs['retention.ms']} ${context.listener}`,
        failure: { code: 36, message: 'exists' },
        topicId: '',
        partitionCount: 0,
        replicationFactor: 3,
      }));
      return { topics };
    });
  });
  const topic = { name: 'ä', partitionCount: -1, replicationFactor: -1, assignments: [] };
  const answer = await channel.unary(adminService.createTopics, {
    header: HEADER,
    topics: [{ ...topic, configs: { 'retention.ms': '5' } }],
    validateOnly: true,
  });
  expect(answer.topics).toEqual([
    {
      name: 'ä 5 INTERNAL',
      failure: { code: 36, message: 'exists' },
      topicId: '',
      partitionCount: 0,
      replicationFactor: 3,
    },
  ]);
});

test('every error code arrives as it was thrown, with its message', async () => {
  let code: ErrorCode = 'CLOSED';
  const { channel } = await loopback(
    deleteTopics(() => {
      throw new MillraceError(code, `about\n${code} ü \ud800`);
    }),
  );
  for (code of Object.keys(ERRORS) as ErrorCode[]) {
    const failure = await channel.unary(adminService.deleteTopics, DELETE).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(MillraceError);
    expect(failure).toMatchObject({ code, message: `about ${code} ü \ufffd` });
  }
});

test('an unexpected error is logged by the server and reaches the caller without its text', async () => {
  const { channel, logged } = await loopback(
    deleteTopics(() => {
      throw new Error('secret');
    }),
  );
  await expect(channel.unary(adminService.deleteTopics, DELETE)).rejects.toMatchObject({
    code: 'UNKNOWN_SERVER_ERROR',
    message: ERRORS.UNKNOWN_SERVER_ERROR.help,
  });
  expect(logged).toMatchObject([{ event: 'handler_failed', path: '/millrace.v1.Admin/DeleteTopics' }]);
});

test('a deadline that passes ends the call on both sides', async () => {
  let context: CallContext | undefined;
  const { channel } = await loopback(
    deleteTopics((given) => {
      // The first call waits for the connection, so that the second need not.
      if ((given.timeLeftMs ?? 0) > DEADLINE_MS) return;
      context = given;
      return new Promise(() => undefined);
    }),
  );
  await channel.unary(adminService.deleteTopics, DELETE, { deadlineMs: 60_000 });
  const call = channel.unary(adminService.deleteTopics, DELETE, { deadlineMs: DEADLINE_MS });
  await expect(call).rejects.toMatchObject({ code: 'REQUEST_TIMED_OUT', retriable: true });
  expect(context?.timeLeftMs).toBeLessThanOrEqual(DEADLINE_MS);
  await until(() => context?.signal.aborted === true);
});

test('an aborted call rejects with CANCELLED and its handler learns of it', async () => {
  let signal: AbortSignal | undefined;
  const { channel } = await loopback(
    deleteTopics((context) => {
      signal = context.signal;
      return new Promise(() => undefined);
    }),
  );
  const aborter = new AbortController();
  const call = channel.unary(adminService.deleteTopics, DELETE, { signal: aborter.signal });
  await until(() => signal !== undefined);
  aborter.abort();
  await expect(call).rejects.toMatchObject({ code: 'CANCELLED' });
  await until(() => signal?.aborted === true);
  await expect(
    channel.unary(adminService.deleteTopics, DELETE, { signal: aborter.signal }),
  ).rejects.toMatchObject({ code: 'CANCELLED' });
});

test('a call to a port where nobody listens fails at once with CONNECTION_FAILED', async () => {
  const { server, port, connect } = await loopback(() => undefined);
  server.close();
  const channel = connect();
  await expect(channel.unary(adminService.deleteTopics, DELETE)).rejects.toMatchObject({
    code: 'CONNECTION_FAILED',
  });
  const error = await new Promise((resolve) => {
    RpcChannel.connect('127.0.0.1', port).duplex(brokerService.produce, {
      onMessage: () => undefined,
      onClosed: resolve,
    });
  });
  expect(error).toMatchObject({ code: 'CONNECTION_FAILED' });
});

test.each([2 ** 31 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER])(
  'a deadline in %d ms has not passed',
  async (deadlineMs) => {
    const left: (number | undefined)[] = [];
    const { channel } = await loopback(deleteTopics(({ timeLeftMs }) => void left.push(timeLeftMs)));
    await channel.unary(adminService.deleteTopics, DELETE, { deadlineMs });
    expect(left[0]).toBeGreaterThan(2 ** 31 - 2_000);
  },
);

test('a call to a port that takes connections and says nothing fails in time, whatever its deadline', async () => {
  const mute = createServer(() => undefined);
  await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void mute.close());
  const { port } = mute.address() as AddressInfo;
  const channel = RpcChannel.connect('127.0.0.1', port, { connectTimeoutMs: 100 });
  onTestFinished(() => channel.close());
  await expect(
    channel.unary(adminService.deleteTopics, DELETE, { deadlineMs: 60_000 }),
  ).rejects.toMatchObject({ code: 'CONNECTION_FAILED', message: expect.stringContaining('within 100 ms') });
});

test('messages of a duplex stream arrive in order, and closing it lets the rest arrive first', async () => {
  const { channel } = await loopback((server) => {
    server.duplex(brokerService.produce, (stream) => ({
      onMessage: ({ header }) =>
        void stream.send({ correlationId: header.correlationId, partitions: [], failure: undefined }),
      onClosed: () => undefined,
    }));
  });
  const answers: ProduceResponse[] = [];
  const error = await new Promise((resolve) => {
    const stream = channel.duplex(brokerService.produce, {
      onMessage: (answer) => answers.push(answer),
      onClosed: resolve,
    });
    for (let correlationId = 1; correlationId <= 100; correlationId++) {
      stream.send({ header: { ...HEADER, correlationId }, acks: -1, partitions: [] });
    }
    stream.close();
  });
  expect(error).toBeUndefined();
  expect(answers.map((answer) => answer.correlationId)).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
});

test('a server stream delivers its answers, then the error that ended it', async () => {
  const { channel } = await loopback((server) => {
    server.serverStream(controllerService.followMetadata, (request, stream) => {
      for (let i = 0; i < 3; i++) {
        const nextOffset = request.fromOffset + i;
        stream.send({
          entries: [],
          nextOffset,
          snapshotChunk: Buffer.alloc(0),
          snapshotDone: false,
          controllerId: 1,
          controllers: [],
          quorumId: '',
        });
      }
      stream.close(new MillraceError('NOT_CONTROLLER'));
      return { onMessage: () => undefined, onClosed: () => undefined };
    });
  });
  const updates: MetadataUpdate[] = [];
  const error = await new Promise((resolve) => {
    const handlers = { onMessage: (update: MetadataUpdate) => void updates.push(update), onClosed: resolve };
    channel.serverStream(controllerService.followMetadata, { header: HEADER, fromOffset: 7 }, handlers);
  });
  expect(updates.map((update) => update.nextOffset)).toEqual([7, 8, 9]);
  expect(error).toMatchObject({ code: 'NOT_CONTROLLER' });
});

test('a channel that closes ends its calls with CLOSED', async () => {
  const { channel } = await loopback((server) => {
    deleteTopics(() => new Promise(() => undefined))(server);
    server.duplex(brokerService.produce, () => ({ onMessage: () => undefined, onClosed: () => undefined }));
  });
  const call = channel.unary(adminService.deleteTopics, DELETE);
  const streamEnd = new Promise((resolve) => {
    channel.duplex(brokerService.produce, { onMessage: () => undefined, onClosed: resolve });
  });
  setImmediate(() => channel.close());
  await expect(call).rejects.toMatchObject({ code: 'CLOSED' });
  expect(await streamEnd).toMatchObject({ code: 'CLOSED' });
  expect(() =>
    channel.duplex(brokerService.produce, { onMessage: () => undefined, onClosed: () => undefined }),
  ).toThrow(expect.objectContaining({ code: 'CLOSED' }));
});

test('both sides of a stream learn at once that the connection broke', async () => {
  let serverSide: unknown;
  let heard = false;
  const { server, channel } = await loopback((bound) => {
    bound.duplex(brokerService.produce, () => ({
      onMessage: () => {
        heard = true;
      },
      onClosed: (error) => {
        serverSide = error;
      },
    }));
  });
  const clientSide = await new Promise((resolve) => {
    const stream = channel.duplex(brokerService.produce, { onMessage: () => undefined, onClosed: resolve });
    stream.send({ header: HEADER, acks: 1, partitions: [] });
    void until(() => heard).then(() => server.close());
  });
  expect(clientSide).toMatchObject({ code: expect.stringMatching(/NETWORK_EXCEPTION|CANCELLED/) });
  await until(() => serverSide !== undefined);
  expect(serverSide).toMatchObject({ code: 'NETWORK_EXCEPTION' });
});

test('a peer that falls silent without closing is noticed by both sides', async () => {
  let serverSide: unknown;
  const { port } = await loopback(
    (server) => {
      server.duplex(brokerService.produce, (stream) => {
        stream.send({ correlationId: 1, partitions: [] });
        return {
          onMessage: () => undefined,
          onClosed: (error) => {
            serverSide = error;
          },
        };
      });
    },
    { 'keepalive.time.ms': '100', 'keepalive.timeout.ms': '100' },
  );
  const proxy = await cuttableProxy(port);
  const channel = RpcChannel.connect('127.0.0.1', proxy.port, {
    keepaliveTimeMs: 100,
    keepaliveTimeoutMs: 100,
  });
  onTestFinished(() => channel.close());
  const clientSide = await new Promise((resolve) => {
    channel.duplex(brokerService.produce, { onMessage: () => proxy.cut(), onClosed: resolve });
  });
  expect(clientSide).toMatchObject({ code: 'NETWORK_EXCEPTION', retriable: true });
  await until(() => serverSide !== undefined);
});

test('one signal for many calls raises no warning about a leak', async () => {
  const warnings: string[] = [];
  const onWarning = ({ name }: Error): void => void warnings.push(name);
  process.on('warning', onWarning);
  onTestFinished(() => void process.off('warning', onWarning));
  const { channel } = await loopback(deleteTopics(() => undefined));
  const { signal } = new AbortController();
  await Promise.all(
    Array.from({ length: 16 }, () => channel.unary(adminService.deleteTopics, DELETE, { signal })),
  );
  await new Promise((resolve) => setImmediate(resolve));
  expect(warnings).toEqual([]);
});

test('health tells whether the server serves, and a watcher hears of changes', async () => {
  const { server, channel } = await loopback(() => undefined);
  const check = () => channel.unary(healthService.check, { service: '' });
  expect(await check()).toEqual({ status: ServingStatus.NOT_SERVING });
  const seen: number[] = [];
  const watch = channel.serverStream(
    healthService.watch,
    { service: '' },
    {
      onMessage: ({ status }) => void seen.push(status),
      onClosed: () => undefined,
    },
  );
  await until(() => seen.length === 1);
  server.setServing(true);
  await until(() => seen.length === 2);
  expect(await check()).toEqual({ status: ServingStatus.SERVING });
  expect(seen).toEqual([ServingStatus.NOT_SERVING, ServingStatus.SERVING]);
  watch.close(new MillraceError('CANCELLED'));
  await expect(channel.unary(healthService.check, { service: 'other' })).rejects.toMatchObject({
    code: 'INVALID_REQUEST',
  });
});

test('health of an unknown service is NOT_FOUND to tools that know only gRPC', async () => {
  const { port } = await loopback(() => undefined);
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  onTestFinished(() => client.close());
  const { path, request } = healthService.check;
  const same = (bytes: Buffer): Buffer => bytes;
  const code = await new Promise((resolve) => {
    client.makeUnaryRequest(path, same, same, Buffer.from(request.encode({ service: 'other' })), (error) => {
      resolve(error?.code);
    });
  });
  expect(code).toBe(status.NOT_FOUND);
});

test('a message writes itself into the frame that goes out: its payload is copied once, at either end', async () => {
  const copies: string[] = [];
  const counting = <Message>(codec: Codec<Message>): Codec<Message> => ({
    ...codec,
    frame(message) {
      const frame = codec.frame(message);
      return {
        length: frame.length,
        byteLength: frame.byteLength,
        copy(target, start) {
          expect(target.length).toBe(frame.length + 5);
          copies.push(codec.name);
          return frame.copy(target, start);
        },
      };
    },
  });
  const { produce } = brokerService;
  const method = { ...produce, request: counting(produce.request), response: counting(produce.response) };
  const { channel } = await loopback((server) => {
    server.duplex(method, (stream) => ({
      onMessage: ({ partitions }) => {
        expect(partitions[0]?.records).toEqual(Buffer.alloc(50_000, 'x'));
        stream.send({ correlationId: 1, partitions: [] });
      },
      onClosed: () => undefined,
    }));
  });
  await new Promise<void>((resolve) => {
    const stream = channel.duplex(method, { onMessage: () => resolve(), onClosed: () => undefined });
    const partition = { topicId: 't', partition: 0, leaderEpoch: 0, records: Buffer.alloc(50_000, 'x') };
    stream.send({ header: HEADER, acks: 1, partitions: [partition] });
  });
  expect(copies).toEqual(['millrace.v1.ProduceRequest', 'millrace.v1.ProduceResponse']);
});

test('a method that is expected answers NODE_NOT_SERVING until its handler is there', async () => {
  const { channel, server } = await loopback((listener) => {
    listener.expect([...Object.values(adminService), ...Object.values(brokerService)]);
  });
  await expect(channel.unary(adminService.deleteTopics, DELETE)).rejects.toMatchObject({
    code: 'NODE_NOT_SERVING',
  });
  const ended = await new Promise((resolve) => {
    channel.duplex(brokerService.produce, { onMessage: () => {}, onClosed: resolve });
  });
  expect(ended).toMatchObject({ code: 'NODE_NOT_SERVING', retriable: true });
  deleteTopics(() => {})(server);
  await expect(channel.unary(adminService.deleteTopics, DELETE)).resolves.toEqual({ topics: [] });
});
