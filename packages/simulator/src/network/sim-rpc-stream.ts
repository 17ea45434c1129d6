/**
 * One end of a simulated stream. Every message goes through the wire codec, so the two ends share no memory; window,
 * buffer and the ways to end are those of the gRPC streams that it stands for.
 */
import { MillraceError } from '@millrace/core';
import type { Codec, RpcStream, ServerStreamHandlers } from '@millrace/protocol';
import type { ConnectionEnd, ConnectionUser } from './connection-end.ts';

/** What arrives: a message, the client's last word, the server's last word. */
type Arrival =
  | { readonly kind: 'message'; readonly bytes: Buffer }
  | { readonly kind: 'end' }
  | { readonly kind: 'status'; readonly error: MillraceError | undefined };

export interface SimStreamOptions<Outgoing, Incoming> {
  readonly side: 'client' | 'server';
  /** Sends nothing but its request. */
  readonly isReadOnly?: boolean;
  readonly outgoing: Codec<Outgoing>;
  readonly incoming: Codec<Incoming>;
  /** For the trace. */
  readonly name: string;
  /** How far a sender may run ahead of the reader. */
  readonly windowBytes: number;
  readonly sendBufferBytes: number;
  /** Larger messages end the stream. */
  readonly maxMessageBytes: number;
  /** Called once when the stream is over, before its handlers hear of it. */
  readonly onClosed?: (error: MillraceError | undefined) => void;
}

interface Waiter {
  readonly mostBytes: number;
  resolve(): void;
}

export class SimRpcStream<Outgoing, Incoming> implements RpcStream<Outgoing>, ConnectionUser {
  readonly #options: SimStreamOptions<Outgoing, Incoming>;
  #handlers: ServerStreamHandlers<Incoming> | undefined;
  #end: ConnectionEnd | undefined;
  #peer: SimRpcStream<Incoming, Outgoing> | undefined;
  /** Sent before the connection stood. */
  #early: (() => void)[] = [];
  #closed = false;
  #halfClosed = false;
  /** Sent and not yet read at the far end. */
  #unreadBytes = 0;
  #waiters: Waiter[] = [];
  #isPaused = false;
  #isReading = false;
  #arrived: Arrival[] = [];

  constructor(options: SimStreamOptions<Outgoing, Incoming>) {
    this.#options = options;
  }

  get closed(): boolean {
    return this.#closed;
  }

