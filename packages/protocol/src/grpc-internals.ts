/**
 * The four things that grpc-js (1.14) offers no option for, reached through its fields in this file alone; if a release
 * moves them it throws at once, never silently slow. Receive windows: grpc-js widens those of clients only, and 65,535
 * bytes cost a server two to six times in throughput. Its HTTP/2 servers: limits on connections belong there. Reading
 * ahead: a paused call would take sixteen messages of up to the largest size. Frames: gRPC copies what a serialiser gives
 * it behind a prefix of five bytes; see OutgoingFrame.
 */
import type { Http2Server } from 'node:http2';
import type { Server } from '@grpc/grpc-js';
import { invariant } from '@millrace/core';
import type { OutgoingFrame } from './wire/codec.ts';

/** Larger frames mean fewer of them for large batches; the sender still interleaves streams between frames. */
const FRAME_BYTES = 256 * 1024;

interface GrpcServerFields {
  readonly commonServerOptions: { settings?: Record<string, number> };
  readonly http2Servers: Map<Http2Server, { readonly sessions: Set<unknown> }>;
}

function fieldsOf(server: Server): GrpcServerFields {
  const fields = server as unknown as Partial<GrpcServerFields>;
  invariant(
    typeof fields.commonServerOptions === 'object' && fields.http2Servers instanceof Map,
    'grpc-js keeps its HTTP/2 settings elsewhere than 1.14 did: adapt grpc-internals.ts',
  );
  return fields as GrpcServerFields;
}

/** To be called before the server is bound: the windows of its streams. */
export function widenStreamWindows(server: Server, windowBytes: number): void {
  const { commonServerOptions } = fieldsOf(server);
  commonServerOptions.settings = {
    ...commonServerOptions.settings,
    initialWindowSize: windowBytes,
    maxFrameSize: FRAME_BYTES,
  };
}

/** The HTTP/2 servers behind a bound server; one for each address. */
export function http2ServersOf(server: Server): Http2Server[] {
  const servers = [...fieldsOf(server).http2Servers.keys()];
  invariant(servers.length > 0, 'grpc-js has no HTTP/2 server after binding: adapt grpc-internals.ts');
  return servers;
}

/** A call that is paused holds one message and leaves the rest to HTTP/2 flow control. */
export function readOneAhead(call: object): void {
  const { _readableState: state } = call as { _readableState?: { highWaterMark?: number } };
  invariant(typeof state?.highWaterMark === 'number', 'a gRPC call is no Readable: adapt grpc-internals.ts');
  state.highWaterMark = 1;
}

/** Of a serialised message gRPC uses no more than an OutgoingFrame has: its length, and that it can copy itself. */
export function asBuffer(frame: OutgoingFrame): Buffer {
  return frame as Buffer;
}
