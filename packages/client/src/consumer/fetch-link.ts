/** A consumer's stream to one leader, and the fetches under way on it. */
import type { MillraceError, NodeId } from '@millrace/core';
import { brokerService, type FetchRequest, type FetchResponse } from '@millrace/protocol';
import { RequestStream, type RequestStreamHandlers } from '../cluster/request-stream.ts';
import type { Connection } from '../cluster/transport.ts';
import type { FetchPositionState } from './fetch-position-state.ts';

/** One partition in a request. */
export interface FetchPart<K, V> {
  readonly state: FetchPositionState<K, V>;
  readonly topicId: string;
  readonly leaderEpoch: number;
  readonly generation: number;
}

export interface FetchTicket<K, V> {
  readonly parts: readonly FetchPart<K, V>[];
  readonly sentAtMs: number;
  /** The silence has been looked into. */
  isProbed: boolean;
}

export class FetchLink<K, V> {
  readonly id: NodeId;
  readonly connection: Connection;
  readonly #stream: RequestStream<FetchRequest, FetchResponse, FetchTicket<K, V>>;

  constructor(
    id: NodeId,
    connection: Connection,
    handlers: RequestStreamHandlers<FetchResponse, FetchTicket<K, V>>,
  ) {
    this.id = id;
    this.connection = connection;
    this.#stream = new RequestStream(connection, brokerService.fetch, handlers);
  }

  get inFlight(): number {
    return this.#stream.inFlight;
  }

  get canSend(): boolean {
    return this.#stream.canSend;
  }

  get oldest(): FetchTicket<K, V> | undefined {
    return this.#stream.oldest;
  }

  send(ticket: FetchTicket<K, V>, make: (correlationId: number) => FetchRequest): void {
    this.#stream.send(ticket, make, true);
  }

  reset(error: MillraceError): void {
    this.#stream.reset(error);
  }

  close(): void {
    void this.#stream.close();
  }
}
