import { connect, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import {
  adminService,
  brokerService,
  healthService,
  type RpcServer,
  rpcConfig,
  ServingStatus,
} from './index.ts';
import { HEADER, type Loopback, loopback, rawRequests, until } from './testing/loopback.ts';

function services(server: RpcServer): void {
  server.unary(adminService.deleteTopics, () => ({ topics: [] }));
  server.duplex(brokerService.produce, (stream) => ({
    onMessage: () => void stream.send({ correlationId: 1, partitions: [], failure: undefined }),
    onClosed: () => undefined,
  }));
  server.setServing(true);
}

async function expectService({ channel }: Loopback): Promise<void> {
  expect(await channel.unary(healthService.check, { service: '' })).toEqual({
    status: ServingStatus.SERVING,
  });
}

function dial(port: number): Socket {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  onTestFinished(() => void socket.destroy());
  return socket;
}

const ended = (socket: Socket): Promise<unknown> =>
  new Promise((resolve) => socket.once('close', resolve).resume());

const HTTP2_PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

test.each([
  ['random bytes', Buffer.from(Array.from({ length: 4_096 }, (_, i) => (i * 7_919 + 13) % 251))],
  ['an HTTP/1.1 request', Buffer.from('GET / HTTP/1.1\r\nhost: a\r\n\r\n')],
  ['a broken frame after the preface', Buffer.concat([Buffer.from(HTTP2_PREFACE), Buffer.alloc(64, 0xff)])],
])('%s on the port: cut off, one line in the log, and service goes on', async (_what, bytes) => {
  const at = await loopback(services);
  await expectService(at);
  const socket = dial(at.port);
  socket.write(bytes);
  await ended(socket);
  await expectService(at);
  expect(at.logged).toMatchObject([
    { event: 'connection_cut_off', peer: expect.stringContaining('127.0.0.1:') },
  ]);
  expect(at.server.connections).toBe(1);
});

test.each([
  ['says nothing', ''],
  ['sends one byte', 'P'],
  ['stops within the preface', HTTP2_PREFACE.slice(0, 10)],
  ['says nothing after the preface', HTTP2_PREFACE],
  ['stops within its first frame header', `${HTTP2_PREFACE}\0\0\0`],
])('a peer that %s is cut off after the setup timeout', async (_what, text) => {
  const at = await loopback(services, { 'connection.setup.timeout.ms': '50' });
  const socket = dial(at.port);
  socket.write(text);
  await ended(socket);
  expect(at.logged).toMatchObject([{ event: 'connection_cut_off', reason: 'no HTTP/2 within 50 ms' }]);
  expect(at.server.connections).toBe(0);
  await expectService(at);
});

const HTTP2_START = Buffer.concat([Buffer.from(HTTP2_PREFACE), frameHeader(0, 4, 0, 0)]);

test.each([
  [
    'stops within a later frame header',
    [0, 0, 0],
    { 'keepalive.time.ms': '100', 'keepalive.timeout.ms': '100' },
  ],
  ['never opens a call', [], { 'connections.max.idle.ms': '1000', 'connection.setup.timeout.ms': '200' }],
])('a peer that begins HTTP/2 and then %s is cut off', async (_what, rest, config) => {
  const at = await loopback(services, config);
  // It does not even close its side when the server has closed.
  const socket = connect({ port: at.port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => undefined).resume();
  onTestFinished(() => void socket.destroy());
  socket.write(Buffer.concat([HTTP2_START, Buffer.from(rest)]));
  await until(() => at.server.connections === 1);
  await until(() => at.server.connections === 0);
  // Nobody is there any more: writes are answered by a reset.
  await until(() => socket.destroyed || (socket.write('x') && false));
  await expectService(at);
});

/** A HEADERS frame without Huffman coding or indexing: enough to open a gRPC call by hand. */
function headersFrame(path: string): Buffer {
  const field = (name: string, value: string): Buffer =>
    Buffer.concat([
      Buffer.from([0, name.length]),
      Buffer.from(name),
      Buffer.from([value.length]),
      Buffer.from(value),
    ]);
  const block = Buffer.concat([
    field(':method', 'POST'),
    field(':scheme', 'http'),
    field(':path', path),
    field(':authority', 'a'),
    field('content-type', 'application/grpc'),
    field('te', 'trailers'),
  ]);
  return Buffer.concat([frameHeader(block.length, 1, 4, 1), block]);
}

function frameHeader(length: number, type: number, flags: number, stream: number): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(length, 0, 3);
  header.writeUInt8(type, 3);
  header.writeUInt8(flags, 4);
  header.writeUInt32BE(stream, 5);
  return header;
}

test('a peer that leaves a message half sent is cut off; an idle stream is not', async () => {
  const at = await loopback(services, { 'connection.setup.timeout.ms': '60' });
  let idleEnded = false;
  const idle = at.channel.duplex(brokerService.produce, {
    onMessage: () => undefined,
    onClosed: () => {
      idleEnded = true;
    },
  });
  const socket = dial(at.port);
  const half = Buffer.from([0, 0, 0, 1, 0, 1, 2, 3]);
  socket.write(Buffer.concat([Buffer.from(HTTP2_PREFACE), frameHeader(0, 4, 0, 0)]));
  socket.write(
    Buffer.concat([headersFrame(brokerService.produce.path), frameHeader(half.length, 0, 0, 1), half]),
  );
  await ended(socket);
  expect(at.logged).toMatchObject([{ event: 'connection_cut_off', reason: 'a message was left half sent' }]);
  expect(idleEnded).toBe(false);
  idle.close();
  await expectService(at);
});

test('a malformed message fails its own unary call with INVALID_REQUEST', async () => {
  const at = await loopback(services);
  const garbage = Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f, 1]);
  await expect(at.channel.unary(rawRequests(adminService.deleteTopics), garbage)).rejects.toMatchObject({
    code: 'INVALID_REQUEST',
    message: expect.stringContaining('malformed millrace.v1.DeleteTopicsRequest'),
  });
  await expectService(at);
});

