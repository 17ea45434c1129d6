/** The client's side of a simulated connection: made by the first call, made again after it broke, never waited for. */
import { MiB, MillraceError, type Timer } from '@millrace/core';
import type {
  DuplexMethod,
  RpcChannelOptions,
  RpcConnection,
  RpcStream,
  ServerStreamMethod,
  StreamHandlers,
  UnaryMethod,
  UnaryOptions,
} from '@millrace/protocol';
import type { SimLife } from '../world/sim-process.ts';
import type { ConnectionEnd, ConnectionUser, Keepalive } from './connection-end.ts';
import { SimCallContext, type SimRpcListener } from './sim-rpc-listener.ts';
import { overTheWire, SimRpcStream } from './sim-rpc-stream.ts';

/** An attempt to connect, made by the network. Exactly one of the two is called, or neither if nobody answers. */
export interface Dial {
  readonly life: SimLife;
  readonly host: string;
  readonly port: number;
  readonly keepalive: Keepalive;
  readonly isWanted: () => boolean;
  readonly onOpen: (end: ConnectionEnd, listener: SimRpcListener) => void;
  readonly onRefused: () => void;
  /** The connection is over at this end. */
  readonly onGone: () => void;
}

export interface StreamLimits {
  readonly windowBytes: number;
  readonly sendBufferBytes: number | undefined;
}

interface Call {
  open(end: ConnectionEnd, listener: SimRpcListener): void;
  fail(error: MillraceError): void;
}

const DEADLINE_MS = 30_000;
const BACKOFF_MIN_MS = 50;
const BACKOFF_MAX_MS = 1_000;
const DIAL_TIMEOUT_MS = 20_000;
const STREAM_TIMEOUT_MS = 3_000;
const MESSAGE_MAX_BYTES = 101 * MiB;
const SEND_BUFFER_BYTES = 4 * MiB;

export class SimRpcConnection implements RpcConnection {
  readonly #life: SimLife;
  readonly #host: string;
  readonly #port: number;
  readonly #options: RpcChannelOptions;
  readonly #limits: StreamLimits;
  readonly #dial: (dial: Dial) => void;
  readonly #open = new Set<Call>();
  #waiting: Call[] = [];
  #end: ConnectionEnd | undefined;
  #listener: SimRpcListener | undefined;
  #attempt = 0;
  #isDialling = false;
  #dialLimit: Timer | undefined;
  #backoffMs = BACKOFF_MIN_MS;
  #failsUntilMs = 0;
  #closed = false;

  constructor(
    life: SimLife,
    address: { readonly host: string; readonly port: number },
    options: RpcChannelOptions,
    limits: StreamLimits,
    dial: (dial: Dial) => void,
  ) {
    this.#life = life;
    this.#host = address.host;
    this.#port = address.port;
    this.#options = options;
    this.#limits = limits;
    this.#dial = dial;
  }

