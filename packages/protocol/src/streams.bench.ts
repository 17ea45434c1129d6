/**
 * What wide HTTP/2 windows and copying each payload once bring to a produce stream, beside raw TCP with the same bytes.
 * Client and server are two processes. Run after a build: `node packages/protocol/dist/streams.bench.js`. Never a test.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { connect, createServer, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js';
import { KiB, MiB } from '@millrace/core';
import protobuf from 'protobufjs';
import { brokerService, ProduceRequest, ProduceResponse, RpcChannel, RpcServer } from './index.ts';
import type { Codec } from './wire/codec.ts';

export interface StreamsRow {
  readonly payloadBytes: number;
  readonly variant: string;
  readonly messagesPerSecond: number;
  readonly mebibytesPerSecond: number;
}

interface Ports {
  /** grpc-js as it comes. */
  readonly plain: number;
  /** RpcServer. */
  readonly wide: number;
  readonly tcp: number;
}

interface Shape {
  readonly payloadBytes: number;
  readonly messages: number;
  readonly inFlight: number;
}

/** A producer that sends one message at a time on demand; `onAck` is told of each answer. */
type Producer = (onAck: () => void) => Promise<{ send(payload: Buffer): void; close(): void }>;

const HOST = '127.0.0.1';
const ACK_BYTES = 4;
const LENGTH_BYTES = 4;
const SHAPES: readonly Shape[] = [
  { payloadBytes: 128, messages: 100_000, inFlight: 256 },
  { payloadBytes: 16 * KiB, messages: 30_000, inFlight: 64 },
  { payloadBytes: 128 * KiB, messages: 8_000, inFlight: 16 },
  { payloadBytes: 1 * MiB, messages: 1_000, inFlight: 8 },
];

const self = fileURLToPath(import.meta.url);

/** All rows, for whoever prints them. */
export async function measureStreams(scale = 1): Promise<StreamsRow[]> {
  const child = fork(self, ['--serve'], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  try {
    const ports = await new Promise<Ports>((resolve) =>
      child.once('message', (sent) => resolve(sent as Ports)),
    );
    const variants: readonly [string, Producer][] = [
      ['grpc-js as it comes, protobufjs', grpcProducer(ports.plain, protobufjsCodec())],
      ['wide windows, protobufjs', grpcProducer(ports.wide, protobufjsCodec())],
      ['grpc-js as it comes, one copy', grpcProducer(ports.plain, ProduceRequest)],
      ['wide windows, one copy', grpcProducer(ports.wide, ProduceRequest)],
      ['raw TCP', tcpProducer(ports.tcp)],
    ];
    const rows: StreamsRow[] = [];
    for (const shape of SHAPES) {
      for (const [variant, producer] of variants) {
        const messages = Math.max(100, Math.round(shape.messages * scale));
        await run(producer, { ...shape, messages: Math.ceil(messages / 5) });
        const seconds = await run(producer, { ...shape, messages });
        const messagesPerSecond = messages / seconds;
        const mebibytesPerSecond = (messagesPerSecond * shape.payloadBytes) / MiB;
        rows.push({ payloadBytes: shape.payloadBytes, variant, messagesPerSecond, mebibytesPerSecond });
      }
    }
    return rows;
  } finally {
    await stopped(child);
  }
}

/** @returns seconds from the first message to the last answer. */
async function run(open: Producer, { payloadBytes, messages, inFlight }: Shape): Promise<number> {
  const payload = Buffer.alloc(payloadBytes, 'millrace ');
  let sent = 0;
  let acked = 0;
  let finish: () => void = () => undefined;
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const producer = await open(() => {
    acked += 1;
    if (sent < messages) {
      sent += 1;
      producer.send(payload);
    } else if (acked === messages) finish();
  });
  const startedMs = performance.now();
  for (sent = 0; sent < Math.min(inFlight, messages); sent++) producer.send(payload);
  await finished;
  producer.close();
  return (performance.now() - startedMs) / 1_000;
}

function grpcProducer(port: number, request: Codec<ProduceRequest>): Producer {
  const header = { correlationId: 1, timeoutMs: 30_000, clientId: 'bench', clusterId: '', quorumId: '' };
  return async (onAck) => {
    const channel = RpcChannel.connect(HOST, port);
    const handlers = { onMessage: onAck, onClosed: () => undefined };
    const stream = channel.duplex({ ...brokerService.produce, request }, handlers);
    const send = (records: Buffer): void => {
      const partition = { topicId: '0123456789012345678901', partition: 1, leaderEpoch: 1, records };
      stream.send({ header, acks: 1, partitions: [partition] });
    };
    return { send, close: () => channel.close() };
  };
}

/** The same message as protobufjs encodes it. */
function protobufjsCodec(): Codec<ProduceRequest> {
  const proto = join(dirname(self), '..', '..', '..', 'proto');
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) => join(proto, target);
  const type = root.loadSync('millrace/v1/broker.proto').lookupType(ProduceRequest.name);
  const frame = (message: ProduceRequest): Buffer => type.encode(message).finish() as Buffer;
  return { ...ProduceRequest, frame };
}