test('a malformed message ends its own stream only', async () => {
  const at = await loopback(services);
  const answers: unknown[] = [];
  const healthy = at.channel.duplex(brokerService.produce, {
    onMessage: (answer) => void answers.push(answer),
    onClosed: () => undefined,
  });
  const error = await new Promise((resolve) => {
    const stream = at.channel.duplex(rawRequests(brokerService.produce), {
      onMessage: () => undefined,
      onClosed: resolve,
    });
    stream.send(Buffer.from([0x1a, 5, 1]));
  });
  expect(error).toMatchObject({ code: 'INVALID_REQUEST' });
  healthy.send({ header: HEADER, acks: 1, partitions: [] });
  await until(() => answers.length === 1);
});

test('a message over the limit fails its own call or stream with MESSAGE_TOO_LARGE; the connection lives on', async () => {
  const at = await loopback(services, { 'socket.request.max.bytes': '100000' });
  const large = Buffer.alloc(100_001);
  await expect(at.channel.unary(rawRequests(adminService.deleteTopics), large)).rejects.toMatchObject({
    code: 'MESSAGE_TOO_LARGE',
    retriable: false,
  });
  const error = await new Promise((resolve) => {
    const stream = at.channel.duplex(rawRequests(brokerService.produce), {
      onMessage: () => undefined,
      onClosed: resolve,
    });
    stream.send(large);
  });
  expect(error).toMatchObject({ code: 'MESSAGE_TOO_LARGE' });
  await expectService(at);
  expect(at.server.connections).toBe(1);
});

test('a method that the server does not know is UNSUPPORTED_VERSION', async () => {
  const at = await loopback(services);
  const call = at.channel.unary(adminService.describeCluster, { header: HEADER });
  await expect(call).rejects.toMatchObject({ code: 'UNSUPPORTED_VERSION' });
});

test('connections over the limit are refused, and there is room again when others leave', async () => {
  const at = await loopback(services, { 'max.connections': '2' });
  const first = dial(at.port);
  const second = dial(at.port);
  await until(() => at.server.connections === 2);
  await ended(dial(at.port));
  first.destroy();
  second.destroy();
  await until(() => at.server.connections === 0);
  await expectService(at);
});

test('one client may open 1,000 connections; service is normal during and after', async () => {
  const at = await loopback(services);
  const sockets = Array.from({ length: 1_000 }, () => dial(at.port));
  await until(() => at.server.connections === 1_000);
  await expectService(at);
  for (const socket of sockets) socket.destroy();
  await until(() => at.server.connections === 1);
  await expectService(at);
  expect(at.logged).toEqual([]);
});

test('a port in use is a clear error', async () => {
  const at = await loopback(services);
  const { RpcServer: Server } = await import('./index.ts');
  const other = new Server({ config: rpcConfig.parse({}) });
  onTestFinished(() => other.close());
  await expect(other.listen('127.0.0.1', at.port)).rejects.toMatchObject({
    code: 'CONNECTION_FAILED',
    message: expect.stringContaining(`cannot listen on 127.0.0.1:${at.port}`),
  });
});
