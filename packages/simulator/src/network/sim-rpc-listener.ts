/** What a simulated node serves on one port: production's handlers behind it, found by method, called in the node's life. */
import { type Logger, MillraceError, sleep } from '@millrace/core';
import {
  type CallContext,
  type DuplexHandler,
  type DuplexMethod,
  type ExpectedMethod,
  type RpcConfig,
  type RpcListener,
  type RpcServerOptions,
  rpcConfig,
  type ServerStreamHandler,
  type ServerStreamMethod,
  type UnaryHandler,
  type UnaryMethod,
} from '@millrace/protocol';
import type { OpenCall } from '../invariants/53-every-call-ends.ts';
import type { SimLife } from '../world/sim-process.ts';
import type { ConnectionEnd, ConnectionUser } from './connection-end.ts';
import type { SimRpcStream } from './sim-rpc-stream.ts';

/** Where listeners are found. */
export interface ListenerRegistry {
  /** @returns the port. @throws {MillraceError} CONNECTION_FAILED if it is taken. */
  open(listener: SimRpcListener, port: number): number;
  close(listener: SimRpcListener): void;
}

/** The answer to a unary call, to be sent back. */
export type Reply = (answer: Buffer | MillraceError) => void;

export class SimRpcListener implements RpcListener {
  readonly life: SimLife;
  readonly config: RpcConfig;
  readonly listener: string;
  readonly ends = new Set<ConnectionEnd>();
  readonly #registry: ListenerRegistry;
  readonly #handlers = new Map<string, unknown>();
  readonly #expected = new Set<string>();
  readonly #streams = new Set<{ drain(): void }>();
  readonly #serving = new Map<string, boolean>();
  readonly logger: Logger | undefined;
  readonly #unanswered = new Set<{
    readonly path: string;
    readonly context: SimCallContext;
    readonly arrivedMs: number;
  }>();
  #onIdle: (() => void) | undefined;
  #isDraining = false;

  constructor(life: SimLife, registry: ListenerRegistry, options: RpcServerOptions) {
    this.life = life;
    this.#registry = registry;
    this.listener = options.listener ?? '';
    this.logger = options.logger;
    this.config = options.config ?? rpcConfig.parse({});
  }

  /** Unary calls that arrived and were not answered. */
  openCalls(): OpenCall[] {
    const nowMs = this.life.clock.nowMs();
    return Array.from(this.#unanswered, ({ path, context, arrivedMs }) => ({
      path,
      caller: context.peer,
      node: this.life.process.name,
      ageMs: nowMs - arrivedMs,
      deadlineMs: context.timeLeftMs ?? Number.POSITIVE_INFINITY,
    }));
  }

  expect(methods: readonly ExpectedMethod[]): void {
    for (const { path } of methods) this.#expected.add(path);
  }

  unary<Request, Response>(
    { path }: UnaryMethod<Request, Response>,
    handler: UnaryHandler<Request, Response>,
  ): void {
    this.#handlers.set(path, handler);
  }

  duplex<Request, Response>(
    { path }: DuplexMethod<Request, Response>,
    handler: DuplexHandler<Request, Response>,
  ): void {
    this.#handlers.set(path, handler);
  }

  serverStream<Request, Response>(
    { path }: ServerStreamMethod<Request, Response>,
    handler: ServerStreamHandler<Request, Response>,
  ): void {
    this.#handlers.set(path, handler);
  }

  setServing(serving: boolean, service = ''): void {
    this.#serving.set(service, serving);
  }

  listen(_host: string, port: number): Promise<number> {
    return new Promise((resolve) => resolve(this.#registry.open(this, port)));
  }

  async drain(graceMs: number): Promise<void> {
    this.#isDraining = true;
    this.#registry.close(this);
    const finished = new Promise<void>((resolve) => {
      this.#onIdle = resolve;
    });
    for (const stream of [...this.#streams]) stream.drain();
    if (this.#unanswered.size + this.#streams.size > 0)
      await Promise.race([finished, sleep(this.life.clock, graceMs)]);
    this.close();
  }

  close(): void {
    this.#isDraining = true;
    this.#registry.close(this);
    const gone = new MillraceError('NETWORK_EXCEPTION', 'the server closed the connection');
    for (const end of [...this.ends]) end.reset(gone);
  }

  /** A unary call arrived. */
  answer<Request, Response>(
    method: UnaryMethod<Request, Response>,
    request: Buffer,
    context: SimCallContext,
    reply: Reply,
  ): void {
    const call = { path: method.path, context, arrivedMs: this.life.clock.nowMs() };
    this.#unanswered.add(call);
    const done = (answer: Buffer | MillraceError): void => {
      this.#unanswered.delete(call);
      reply(answer);
      this.#lookIdle();
    };
    this.life.note(method.path, request.length);
    this.#handle(method, request, context).then(
      (response) => done(method.response.encode(response)),
      (error: unknown) => {
        if (!(error instanceof MillraceError)) throw error;
        done(error);
      },
    );
  }

  /** A stream was opened. `request` is there for those that ask once. */
  accept<Request, Response>(
    method: DuplexMethod<Request, Response> | ServerStreamMethod<Request, Response>,
    stream: SimRpcStream<Response, Request>,
    context: SimCallContext,
    request?: Buffer,
  ): void {
    this.#streams.add(stream);
    try {
      const handler = this.#handlerOf(method.path);
      if (request === undefined) {
        stream.listen((handler as DuplexHandler<Request, Response>)(stream, context));
      } else {
        this.#checkSize(request);
        const open = handler as ServerStreamHandler<Request, Response>;
        stream.listen(open(method.request.decode(request), stream, context) as never);
      }
    } catch (error) {
      if (!(error instanceof MillraceError)) throw error;
      stream.close(error);
    }
  }

  /** A stream ended. */
  streamOver(stream: { drain(): void }): void {
    this.#streams.delete(stream);
    this.#lookIdle();
  }

  async #handle<Request, Response>(
    method: UnaryMethod<Request, Response>,
    request: Buffer,
    context: SimCallContext,
  ): Promise<Response> {
    const handler = this.#handlerOf(method.path) as UnaryHandler<Request, Response>;
    this.#checkSize(request);
    return await handler(method.request.decode(request), context);
  }

  #handlerOf(path: string): unknown {
    if (this.#isDraining) throw new MillraceError('CONNECTION_FAILED', 'the server goes down');
    const handler = this.#handlers.get(path);
    if (handler !== undefined) return handler;
    throw new MillraceError(this.#expected.has(path) ? 'NODE_NOT_SERVING' : 'UNSUPPORTED_VERSION');
  }

  #checkSize({ length }: Buffer): void {
    if (length > this.config['socket.request.max.bytes']) throw new MillraceError('MESSAGE_TOO_LARGE');
  }

  #lookIdle(): void {
    if (this.#unanswered.size + this.#streams.size === 0) this.#onIdle?.();
  }
}

/** Makes an abort signal only for handlers that look at it. */
export class SimCallContext implements CallContext, ConnectionUser {
  readonly listener: string;
  readonly peer: string;
  readonly timeLeftMs: number | undefined;
  #aborter: AbortController | undefined;
  #isAborted = false;

  constructor(listener: string, peer: string, timeLeftMs: number | undefined) {
    this.listener = listener;
    this.peer = peer;
    this.timeLeftMs = timeLeftMs;
  }

  get signal(): AbortSignal {
    if (this.#aborter === undefined) {
      this.#aborter = new AbortController();
      if (this.#isAborted) this.#aborter.abort();
    }
    return this.#aborter.signal;
  }

  abort(): void {
    this.#isAborted = true;
    this.#aborter?.abort();
  }

  onReset(): void {
    this.abort();
  }
}
