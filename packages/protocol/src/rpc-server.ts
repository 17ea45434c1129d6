/**
 * One listener of a node. Handlers get decoded messages and answer or throw; here, and nowhere else, an error becomes a
 * gRPC status. Whatever a peer sends, at worst its own call or connection ends.
 */
import {
  logVerbosity,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  setLogVerbosity,
} from '@grpc/grpc-js';
import { InvariantError, invariant, type Logger, MillraceError, silentLogger } from '@millrace/core';
import { ConnectionGuard } from './connection-guard.ts';
import { healthService } from './generated/messages.ts';
import { asBuffer, http2ServersOf, widenStreamWindows } from './grpc-internals.ts';
import { HealthService } from './health-service.ts';
import { type RpcConfig, rpcConfig } from './rpc-config.ts';
import type { DuplexMethod, ExpectedMethod, ServerStreamMethod, UnaryMethod } from './rpc-method.ts';
import { toRpcFailure } from './rpc-status.ts';
import type { RpcStream, ServerStreamHandlers } from './rpc-stream.ts';
import { type ServerCall, ServerStream } from './server-stream.ts';

export interface RpcServerOptions {
  /** Name of the listener, as in `listeners`; handlers see it in their CallContext. */
  readonly listener?: string;
  readonly logger?: Logger;
  readonly config?: RpcConfig;
}

/** What a handler may know of its call. */
export interface CallContext {
  /** Name of the listener that the call came in on. */
  readonly listener: string;
  /** Address of the peer, for logs. */
  readonly peer: string;
  /** Time left, in ms; undefined if the caller set no deadline. */
  readonly timeLeftMs: number | undefined;
  /** Aborts when nobody waits for the answer any more: cancelled, disconnected, or past its deadline. */
  readonly signal: AbortSignal;
}

export type UnaryHandler<Request, Response> = (
  request: Request,
  context: CallContext,
) => Promise<Response> | Response;

export type DuplexHandler<Request, Response> = (
  stream: RpcStream<Response>,
  context: CallContext,
) => ServerStreamHandlers<Request>;

export type ServerStreamHandler<Request, Response> = (
  request: Request,
  stream: RpcStream<Response>,
  context: CallContext,
) => ServerStreamHandlers<never>;

const same = (frame: Buffer): Buffer => frame;

export class RpcServer {
  readonly listener: string;
  readonly #config: RpcConfig;
  readonly #logger: Logger;
  readonly #server: Server;
  readonly #guard: ConnectionGuard;
  readonly #health = new HealthService();
  readonly #streams = new Set<{ drain(): void }>();
  readonly #expected = new Set<string>();
  #unaryInFlight = 0;

