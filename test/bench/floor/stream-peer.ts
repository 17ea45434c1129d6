/**
 * The far end of the network floors, a process of its own: takes or sends messages over bare gRPC and bare TCP and does
 * nothing with them. Windows are as wide as Millrace's, so that the floor is what the library can do, not its defaults.
 */

import type { Http2Server, Http2Session } from 'node:http2';
import { createServer as createTcpServer, type Socket } from 'node:net';
import { Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js';
import { MessagePool } from './message-pool.ts';
import { ACK_BYTES, SINK_PATH, SOURCE_PATH, WINDOW_BYTES } from './stream-contract.ts';

interface GrpcServerFields {
  readonly commonServerOptions: { settings?: Record<string, number> };
  readonly http2Servers: Map<Http2Server, unknown>;
}

const same = (frame: Buffer): Buffer => frame;
const ack = Buffer.alloc(ACK_BYTES);

/** Answers every message with a few bytes, as a broker acknowledges a batch. */
function sink(call: ServerDuplexStream<Buffer, Buffer>): void {
  call.on('data', () => call.write(ack));
  call.on('end', () => call.end());
  call.on('error', () => undefined);
}

/** Sends messages of the size that the first one asks for, as fast as the peer takes them. */
function source(call: ServerDuplexStream<Buffer, Buffer>): void {
  let open = true;
  call.on('error', () => undefined);
  call.on('close', () => {
    open = false;
  });
  call.once('data', (request: Buffer) => {
    const pool = new MessagePool(request.readUInt32BE());
    const fill = (): void => {
      while (open && call.write(pool.next()));
      if (open) call.once('drain', fill);
    };
    fill();
  });
}

async function serveGrpc(): Promise<number> {
  const server = new Server({ 'grpc.max_receive_message_length': -1, 'grpc.enable_channelz': 0 });
  const fields = server as unknown as GrpcServerFields;
  fields.commonServerOptions.settings = {
    ...fields.commonServerOptions.settings,
    initialWindowSize: WINDOW_BYTES,
    maxFrameSize: 256 * 1024,
  };
  server.register(SINK_PATH, sink, same, same, 'bidi');
  server.register(SOURCE_PATH, source, same, same, 'bidi');
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  for (const http2Server of fields.http2Servers.keys()) {
    http2Server.on('session', (session: Http2Session) => session.setLocalWindowSize(WINDOW_BYTES));
  }
  return port;
}

async function serveTcp(): Promise<number> {
  const server = createTcpServer((socket: Socket) => {
    socket.on('error', () => undefined);
    socket.resume();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as { port: number }).port;
}

process.on('disconnect', () => process.exit(0));
process.send!({ grpcPort: await serveGrpc(), tcpPort: await serveTcp() });
