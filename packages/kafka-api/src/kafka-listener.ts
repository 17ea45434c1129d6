/**
 * A listener that speaks Kafka's protocol: takes connections, within limits, and gives each to a `KafkaConnection`.
 * The only module of this package that touches the network. What a request means is its handler's to know.
 */
import { createServer, type Server, type Socket } from 'node:net';
import {
  BufferPool,
  type Clock,
  KiB,
  type Logger,
  MillraceError,
  silentLogger,
  type Timer,
} from '@millrace/core';
import type { ConnectionLimits } from './connection/connection-state.ts';
import {
  type ConnectionShare,
  type ConnectionSurroundings,
  KafkaConnection,
  type KafkaRequestHandler,
} from './connection/kafka-connection.ts';
import { RequestRoom } from './connection/request-room-state.ts';
import { RequestTurns } from './connection/request-turns.ts';
import { ThrottledLog } from './connection/throttled-log.ts';
import type { KafkaListenerConfig } from './kafka-config.ts';
import { readSocket } from './socket-reading.ts';

/** Timeouts are looked at this often, or more often if they are short. */
const SWEEP_INTERVAL_MS = 1_000;
const RATE_WINDOW_MS = 1_000;
/** How long a connection in use may be silent before the system asks whether its peer is still there. */
const KEEP_ALIVE_MS = 60_000;
/** Of requests of one connection: as much as is read of a socket at a time, whatever other connections hold. */
const REQUEST_BYTES_FREE = 64 * KiB;
/** A fetch may always bring as much, whatever answers other clients have not taken. */
const RESPONSE_BYTES_FREE = 64 * KiB;
/** As many connections as a socket's backlog holds by default. */
const EARLY_MAX = 511;

export interface KafkaListenerOptions {
  /** Name of the listener, as in `listeners`. */
  readonly listener: string;
  readonly config: KafkaListenerConfig;
  readonly handle: KafkaRequestHandler;
  /** The broker's back-pressure: undefined while producers may go on, otherwise a promise for when they may. */
  readonly produceRoom?: () => Promise<void> | undefined;
  /** Of all listeners of the process, which share one event loop. */
  readonly turns?: RequestTurns;
  readonly clock: Clock;
  readonly logger?: Logger;
}

export class KafkaListener {
  /** Of all listeners: what they share tells connections apart by their ids. */
  static #lastId = 0;
  readonly #listener: string;
  readonly #config: KafkaListenerConfig;
  readonly #clock: Clock;
  readonly #log: ThrottledLog;
  readonly #limits: ConnectionLimits;
  readonly #room: RequestRoom<ConnectionShare>;
  readonly #around: ConnectionSurroundings;
  readonly #server: Server;
  readonly #connections = new Set<KafkaConnection>();
  readonly #connectionsOfHost = new Map<string, number>();
  #windowStartMs = 0;
  #acceptedInWindow = 0;
  #isRoomCheckDue = false;
  #sweep: Timer | undefined;
  #isServing = true;
  #hasServed = false;
  /** Who came before the first moment of serving, in order. */
  readonly #early = new Set<Socket>();
  #isClosed = false;
  /** Called when the last connection has gone. */
  #emptied: (() => void) | undefined;