  constructor({ listener = '', logger = silentLogger, config = rpcConfig.parse({}) }: RpcServerOptions = {}) {
    this.listener = listener;
    this.#logger = logger;
    this.#config = config;
    this.#guard = new ConnectionGuard(config, logger);
    // grpc-js would write lines of its own to stderr for what is reported here as errors.
    if (process.env.GRPC_VERBOSITY === undefined) setLogVerbosity(logVerbosity.NONE);
    this.#server = new Server({
      'grpc.max_receive_message_length': config['socket.request.max.bytes'],
      'grpc.max_send_message_length': -1,
      'grpc.max_concurrent_streams': config['max.concurrent.streams'],
      'grpc.max_connection_idle_ms': config['connections.max.idle.ms'],
      'grpc.keepalive_time_ms': config['keepalive.time.ms'],
      'grpc.keepalive_timeout_ms': config['keepalive.timeout.ms'],
      'grpc.enable_channelz': 0,
    });
    widenStreamWindows(this.#server, config['stream.window.bytes']);
    this.unary(healthService.check, (request) => this.#health.check(request));
    this.serverStream(healthService.watch, (request, stream) => this.#health.watch(request, stream));
  }

  /** Open connections. */
  get connections(): number {
    return this.#guard.connections;
  }

  /** Receive window of each open connection, in bytes. */
  get localWindowSizes(): number[] {
    return this.#guard.localWindowSizes;
  }

  /** Open streams, of all connections. */
  get openStreams(): number {
    return this.#streams.size;
  }

  expect(methods: readonly ExpectedMethod[]): void {
    const failure = toRpcFailure(new MillraceError('NODE_NOT_SERVING'));
    for (const { path, kind } of methods) {
      if (kind === 'unary') {
        this.#register(path, 'unary', (_call: unknown, answer: sendUnaryData<Buffer>) => answer(failure));
      } else {
        const type = kind === 'duplex' ? 'bidi' : 'serverStream';
        this.#register(path, type, (call: ServerCall) => void call.emit('error', failure));
      }
      this.#expected.add(path);
    }
  }

  unary<Request, Response>(
    method: UnaryMethod<Request, Response>,
    handler: UnaryHandler<Request, Response>,
  ): void {
    this.#register(
      method.path,
      'unary',
      (call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => {
        this.#answerUnary(method, handler, call, answer).catch((error: unknown) => {
          answer(toRpcFailure(this.#reported(error, method.path)));
        });
      },
    );
  }

  duplex<Request, Response>(
    method: DuplexMethod<Request, Response>,
    handler: DuplexHandler<Request, Response>,
  ): void {
    this.#register(method.path, 'bidi', (call: ServerDuplexStream<Buffer, Buffer>) => {
      this.#open(method, call, (stream, context) => handler(stream, context), method.request);
    });
  }

  serverStream<Request, Response>(
    method: ServerStreamMethod<Request, Response>,
    handler: ServerStreamHandler<Request, Response>,
  ): void {
    this.#register(method.path, 'serverStream', (call: ServerWritableStream<Buffer, Buffer>) => {
      this.#open(method, call, (stream, context) => {
        return handler(method.request.decode(call.request), stream, context);
      });
    });
  }

  /** The empty service name stands for the whole server. Not serving until told otherwise. */
  setServing(serving: boolean, service = ''): void {
    this.#health.setServing(service, serving);
  }

  /** Binds and serves. @param host empty for every IPv4 interface. @param port 0 lets the system choose. @returns the port. @throws {MillraceError} CONNECTION_FAILED */
  listen(host: string, port: number): Promise<number> {
    const address = host.includes(':') ? `[${host}]:${port}` : `${host || '0.0.0.0'}:${port}`;
    return new Promise((resolve, reject) => {
      this.#server.bindAsync(address, ServerCredentials.createInsecure(), (error, bound) => {
        if (error !== null) {
          const message = `cannot listen on ${address}: ${error.message}`;
          reject(new MillraceError('CONNECTION_FAILED', message, { cause: error }));
          return;
        }
        for (const server of http2ServersOf(this.#server)) this.#guard.watch(server);
        resolve(bound);
      });
    });
  }

  /** Takes no new calls, lets the open ones finish for up to `graceMs`, then ends the rest. */
  async drain(graceMs: number): Promise<void> {
    this.#health.shutDown();
    let timer: NodeJS.Timeout | undefined;
    const finished = new Promise<void>((resolve) => this.#server.tryShutdown(() => resolve()));
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, graceMs);
    });
    for (const stream of [...this.#streams]) stream.drain();
    await Promise.race([finished, late]);
    clearTimeout(timer);
    this.close();
  }

  /** Ends everything at once. */
  close(): void {
    this.#server.forceShutdown();
    this.#guard.close();
  }

  #register<Handler>(path: string, type: 'unary' | 'bidi' | 'serverStream', handler: Handler): void {
    if (this.#expected.delete(path)) this.#server.unregister(path);
    // grpc-js declares a union of its handler types that TypeScript cannot relate to one chosen by `type`.
    const added = this.#server.register(path, handler as never, same, same, type);
    invariant(added, 'a method has two handlers', { path });
  }

  async #answerUnary<Request, Response>(
    method: UnaryMethod<Request, Response>,
    handler: UnaryHandler<Request, Response>,
    call: ServerUnaryCall<Buffer, Buffer>,
    answer: sendUnaryData<Buffer>,
  ): Promise<void> {
    if (this.#unaryInFlight >= this.#config['max.unary.in.flight'])
      throw new MillraceError('NODE_OVERLOADED');
    this.#unaryInFlight += 1;
    try {
      const aborter = new AbortController();
      call.on('cancelled', () => aborter.abort());
      const request = method.request.decode(call.request);
      const response = await handler(request, this.#contextOf(call, aborter));
      answer(null, asBuffer(method.response.frame(response)));
    } finally {
      this.#unaryInFlight -= 1;
    }
  }

  #open<Request, Response>(
    method: DuplexMethod<Request, Response> | ServerStreamMethod<Request, Response>,
    call: ServerCall,
    handler: DuplexHandler<Request, Response>,
    incoming?: DuplexMethod<Request, Response>['request'],
  ): void {
    const aborter = new AbortController();
    const onClosed = (): void => {
      this.#streams.delete(stream);
      aborter.abort();
    };
    const stream = new ServerStream<Response, Request>(call, {
      outgoing: method.response,
      sendBufferBytes: this.#config['stream.send.buffer.bytes'],
      onClosed,
      onUnexpected: (error) => this.#reported(error, method.path),
    });
    this.#streams.add(stream);
    try {
      stream.start(handler(stream, this.#contextOf(call, aborter)), incoming);
    } catch (error) {
      stream.close(this.#reported(error, method.path));
    }
  }

  #contextOf(call: ServerCall | ServerUnaryCall<Buffer, Buffer>, aborter: AbortController): CallContext {
    const deadline = Number(call.getDeadline());
    return {
      listener: this.listener,
      peer: call.getPeer(),
      timeLeftMs: Number.isFinite(deadline) ? Math.max(0, deadline - Date.now()) : undefined,
      signal: aborter.signal,
    };
  }

  /** The error to answer with; one that no caller caused is logged here and goes out without its text. */
  #reported(error: unknown, path: string): MillraceError {
    if (error instanceof MillraceError) return error;
    // A broken invariant is nobody's to handle: it ends the process.
    if (error instanceof InvariantError) {
      queueMicrotask(() => {
        throw error;
      });
    }
    this.#logger.error(
      { event: 'handler_failed', err: error, path },
      'a request handler failed unexpectedly',
    );
    return new MillraceError('UNKNOWN_SERVER_ERROR');
  }
}
