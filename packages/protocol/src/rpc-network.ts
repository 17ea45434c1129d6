/**
 * The network between processes as an interface: whoever connects or serves is given one. Production uses gRPC; the
 * simulator brings its own. No layer above may reach `RpcChannel` or `RpcServer` but through here.
 */
import { RpcChannel, type RpcChannelOptions, type UnaryOptions } from './rpc-channel.ts';
import type { DuplexMethod, ExpectedMethod, ServerStreamMethod, UnaryMethod } from './rpc-method.ts';
import {
  type DuplexHandler,
  RpcServer,
  type RpcServerOptions,
  type ServerStreamHandler,
  type UnaryHandler,
} from './rpc-server.ts';
import type { RpcStream, StreamHandlers } from './rpc-stream.ts';

/** To one server. Connects when first needed and again after it breaks; calls fail at once while nobody is there. */
export interface RpcConnection {
  /**
   * @throws {MillraceError} what the server answered; CONNECTION_FAILED (nobody there), NETWORK_EXCEPTION (the connection
   * broke), REQUEST_TIMED_OUT, CANCELLED (by the signal), CLOSED (this connection).
   */
  unary<Request, Response>(
    method: UnaryMethod<Request, Response>,
    request: Request,
    options?: UnaryOptions,
  ): Promise<Response>;
  /** Failure to connect is reported through `onClosed`. @throws {MillraceError} CLOSED */
  duplex<Request, Response>(
    method: DuplexMethod<Request, Response>,
    handlers: StreamHandlers<Response>,
  ): RpcStream<Request>;
  /** Asks once, hears many answers. @throws {MillraceError} CLOSED */
  serverStream<Request, Response>(
    method: ServerStreamMethod<Request, Response>,
    request: Request,
    handlers: StreamHandlers<Response>,
  ): RpcStream<never>;
  /** Every open call fails with CLOSED. */
  close(): void;
}

/** One listener of a node. Methods are registered before or after `listen`; unknown ones answer UNSUPPORTED_VERSION. */
export interface RpcListener {
  /** These get their handlers later; until then they answer NODE_NOT_SERVING. */
  expect(methods: readonly ExpectedMethod[]): void;
  unary<Request, Response>(
    method: UnaryMethod<Request, Response>,
    handler: UnaryHandler<Request, Response>,
  ): void;
  duplex<Request, Response>(
    method: DuplexMethod<Request, Response>,
    handler: DuplexHandler<Request, Response>,
  ): void;
  serverStream<Request, Response>(
    method: ServerStreamMethod<Request, Response>,
    handler: ServerStreamHandler<Request, Response>,
  ): void;
  /** What health checks answer. The empty service name stands for the whole server. */
  setServing(serving: boolean, service?: string): void;
  /** @param port 0 lets the system choose. @returns the port. @throws {MillraceError} CONNECTION_FAILED */
  listen(host: string, port: number): Promise<number>;
  /** Takes no new calls, lets the open ones finish for up to `graceMs`, then ends the rest. */
  drain(graceMs: number): Promise<void>;
  /** Ends everything at once. */
  close(): void;
}

export interface RpcNetwork {
  /** Does no I/O yet: the first call connects. */
  connect(host: string, port: number, options?: RpcChannelOptions): RpcConnection;
  serve(options?: RpcServerOptions): RpcListener;
}

export const grpcNetwork: RpcNetwork = {
  connect: (host, port, options) => RpcChannel.connect(host, port, options),
  serve: (options) => new RpcServer(options),
};
