/**
 * One TCP connection to one server, made when first needed and made again after it breaks. Calls fail at once while there
 * is no connection; whoever wants to wait tries again. A peer that vanishes without a word is noticed by keepalive.
 */
import { setMaxListeners } from 'node:events';
import { isIPv4, isIPv6 } from 'node:net';
import { Client, connectivityState, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { MiB, MillraceError } from '@millrace/core';
import { type ClientCall, ClientStream } from './client-stream.ts';
import { asBuffer } from './grpc-internals.ts';
import type { DuplexMethod, ServerStreamMethod, UnaryMethod } from './rpc-method.ts';
import { fromRpcFailure } from './rpc-status.ts';
import type { RpcStream, StreamHandlers } from './rpc-stream.ts';

export interface RpcChannelOptions {
  /** Largest message accepted from the server. Default 100 MiB and room for headers. */
  readonly maxMessageBytes?: number;
  /** HTTP/2 receive window of a stream and of the connection. Default 8 MiB. */
  readonly windowBytes?: number;
  /** See RpcStream.send. Default 4 MiB. */
  readonly sendBufferBytes?: number;
  /** Silence after which the server is asked whether it is there, and how long it has to answer. Defaults 1 s and 2 s. */
  readonly keepaliveTimeMs?: number;
  readonly keepaliveTimeoutMs?: number;
  /** How long a call may wait for a connection, and the opening of a stream for the server's word. Default 3 s. */
  readonly connectTimeoutMs?: number;
}

export interface UnaryOptions {
  /** Time for the whole call; what is past 24 days counts as that. Default 30 s. */
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
}

/** On the wire it is whole seconds, rounded up; where those are more than 2^31 ms grpc-js counts them as passed. */
const DEADLINE_MAX_MS = 2_147_483_000;

const DEFAULTS: Required<RpcChannelOptions> = {
  maxMessageBytes: 101 * MiB,
  windowBytes: 8 * MiB,
  sendBufferBytes: 4 * MiB,
  keepaliveTimeMs: 1_000,
  keepaliveTimeoutMs: 2_000,
  connectTimeoutMs: 3_000,
};
const DEADLINE_MS = 30_000;
const BACKOFF_MIN_MS = 50;
const BACKOFF_MAX_MS = 1_000;

const same = (frame: Buffer): Buffer => frame;

function targetOf(host: string, port: number): string {
  if (isIPv4(host)) return `ipv4:${host}:${port}`;
  return isIPv6(host) ? `ipv6:[${host}]:${port}` : `dns:${host}:${port}`;
}

export class RpcChannel {
  readonly host: string;
  readonly port: number;
  readonly #options: Required<RpcChannelOptions>;
  readonly #client: Client;
  readonly #open = new Set<{ cancel(): void }>();
  #closed = false;

  private constructor(host: string, port: number, options: RpcChannelOptions) {
    this.host = host;
    this.port = port;
    this.#options = { ...DEFAULTS, ...options };
    this.#client = new Client(targetOf(host, port), credentials.createInsecure(), {
      'grpc-node.flow_control_window': this.#options.windowBytes,
      'grpc.max_receive_message_length': this.#options.maxMessageBytes,
      'grpc.max_send_message_length': -1,
      // A connection of its own: one broken stream consumer must not share a window with another channel.
      'grpc.use_local_subchannel_pool': 1,
      'grpc.keepalive_time_ms': this.#options.keepaliveTimeMs,
      'grpc.keepalive_timeout_ms': this.#options.keepaliveTimeoutMs,
      'grpc.initial_reconnect_backoff_ms': BACKOFF_MIN_MS,
      'grpc.max_reconnect_backoff_ms': BACKOFF_MAX_MS,
      // A restarted container has a new address.
      'grpc.dns_min_time_between_resolutions_ms': BACKOFF_MAX_MS,
      // Every retry is decided by code that knows whether it is safe; gRPC's own keeps a copy of all that was sent.
      'grpc.enable_retries': 0,
      'grpc.service_config_disable_resolution': 1,
      'grpc.enable_http_proxy': 0,
      'grpc.enable_channelz': 0,
    });
  }

  /** Does no I/O yet: the first call connects. */
  static connect(host: string, port: number, options: RpcChannelOptions = {}): RpcChannel {
    return new RpcChannel(host, port, options);
  }

  /**
   * @throws {MillraceError} what the server answered; CONNECTION_FAILED (nobody there), NETWORK_EXCEPTION (the connection
   * broke), REQUEST_TIMED_OUT, CANCELLED (by the signal), CLOSED (this channel).
   */
  unary<Request, Response>(
    method: UnaryMethod<Request, Response>,
    request: Request,
    { deadlineMs = DEADLINE_MS, signal }: UnaryOptions = {},
  ): Promise<Response> {
    return new Promise((resolve, reject) => {
      if (this.#closed) throw new MillraceError('CLOSED');
      if (signal?.aborted) throw new MillraceError('CANCELLED');
      const onAbort = (): void => call.cancel();
      const onAnswer = (error: ServiceError | null, frame?: Buffer): void => {
        signal?.removeEventListener('abort', onAbort);
        clearTimeout(connecting);
        this.#open.delete(call);
        if (error !== null) reject(this.#closed ? new MillraceError('CLOSED') : fromRpcFailure(error));
        else resolve(frame === undefined ? Promise.reject(noAnswer()) : decode(frame));
      };
      const decode = async (frame: Buffer): Promise<Response> => method.response.decode(frame);
      const frame = asBuffer(method.request.frame(request));
      const deadline = Date.now() + Math.min(deadlineMs, DEADLINE_MAX_MS);
      const call = this.#client.makeUnaryRequest(
        method.path,
        same,
        same,
        frame,
        new Metadata(),
        { deadline },
        onAnswer,
      );
      this.#open.add(call);
      const connecting = this.#isConnected
        ? undefined
        : setTimeout(() => this.#failUnlessConnected(call, reject), this.#options.connectTimeoutMs);
      if (signal === undefined) return;
      // One signal for many calls is normal use: every listener is taken away again.
      setMaxListeners(0, signal);
      signal.addEventListener('abort', onAbort);
    });
  }

  /** Opens a stream both ways. Failure to connect is reported through `onClosed`. @throws {MillraceError} CLOSED */
  duplex<Request, Response>(
    method: DuplexMethod<Request, Response>,
    handlers: StreamHandlers<Response>,
  ): RpcStream<Request> {
    if (this.#closed) throw new MillraceError('CLOSED');
    const call = this.#client.makeBidiStreamRequest(method.path, same, same);
    return this.#opened(call, method, handlers);
  }

  /** Asks once, hears many answers. @throws {MillraceError} CLOSED */
  serverStream<Request, Response>(
    method: ServerStreamMethod<Request, Response>,
    request: Request,
    handlers: StreamHandlers<Response>,
  ): RpcStream<never> {
    if (this.#closed) throw new MillraceError('CLOSED');
    const frame = asBuffer(method.request.frame(request));
    const call = this.#client.makeServerStreamRequest(method.path, same, same, frame);
    return this.#opened<never, Response>(call, method as ServerStreamMethod<never, Response>, handlers);
  }

  /** Ends the connection and every open call with it: they fail with CLOSED. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const call of this.#open) call.cancel();
    this.#client.close();
  }

  get #isConnected(): boolean {
    return this.#client.getChannel().getConnectivityState(false) === connectivityState.READY;
  }

  /** A call that waits for a connection was not sent: one that loses its connection fails by itself. */
  #failUnlessConnected(call: { cancel(): void }, reject: (error: MillraceError) => void): void {
    if (this.#isConnected) return;
    const text = `${this.host}:${this.port} could not be reached within ${this.#options.connectTimeoutMs} ms`;
    reject(new MillraceError('CONNECTION_FAILED', text));
    call.cancel();
  }

  #opened<Request, Response>(
    call: ClientCall,
    method: DuplexMethod<Request, Response> | ServerStreamMethod<Request, Response>,
    { onMessage, onClosed }: StreamHandlers<Response>,
  ): RpcStream<Request> {
    this.#open.add(call);
    const handlers: StreamHandlers<Response> = {
      onMessage,
      onClosed: (error) => {
        this.#open.delete(call);
        onClosed(error?.code === 'CANCELLED' && this.#closed ? new MillraceError('CLOSED') : error);
      },
    };
    const { sendBufferBytes, connectTimeoutMs } = this.#options;
    const codecs = { outgoing: method.request, incoming: method.response };
    return new ClientStream(call, { ...codecs, handlers, sendBufferBytes, connectTimeoutMs });
  }
}

function noAnswer(): MillraceError {
  return new MillraceError('NETWORK_EXCEPTION', 'the server ended the call without an answer');
}
