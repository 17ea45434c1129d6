/**
 * Requests and answers over one duplex stream, matched by correlation id. Opens on first use; once the stream
 * ends, what was under way is reported lost and the next request opens a new one. Holds no timers.
 */
import { Deferred, MillraceError } from '@millrace/core';
import type { DuplexMethod, RpcStream } from '@millrace/protocol';
import type { Connection } from './transport.ts';

export interface RequestStreamHandlers<Response, Ticket> {
  onAnswer(ticket: Ticket, response: Response): void;
  /** The stream ended; whether these requests took effect is unknown. May be empty. */
  onLost(tickets: readonly Ticket[], error: MillraceError): void;
  /** There is room on the network again after `canSend` was false. */
  onRoom(): void;
}

export class RequestStream<Request, Response extends { readonly correlationId: number }, Ticket> {
  readonly #connection: Connection;
  readonly #method: DuplexMethod<Request, Response>;
  readonly #handlers: RequestStreamHandlers<Response, Ticket>;
  readonly #waiting = new Map<number, Ticket>();
  #stream: RpcStream<Request> | undefined;
  /** The stream's end, whoever brings it about. */
  #ended = new Deferred<void>();
  #nextId = 1;
  #isCongested = false;

  constructor(
    connection: Connection,
    method: DuplexMethod<Request, Response>,
    handlers: RequestStreamHandlers<Response, Ticket>,
  ) {
    this.#connection = connection;
    this.#method = method;
    this.#handlers = handlers;
  }

  /** Requests that wait for an answer, oldest first. */
  get inFlight(): number {
    return this.#waiting.size;
  }

  /** False while the network holds enough already. */
  get canSend(): boolean {
    return !this.#isCongested;
  }

  get oldest(): Ticket | undefined {
    return this.#waiting.values().next().value;
  }

  tickets(): IterableIterator<Ticket> {
    return this.#waiting.values();
  }

  /** `make` gets the correlation id. A request that expects no answer leaves nothing to wait for. */
  send(ticket: Ticket, make: (correlationId: number) => Request, expectsAnswer: boolean): void {
    const id = this.#nextId++;
    const stream = this.#opened();
    const message = make(id);
    if (expectsAnswer) this.#waiting.set(id, ticket);
    if (!stream.send(message)) this.#waitForRoom(stream);
  }

  /** Ends the stream; what is under way is reported lost. */
  reset(error: MillraceError): void {
    const stream = this.#stream;
    this.#stream = undefined;
    stream?.close(error);
    this.#lose(error);
  }

  /** Resolves when all that was sent is on the network, or lost. */
  async written(): Promise<void> {
    await this.#stream?.drained(0);
  }

  /** Ends the stream in order. Reports nothing. Resolves when the server has heard all of it, or is gone. */
  close(): Promise<void> {
    this.#waiting.clear();
    const stream = this.#stream;
    if (stream === undefined) return Promise.resolve();
    this.#stream = undefined;
    stream.close();
    return this.#ended.promise;
  }

  #opened(): RpcStream<Request> {
    if (this.#stream !== undefined) return this.#stream;
    const ended = new Deferred<void>();
    const stream: RpcStream<Request> = this.#connection.duplex(this.#method, {
      onMessage: (response) => {
        if (this.#stream === stream) this.#answer(response);
      },
      onClosed: (error) => {
        ended.resolve();
        if (this.#stream !== stream) return;
        this.#stream = undefined;
        this.#lose(error ?? new MillraceError('NETWORK_EXCEPTION', 'the server ended the stream'));
      },
    });
    this.#stream = stream;
    this.#ended = ended;
    this.#isCongested = false;
    return stream;
  }

  #answer(response: Response): void {
    const ticket = this.#waiting.get(response.correlationId);
    if (ticket === undefined) return;
    this.#waiting.delete(response.correlationId);
    this.#handlers.onAnswer(ticket, response);
  }

  #lose(error: MillraceError): void {
    const tickets = [...this.#waiting.values()];
    this.#waiting.clear();
    this.#isCongested = false;
    this.#handlers.onLost(tickets, error);
  }

  #waitForRoom(stream: RpcStream<Request>): void {
    if (this.#isCongested) return;
    this.#isCongested = true;
    void stream.drained().then(() => {
      if (this.#stream !== stream) return;
      this.#isCongested = false;
      this.#handlers.onRoom();
    });
  }
}