  constructor(options: KafkaListenerOptions) {
    const { listener, config, handle, produceRoom, clock, logger = silentLogger } = options;
    this.#listener = listener;
    this.#config = config;
    this.#clock = clock;
    this.#log = new ThrottledLog(logger, clock);
    this.#limits = limitsOf(config);
    this.#room = new RequestRoom({
      requestBytesMax: config['queued.max.request.bytes'],
      requestBytesFree: REQUEST_BYTES_FREE,
      responseBytesMax: config['queued.max.response.bytes'],
      responseBytesFree: RESPONSE_BYTES_FREE,
    });
    this.#around = {
      handle,
      produceRoom: produceRoom ?? (() => undefined),
      buffers: new BufferPool({ bytesMax: config['request.buffers.bytes'] }),
      room: this.#room,
      turns: options.turns ?? new RequestTurns(clock),
      roomChanged: () => this.#lookForRoom(),
      closed: (connection) => this.#onClosed(connection),
      clock,
      logger,
      log: this.#log,
      // After every promise that is settled by now: one system call carries all their answers.
      defer: (callback) => process.nextTick(callback),
    };
    this.#server = createServer({
      allowHalfOpen: true,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_MS,
      pauseOnConnect: true,
    });
    this.#server.on('connection', (socket) => this.#onSocket(socket));
  }

  /** Open connections. */
  get connections(): number {
    return this.#connections.size;
  }

  /** Memory that requests occupy. */
  get requestBytes(): number {
    return this.#room.requestBytes;
  }

  /** Answers that clients have not taken. */
  get responseBytes(): number {
    return this.#room.responseBytes;
  }

  /**
   * Binds and serves.
   * @param host empty for every interface. @param port 0 lets the system choose. @returns the port.
   * @throws {MillraceError} ADDRESS_IN_USE or CONNECTION_FAILED
   */
  async listen(host: string, port: number): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      const onError = (error: NodeJS.ErrnoException): void => reject(notListening(host, port, error));
      this.#server.once('error', onError);
      this.#server.listen({ port, ...(host !== '' && { host }) }, () => {
        this.#server.removeListener('error', onError);
        resolve();
      });
    });
    // For instance no file descriptor left for another connection: those that stand are not concerned.
    this.#server.on('error', (err) =>
      this.#log.warn('accept_failed', { err }, 'could not accept a connection'),
    );
    this.#sweepLater();
    this.setServing(this.#isServing);
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : port;
  }

  /**
   * Whether new connections are taken; those that stand go on. Who comes before the first time waits unread, as in the
   * backlog of a socket: some clients do not survive a connection that is accepted and ended at once.
   */
  setServing(isServing: boolean): void {
    this.#isServing = isServing;
    if (!isServing) return;
    this.#hasServed = true;
    const early = [...this.#early];
    this.#early.clear();
    for (const socket of early) this.#onSocket(socket);
  }

  /** Takes no new connections or requests, lets answers in the making go out for up to `graceMs`, then ends the rest. */
  async drain(graceMs: number): Promise<void> {
    this.#server.close();
    this.#dismissEarly();
    let late: Timer | undefined;
    if (this.#connections.size > 0) {
      const emptied = new Promise<void>((resolve) => {
        this.#emptied = resolve;
        late = this.#clock.schedule(graceMs, resolve);
      });
      for (const connection of [...this.#connections]) connection.drain();
      if (this.#connections.size > 0) await emptied;
    }
    late?.cancel();
    this.close();
  }

  /** Ends everything at once. */
  close(): void {
    this.#isClosed = true;
    this.#sweep?.cancel();
    this.#server.close();
    this.#dismissEarly();
    for (const connection of [...this.#connections]) connection.close();
  }

  #dismissEarly(): void {
    for (const socket of this.#early) socket.destroy();
    this.#early.clear();
  }

  #keepWaiting(socket: Socket): void {
    this.#early.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => this.#early.delete(socket));
  }

  #onSocket(accepted: Socket): void {
    if (!this.#isClosed && !this.#hasServed && this.#early.size < EARLY_MAX) {
      this.#keepWaiting(accepted);
      return;
    }
    if (accepted.destroyed) return;
    const peerHost = accepted.remoteAddress ?? '';
    const refusal = this.#refusal(peerHost);
    if (refusal !== undefined) {
      accepted.destroy();
      this.#log.warn(
        'kafka_connections_refused',
        { peer: peerHost, reason: refusal },
        'refused a Kafka connection',
      );
      return;
    }
    const facts = {
      id: ++KafkaListener.#lastId,
      listener: this.#listener,
      peerHost,
      peerPort: accepted.remotePort ?? 0,
    };
    const socket = readSocket(accepted, (chunk) => connection.receive(chunk));
    const connection: KafkaConnection = new KafkaConnection(socket, facts, this.#limits, this.#around);
    this.#connections.add(connection);
    this.#connectionsOfHost.set(peerHost, (this.#connectionsOfHost.get(peerHost) ?? 0) + 1);
    socket.on('end', () => connection.peerEnded());
    // A peer that went away is no event of its own: the close that follows says it.
    socket.on('error', () => undefined);
    socket.on('close', () => connection.close());
  }

  /** Why another connection from there is not taken. */
  #refusal(peerHost: string): string | undefined {
    const {
      'max.connections': total,
      'max.connections.per.ip': perHost,
      'max.connection.creation.rate': rate,
    } = this.#config;
    if (this.#isClosed) return 'closing';
    if (!this.#isServing) return 'not serving';
    if (this.#connections.size >= total) return `max.connections is ${total}`;
    if ((this.#connectionsOfHost.get(peerHost) ?? 0) >= perHost)
      return `max.connections.per.ip is ${perHost}`;
    const nowMs = this.#clock.nowMs();
    if (nowMs - this.#windowStartMs >= RATE_WINDOW_MS) {
      this.#windowStartMs = nowMs;
      this.#acceptedInWindow = 0;
    }
    if (this.#acceptedInWindow >= rate) return `max.connection.creation.rate is ${rate}`;
    this.#acceptedInWindow += 1;
    return undefined;
  }

  #onClosed(connection: KafkaConnection): void {
    this.#connections.delete(connection);
    const { peerHost } = connection.facts;
    const left = (this.#connectionsOfHost.get(peerHost) ?? 1) - 1;
    if (left === 0) this.#connectionsOfHost.delete(peerHost);
    else this.#connectionsOfHost.set(peerHost, left);
    if (this.#connections.size === 0) this.#emptied?.();
  }

  /** Once for however many changes of one moment: every connection that was held back asks again. */
  #lookForRoom(): void {
    if (this.#isRoomCheckDue) return;
    this.#isRoomCheckDue = true;
    process.nextTick(() => {
      this.#isRoomCheckDue = false;
      for (const { connection } of this.#room.takeHeldBack()) connection.proceed();
    });
  }

  #sweepLater(): void {
    const { firstRequestTimeoutMs, receiveTimeoutMs, sendTimeoutMs, idleMaxMs } = this.#limits;
    const shortestMs = Math.min(firstRequestTimeoutMs, receiveTimeoutMs, sendTimeoutMs, idleMaxMs);
    const intervalMs = Math.max(10, Math.min(SWEEP_INTERVAL_MS, shortestMs / 2));
    this.#sweep = this.#clock.schedule(intervalMs, () => {
      const nowMs = this.#clock.nowMs();
      for (const connection of [...this.#connections]) connection.checkTime(nowMs);
      if (!this.#isClosed) this.#sweepLater();
    });
  }
}

function limitsOf(config: KafkaListenerConfig): ConnectionLimits {
  return {
    requestMaxBytes: config['socket.request.max.bytes'],
    requestsInHandMax: config['queued.max.requests.per.connection'],
    requestBytesInHandMax: config['queued.max.request.bytes.per.connection'],
    responseBytesMax: config['queued.max.response.bytes.per.connection'],
    firstRequestTimeoutMs: config['connection.setup.timeout.ms'],
    receiveTimeoutMs: config['request.receive.timeout.ms'],
    sendTimeoutMs: config['response.send.timeout.ms'],
    idleMaxMs: config['connections.max.idle.ms'],
  };
}

function notListening(host: string, port: number, cause: NodeJS.ErrnoException): MillraceError {
  const code = cause.code === 'EADDRINUSE' ? 'ADDRESS_IN_USE' : 'CONNECTION_FAILED';
  return new MillraceError(code, `cannot listen on ${host || '*'}:${port}: ${cause.message}`, { cause });
}