  get bufferedBytes(): number {
    return Math.max(0, this.#unreadBytes - this.#options.windowBytes);
  }

  /** Names who listens; messages that arrived before are delivered from here on. */
  listen(handlers: ServerStreamHandlers<Incoming>): void {
    this.#handlers = handlers;
  }

  /** The connection stands: what was sent so far leaves. */
  attach(end: ConnectionEnd, peer: SimRpcStream<Incoming, Outgoing>): void {
    this.#end = end;
    this.#peer = peer;
    end.users.add(this as ConnectionUser);
    const early = this.#early;
    this.#early = [];
    for (const leave of early) leave();
  }

  send(message: Outgoing): boolean {
    if (this.#closed || this.#halfClosed) return false;
    const bytes = this.#options.outgoing.encode(message);
    this.#unreadBytes += bytes.length;
    this.#leave(bytes.length, () => this.#peer?.arrive({ kind: 'message', bytes }));
    return this.bufferedBytes < this.#options.sendBufferBytes;
  }

  drained(mostBytes: number = this.#options.sendBufferBytes - 1): Promise<void> {
    if (this.#closed || this.bufferedBytes <= mostBytes) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiters.push({ mostBytes, resolve });
    });
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#readOn();
  }

  close(error?: MillraceError): void {
    if (this.#closed) return;
    const { side, isReadOnly = false } = this.#options;
    if (side === 'server') {
      if (this.#halfClosed) return;
      this.#halfClosed = true;
      this.#leave(0, () => this.#peer?.arrive({ kind: 'status', error: overTheWire(error) }));
    } else if (error === undefined && !isReadOnly) {
      if (this.#halfClosed) return;
      this.#halfClosed = true;
      this.#leave(0, () => this.#peer?.arrive({ kind: 'end' }));
      return;
    } else {
      this.#halfClosed = true;
      this.#leave(0, () => this.#peer?.cancelled());
    }
    queueMicrotask(() => this.#finish(error));
  }

  /** The server goes down: the handler ends the stream in its own time, or it ends now. */
  drain(): void {
    if (this.#handlers?.onDrain) this.#handlers.onDrain();
    else this.close();
  }

  onReset(error: MillraceError): void {
    this.#finish(error);
  }

  /** Tells the server, if it was reached, that nobody listens any more. */
  cancel(): void {
    if (this.#end !== undefined) this.#leave(0, () => this.#peer?.cancelled());
  }

  /** There is no connection and will be none. */
  fail(error: MillraceError): void {
    this.#finish(error);
  }

  arrive(arrival: Arrival): void {
    if (this.#closed) return;
    // As in gRPC, a failure overtakes what the reader has not taken yet.
    if (arrival.kind === 'status' && arrival.error !== undefined) this.#finish(arrival.error);
    else if (this.#isPaused || this.#arrived.length > 0) this.#arrived.push(arrival);
    else this.#take(arrival);
  }

  cancelled(): void {
    this.#finish(
      new MillraceError('NETWORK_EXCEPTION', 'the peer gave the stream up or its connection broke'),
    );
  }

  /** The far end read this much. */
  wasRead(sizeBytes: number): void {
    this.#unreadBytes -= sizeBytes;
    if (this.#waiters.length === 0) return;
    // The news travels back; the reader's turn must not run the sender's code.
    this.#end?.life.process.world.schedule(0, () => this.#releaseWaiters(), this.#end.life);
  }

  #leave(sizeBytes: number, deliver: () => void): void {
    const end = this.#end;
    if (end === undefined) this.#early.push(() => this.#end?.out.send(sizeBytes, deliver));
    else end.out.send(sizeBytes, deliver);
  }

  #take(arrival: Arrival): void {
    if (arrival.kind === 'status') this.#finish(undefined);
    else if (arrival.kind === 'end') this.#onEnd();
    else this.#onMessage(arrival.bytes);
  }

  #onMessage(bytes: Buffer): void {
    const { incoming, name, maxMessageBytes } = this.#options;
    this.#end?.life.note(name, bytes.length);
    this.#peer?.wasRead(bytes.length);
    if (this.#halfClosed && this.#options.side === 'server') return;
    try {
      if (bytes.length > maxMessageBytes) throw new MillraceError('MESSAGE_TOO_LARGE');
      this.#handlers?.onMessage(incoming.decode(bytes));
    } catch (error) {
      // Production answers UNKNOWN_SERVER_ERROR and goes on; here a bug is a bug.
      if (!(error instanceof MillraceError)) throw error;
      this.close(error);
    }
  }

  #onEnd(): void {
    if (this.#handlers?.onEnd) this.#handlers.onEnd();
    else this.close();
  }

  /** One arrival for each event, as long as nobody pauses again. */
  #readOn(): void {
    if (this.#isReading || this.#arrived.length === 0 || this.#end === undefined) return;
    this.#isReading = true;
    const { life } = this.#end;
    const next = (): void => {
      this.#isReading = false;
      if (this.#isPaused || this.#closed) return;
      const arrival = this.#arrived.shift();
      if (arrival !== undefined) this.#take(arrival);
      if (!this.#isPaused) this.#readOn();
    };
    life.process.world.schedule(0, next, life);
  }

  #releaseWaiters(): void {
    const waiting = this.#waiters;
    const { bufferedBytes } = this;
    this.#waiters = waiting.filter(({ mostBytes }) => mostBytes < bufferedBytes);
    for (const { mostBytes, resolve } of waiting) if (mostBytes >= bufferedBytes) resolve();
  }

  #finish(error: MillraceError | undefined): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#end?.users.delete(this as ConnectionUser);
    this.#unreadBytes = 0;
    this.#arrived = [];
    this.#early = [];
    this.#releaseWaiters();
    this.#options.onClosed?.(error);
    this.#handlers?.onClosed(error);
  }
}

/** Only code and text travel. */
export function overTheWire(error: MillraceError | undefined): MillraceError | undefined {
  return error && new MillraceError(error.code, error.message);
}
