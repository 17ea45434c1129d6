/**
 * What stands between a listener and whoever connects to it: wide windows, a limit on connections, and an end for peers
 * that do not speak HTTP/2 or begin and then stall. Each such peer costs one log line and leaves nothing behind.
 */
import type { Http2Server, ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import type { Logger } from '@millrace/core';
import { MessageBoundary } from './message-boundary.ts';
import type { RpcConfig } from './rpc-config.ts';

/** Refusals come in floods; one line in this time tells of all. */
const REFUSAL_LOG_INTERVAL_MS = 1_000;

interface Connection {
  /** Its address, which is gone once the socket is destroyed. */
  readonly peer: string;
  /** A session that was closed before it is destroyed leaves its socket open for as long as the peer likes. */
  readonly socket: Socket | undefined;
  openStreams: number;
  /** Was closed at the last look, with nothing left to do. */
  isLingering: boolean;
}

export class ConnectionGuard {
  readonly #config: RpcConfig;
  readonly #logger: Logger;
  readonly #sessions = new Map<ServerHttp2Session, Connection>();
  readonly #unfinished = new Set<MessageBoundary>();
  readonly #sweep: NodeJS.Timeout;
  /** The socket whose session is being made. */
  #arriving: Socket | undefined;
  #refused = 0;
  #refusalLog: NodeJS.Timeout | undefined;

  constructor(config: RpcConfig, logger: Logger) {
    this.#config = config;
    this.#logger = logger;
    const setupTimeoutMs = config['connection.setup.timeout.ms'];
    this.#sweep = setInterval(
      () => {
        this.#cutOffStalled();
        this.#cutOffLingering();
      },
      Math.max(10, setupTimeoutMs / 2),
    );
    this.#sweep.unref();
  }

  get connections(): number {
    return this.#sessions.size;
  }

  /** Receive windows of the open connections, in bytes. */
  get localWindowSizes(): number[] {
    return [...this.#sessions.keys()].map((session) => session.state.localWindowSize ?? 0);
  }

  watch(server: Http2Server): void {
    server.maxConnections = this.#config['max.connections'];
    server.on('drop', () => this.#onRefused());
    // For instance no file descriptor left for another connection: those that stand are not concerned.
    server.on('error', (err) =>
      this.#logger.warn({ event: 'accept_failed', err }, 'could not accept a connection'),
    );
    server.prependListener('connection', (socket: Socket) => {
      this.#arriving = socket;
    });
    server.on('session', (session: ServerHttp2Session) => this.#onSession(session));
    server.on('stream', (stream: ServerHttp2Stream) => this.#onStream(stream));
    server.on('sessionError', (error: NodeJS.ErrnoException, session: ServerHttp2Session) => {
      // A peer that went away is no offender.
      if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') this.#cutOff(session, error.message);
    });
  }

  /** Destroys every connection that is left. */
  close(): void {
    clearInterval(this.#sweep);
    clearTimeout(this.#refusalLog);
    for (const [session, { socket }] of this.#sessions) {
      session.destroy();
      socket?.destroy();
    }
  }

  #onSession(session: ServerHttp2Session): void {
    const peer = `${session.socket.remoteAddress}:${session.socket.remotePort}`;
    this.#sessions.set(session, { peer, socket: this.#arriving, openStreams: 0, isLingering: false });
    this.#arriving = undefined;
    session.setLocalWindowSize(this.#config['connection.window.bytes']);
    const timeoutMs = this.#config['connection.setup.timeout.ms'];
    const setup = setTimeout(() => this.#cutOff(session, `no HTTP/2 within ${timeoutMs} ms`), timeoutMs);
    setup.unref();
    session.once('remoteSettings', () => clearTimeout(setup));
    session.once('close', () => {
      clearTimeout(setup);
      this.#sessions.delete(session);
    });
  }

  #onStream(stream: ServerHttp2Stream): void {
    const boundary = new MessageBoundary(stream);
    this.#unfinished.add(boundary);
    stream.on('data', (chunk: Buffer) => boundary.advance(chunk));
    const connection = stream.session && this.#sessions.get(stream.session as ServerHttp2Session);
    if (connection) connection.openStreams += 1;
    stream.once('close', () => {
      this.#unfinished.delete(boundary);
      if (connection) connection.openStreams -= 1;
    });
  }

  /** Two sweeps find the same message unfinished, without a byte in between: its sender has stalled. */
  #cutOffStalled(): void {
    for (const boundary of this.#unfinished) {
      if (!boundary.stalledSinceLastLook()) continue;
      this.#unfinished.delete(boundary);
      const { session } = boundary.stream;
      if (session) this.#cutOff(session as ServerHttp2Session, 'a message was left half sent');
    }
  }

  /** Closed here, for idleness or because this process ends, but the peer does not close its side. */
  #cutOffLingering(): void {
    for (const [session, connection] of this.#sessions) {
      const isLeft = session.closed && connection.openStreams === 0;
      if (isLeft && connection.isLingering) this.#cutOff(session, 'closed here, but not by the peer');
      else connection.isLingering = isLeft;
    }
  }

  #cutOff(session: ServerHttp2Session, reason: string): void {
    const connection = this.#sessions.get(session);
    if (connection === undefined) return;
    const { peer, socket } = connection;
    this.#sessions.delete(session);
    this.#logger.warn({ event: 'connection_cut_off', peer, reason }, 'cut off a connection');
    session.destroy();
    socket?.destroy();
  }

  #onRefused(): void {
    this.#refused += 1;
    this.#refusalLog ??= setTimeout(() => {
      const limit = this.#config['max.connections'];
      this.#logger.warn({ event: 'connections_refused', count: this.#refused, limit }, 'refused connections');
      this.#refused = 0;
      this.#refusalLog = undefined;
    }, REFUSAL_LOG_INTERVAL_MS).unref();
  }
}
