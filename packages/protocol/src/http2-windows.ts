/**
 * Wider HTTP/2 receive windows on a grpc-js server. grpc-js (1.14) reads its flow-control option on clients only, so a
 * server keeps Node's 65,535 bytes, which costs two to six times in throughput. This file alone knows where grpc-js keeps
 * its HTTP/2 servers and their settings; if a release moves them it throws at start, never later.
 */
import type { Http2Server } from 'node:http2';
import type { Server } from '@grpc/grpc-js';
import { invariant } from '@millrace/core';

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
    'grpc-js keeps its HTTP/2 settings elsewhere than 1.14 did: adapt http2-windows.ts',
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
  invariant(servers.length > 0, 'grpc-js has no HTTP/2 server after binding: adapt http2-windows.ts');
  return servers;
}