function tcpProducer(port: number): Producer {
  return async (onAck) => {
    const socket = connect(port, HOST);
    await new Promise((resolve) => socket.once('connect', resolve));
    socket.setNoDelay();
    let received = 0;
    socket.on('data', (chunk) => {
      for (received += chunk.length; received >= ACK_BYTES; received -= ACK_BYTES) onAck();
    });
    const send = (payload: Buffer): void => {
      const length = Buffer.allocUnsafe(LENGTH_BYTES);
      length.writeUInt32BE(payload.length);
      socket.cork();
      socket.write(length);
      socket.write(payload);
      socket.uncork();
    };
    return { send, close: () => socket.destroy() };
  };
}

async function serve(): Promise<void> {
  const answer = { correlationId: 1, partitions: [] };
  const wide = new RpcServer();
  wide.duplex(brokerService.produce, (stream) => ({
    onMessage: () => void stream.send(answer),
    onClosed: () => undefined,
  }));
  const plain = new Server({ 'grpc.max_receive_message_length': 100 * MiB });
  const same = (frame: Buffer): Buffer => frame;
  const onCall = (call: ServerDuplexStream<Buffer, Buffer>): void => {
    call.on('data', (frame: Buffer) => {
      ProduceRequest.decode(frame);
      call.write(ProduceResponse.encode(answer));
    });
    call.on('end', () => call.end());
  };
  plain.register(brokerService.produce.path, onCall as never, same, same, 'bidi');
  const plainPort = await new Promise<number>((resolve) => {
    plain.bindAsync(`${HOST}:0`, ServerCredentials.createInsecure(), (_error, port) => resolve(port));
  });
  const tcp = createServer(onSocket);
  const tcpPort = await new Promise<number>((resolve) => {
    tcp.listen(0, HOST, () => resolve((tcp.address() as { port: number }).port));
  });
  process.send?.({ plain: plainPort, wide: await wide.listen(HOST, 0), tcp: tcpPort } satisfies Ports);
  process.once('disconnect', () => process.exit());
}

/** Reads length-prefixed messages without assembling them; answers each with four bytes. */
function onSocket(socket: Socket): void {
  socket.setNoDelay();
  socket.on('error', () => undefined);
  const ack = Buffer.alloc(ACK_BYTES);
  let pending: Buffer = Buffer.alloc(0);
  let left = 0;
  socket.on('data', (chunk) => {
    let rest = pending.length > 0 ? Buffer.concat([pending, chunk]) : chunk;
    let acks = 0;
    while (rest.length > 0) {
      if (left === 0) {
        if (rest.length < LENGTH_BYTES) break;
        left = rest.readUInt32BE();
        rest = rest.subarray(LENGTH_BYTES);
      }
      const taken = Math.min(left, rest.length);
      left -= taken;
      rest = rest.subarray(taken);
      if (left === 0) acks += 1;
    }
    pending = rest;
    if (acks > 0) socket.write(acks === 1 ? ack : Buffer.alloc(acks * ACK_BYTES));
  });
}

function stopped(child: ChildProcess): Promise<unknown> {
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.disconnect();
  return exited;
}

function print(rows: readonly StreamsRow[]): void {
  const line = (cells: readonly string[]): string =>
    cells.map((cell, i) => (i === 1 ? cell.padEnd(34) : cell.padStart(12))).join('  ');
  console.log(line(['payload B', 'variant', 'messages/s', 'MiB/s']));
  for (const { payloadBytes, variant, messagesPerSecond, mebibytesPerSecond } of rows) {
    const figures = [messagesPerSecond.toFixed(0), mebibytesPerSecond.toFixed(1)];
    console.log(line([String(payloadBytes), variant, ...figures]));
  }
}

if (process.argv[1] === self) {
  if (process.argv.includes('--serve')) await serve();
  else print(await measureStreams());
}
