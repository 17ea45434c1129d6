/** A server and channels on the loopback interface for tests, all closed at the end of the test that asked for them. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { Logger } from '@millrace/core';
import { onTestFinished } from 'vitest';
import { RpcChannel, type RpcChannelOptions, RpcServer, rpcConfig } from '../index.ts';
import type { RpcMethod } from '../rpc-method.ts';
import type { Codec } from '../wire/codec.ts';

export interface Loopback {
  readonly server: RpcServer;
  readonly port: number;
  readonly channel: RpcChannel;
  /** The fields of every warning and error that the server logged. */
  readonly logged: Record<string, unknown>[];
  connect(options?: RpcChannelOptions): RpcChannel;
}

export function recordingLogger(lines: Record<string, unknown>[]): Logger {
  const keep = (fields: object): void => void lines.push(fields as Record<string, unknown>);
  const ignore = (): void => undefined;
  const logger: Logger = {
    debug: ignore,
    info: ignore,
    warn: keep,
    error: keep,
    fatal: keep,
    child: () => logger,
  };
  return logger;
}

export async function loopback(
  setUp: (server: RpcServer) => void,
  config: Record<string, string> = {},
): Promise<Loopback> {
  const logged: Record<string, unknown>[] = [];
  const server = new RpcServer({
    listener: 'INTERNAL',
    config: rpcConfig.parse(config),
    logger: recordingLogger(logged),
  });
  setUp(server);
  const port = await server.listen('127.0.0.1', 0);
  onTestFinished(() => server.close());
  const connectTo = (options: RpcChannelOptions = {}): RpcChannel => {
    const channel = RpcChannel.connect('127.0.0.1', port, options);
    onTestFinished(() => channel.close());
    return channel;
  };
  return { server, port, channel: connectTo(), logged, connect: connectTo };
}

const same = (bytes: Buffer): Buffer => bytes;
const raw: Codec<Buffer> = { name: 'raw', encode: same, frame: same, decode: same };

/** The same method, but sending whatever bytes the test likes. */
export function rawRequests<Request, Response, Kind extends 'unary' | 'duplex'>(
  method: RpcMethod<Request, Response, Kind>,
): RpcMethod<Buffer, Response, Kind> {
  return { ...method, request: raw };
}

/** Passes bytes on between clients and `port` until told to swallow them: a network that is cut without a word. */
export async function cuttableProxy(port: number): Promise<{ port: number; cut(): void }> {
  let isCut = false;
  const sockets: Socket[] = [];
  const pass = (from: Socket, to: Socket): void => {
    sockets.push(from);
    from.on('error', () => undefined);
    from.on('data', (chunk) => isCut || to.write(chunk));
  };
  const proxy = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    pass(near, far);
    pass(far, near);
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    proxy.close();
    for (const socket of sockets) socket.destroy();
  });
  const cut = (): void => {
    isCut = true;
  };
  return { port: (proxy.address() as AddressInfo).port, cut };
}

/** Waits until `condition` holds, looking once per turn of the event loop. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

export const HEADER = { correlationId: 1, timeoutMs: 0, clientId: 'test', clusterId: '', quorumId: '' };