  unary<Request, Response>(
    method: UnaryMethod<Request, Response>,
    request: Request,
    { deadlineMs = DEADLINE_MS, signal }: UnaryOptions = {},
  ): Promise<Response> {
    return new Promise((resolve, reject) => {
      if (this.#closed) throw new MillraceError('CLOSED');
      if (signal?.aborted) throw new MillraceError('CANCELLED');
      const bytes = method.request.encode(request);
      let end: ConnectionEnd | undefined;
      const context = new SimCallContext('', this.#life.process.name, deadlineMs);
      const user: ConnectionUser = { onReset: (error) => settle(() => reject(error)) };
      let isSettled = false;
      const settle = (how: () => void): void => {
        if (isSettled) return;
        isSettled = true;
        timer.cancel();
        signal?.removeEventListener('abort', onAbort);
        end?.users.delete(user);
        this.#open.delete(call);
        how();
      };
      const giveUp = (error: MillraceError): void => {
        settle(() => reject(error));
        const server = context;
        end?.out.send(0, () => server.abort());
      };
      const onAbort = (): void => giveUp(new MillraceError('CANCELLED'));
      const timer = this.#life.clock.schedule(deadlineMs, () =>
        giveUp(new MillraceError('REQUEST_TIMED_OUT')),
      );
      const onAnswer = (answer: Buffer | MillraceError): void =>
        settle(() => {
          if (Buffer.isBuffer(answer)) resolve(method.response.decode(answer));
          else reject(overTheWire(answer));
        });
      const call: Call = {
        fail: (error) => giveUp(error),
        open: (opened, listener) => {
          end = opened;
          end.users.add(user);
          const far = end.peer;
          end.out.send(bytes.length, () => {
            far.users.add(context);
            listener.answer(method, bytes, context, (answer) => {
              far.users.delete(context);
              far.out.send(Buffer.isBuffer(answer) ? answer.length : 0, () => onAnswer(answer));
            });
          });
        },
      };
      signal?.addEventListener('abort', onAbort);
      this.#start(call);
    });
  }

  duplex<Request, Response>(
    method: DuplexMethod<Request, Response>,
    handlers: StreamHandlers<Response>,
  ): RpcStream<Request> {
    return this.#stream(method, handlers, undefined);
  }

  serverStream<Request, Response>(
    method: ServerStreamMethod<Request, Response>,
    request: Request,
    handlers: StreamHandlers<Response>,
  ): RpcStream<never> {
    return this.#stream(method, handlers, method.request.encode(request));
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#dialLimit?.cancel();
    const error = new MillraceError('CLOSED');
    this.#waiting = [];
    for (const call of [...this.#open]) call.fail(error);
    this.#end?.reset(error);
  }

  #stream<Request, Response>(
    method: DuplexMethod<Request, Response> | ServerStreamMethod<Request, Response>,
    handlers: StreamHandlers<Response>,
    request: Buffer | undefined,
  ): SimRpcStream<Request, Response> {
    if (this.#closed) throw new MillraceError('CLOSED');
    const { connectTimeoutMs = STREAM_TIMEOUT_MS, maxMessageBytes = MESSAGE_MAX_BYTES } = this.#options;
    const silence = this.#life.clock.schedule(connectTimeoutMs, () =>
      giveUp('CONNECTION_FAILED', `no server answered within ${connectTimeoutMs} ms`),
    );
    const stream = new SimRpcStream<Request, Response>({
      side: 'client',
      isReadOnly: request !== undefined,
      outgoing: method.request,
      incoming: method.response,
      name: `${method.path} answered`,
      windowBytes: this.#limits.windowBytes,
      sendBufferBytes: this.#limits.sendBufferBytes ?? this.#options.sendBufferBytes ?? SEND_BUFFER_BYTES,
      maxMessageBytes,
      onClosed: () => {
        silence.cancel();
        this.#open.delete(call);
      },
    });
    const giveUp = (code: 'CONNECTION_FAILED' | 'CLOSED', message: string): void => {
      const error = new MillraceError(code, message);
      stream.cancel();
      stream.fail(error);
    };
    stream.listen(handlers);
    const call: Call = {
      fail: (error) => {
        stream.cancel();
        stream.fail(error);
      },
      open: (end, listener) =>
        this.#openStream(method, stream, { end, listener, request, onGreeting: () => silence.cancel() }),
    };
    this.#start(call);
    return stream;
  }

  #openStream<Request, Response>(
    method: DuplexMethod<Request, Response> | ServerStreamMethod<Request, Response>,
    stream: SimRpcStream<Request, Response>,
    at: {
      readonly end: ConnectionEnd;
      readonly listener: SimRpcListener;
      readonly request: Buffer | undefined;
      readonly onGreeting: () => void;
    },
  ): void {
    const { end, listener, request, onGreeting } = at;
    const far = end.peer;
    const context = new SimCallContext(listener.listener, this.#life.process.name, undefined);
    const server = new SimRpcStream<Response, Request>({
      side: 'server',
      outgoing: method.response,
      incoming: method.request,
      name: method.path,
      windowBytes: this.#limits.windowBytes,
      sendBufferBytes: this.#limits.sendBufferBytes ?? listener.config['stream.send.buffer.bytes'],
      maxMessageBytes: listener.config['socket.request.max.bytes'],
      onClosed: () => {
        listener.streamOver(server);
        context.abort();
      },
    });
    end.out.send(request?.length ?? 0, () => {
      server.attach(far, stream);
      far.out.send(0, onGreeting);
      listener.accept(method, server, context, request);
    });
    stream.attach(end, server);
  }

  #start(call: Call): void {
    this.#open.add(call);
    if (this.#end?.isOpen && this.#listener !== undefined) {
      call.open(this.#end, this.#listener);
      return;
    }
    if (this.#life.process.world.nowMs < this.#failsUntilMs) {
      this.#life.clock.schedule(0, () => this.#failed(call));
      return;
    }
    this.#waiting.push(call);
    if (!this.#isDialling) this.#connect();
  }

  #connect(): void {
    this.#isDialling = true;
    this.#attempt += 1;
    const attempt = this.#attempt;
    const isWanted = (): boolean => this.#isDialling && this.#attempt === attempt && !this.#closed;
    const { keepaliveTimeMs = 1_000, keepaliveTimeoutMs = 2_000 } = this.#options;
    const late = this.#life.clock.schedule(DIAL_TIMEOUT_MS, () => {
      if (isWanted()) this.#onRefused();
    });
    this.#dialLimit = late;
    this.#dial({
      life: this.#life,
      host: this.#host,
      port: this.#port,
      keepalive: { timeMs: keepaliveTimeMs, timeoutMs: keepaliveTimeoutMs },
      isWanted,
      onRefused: () => {
        late.cancel();
        if (isWanted()) this.#onRefused();
      },
      onOpen: (end, listener) => {
        late.cancel();
        if (isWanted()) this.#onOpen(end, listener);
        else end.reset(new MillraceError('CLOSED'));
      },
      onGone: () => {
        if (this.#attempt === attempt) this.#end = undefined;
        // It broke before this end had heard that it stands.
        late.cancel();
        if (isWanted()) this.#onRefused();
      },
    });
  }

  #onOpen(end: ConnectionEnd, listener: SimRpcListener): void {
    this.#isDialling = false;
    this.#backoffMs = BACKOFF_MIN_MS;
    this.#failsUntilMs = 0;
    this.#end = end;
    this.#listener = listener;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const call of waiting) if (this.#open.has(call)) call.open(end, listener);
  }

  #onRefused(): void {
    this.#isDialling = false;
    this.#failsUntilMs = this.#life.process.world.nowMs + this.#backoffMs;
    this.#backoffMs = Math.min(2 * this.#backoffMs, BACKOFF_MAX_MS);
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const call of waiting) this.#failed(call);
  }

  #failed(call: Call): void {
    if (!this.#open.has(call)) return;
    call.fail(new MillraceError('CONNECTION_FAILED', `connect ECONNREFUSED ${this.#host}:${this.#port}`));
  }
}
