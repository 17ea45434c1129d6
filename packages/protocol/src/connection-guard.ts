/**
 * What stands between a listener and whoever connects to it: wide windows, a limit on connections, and an end for peers
 * that do not speak HTTP/2 or begin and then stall. Each such peer costs one log line and leaves nothing behind.
 */
import type { Http2Server, ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import type { Logger } from '@millrace/core';
import { MessageBoundary } from './message-boundary.ts';
import type { RpcConfig } from './rpc-config.ts';

/** Refusals come in floods; one line in this time tells of all. */
const REFUSAL_LOG_INTERVAL_MS = 1_000;

export class ConnectionGuard {
  readonly #config: RpcConfig;
  readonly #logger: Logger;
  /** Open sessions with their peer's address, which is gone once a socket is destroyed. */
  readonly #sessions = new Map<ServerHttp2Session, string>();
  readonly #unfinished = new Set<MessageBoundary>();
  readonly #sweep: NodeJS.Timeout;
  #refused = 0;
  #refusalLog: NodeJS.Timeout | undefined;

  constructor(config: RpcConfig, logger: Logger) {
    this.#config = config;
    this.#logger = logger;
    const setupTimeoutMs = config['connection.setup.timeout.ms'];
    this.#sweep = setInterval(() => this.#cutOffStalled(), Math.max(10, setupTimeoutMs / 2));
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
    for (const session of this.#sessions.keys()) session.destroy();
  }

  #onSession(session: ServerHttp2Session): void {
    this.#sessions.set(session, `${session.socket.remoteAddress}:${session.socket.remotePort}`);
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
    stream.once('close', () => this.#unfinished.delete(boundary));
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

  #cutOff(session: ServerHttp2Session, reason: string): void {
    const peer = this.#sessions.get(session);
    if (peer === undefined) return;
    this.#sessions.delete(session);
    this.#logger.warn({ event: 'connection_cut_off', peer, reason }, 'cut off a connection');
    session.destroy();
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
