/** A producer's stream to one leader, and the requests under way on it. */

import type { MillraceError, NodeId } from '@millrace/core';
import { brokerService, type ProduceRequest, type ProduceResponse } from '@millrace/protocol';
import { RequestStream, type RequestStreamHandlers } from '../cluster/request-stream.ts';
import type { Connection } from '../cluster/transport.ts';
import type { Lane } from './accumulator-state.ts';
import type { ProducerBatch } from './producer-batch.ts';

/** One batch in a request. */
export interface AttemptPart {
  readonly lane: Lane;
  readonly batch: ProducerBatch;
  readonly topicId: string;
  readonly leaderEpoch: number;
  /** Its leader changed and it went elsewhere: an answer that still comes is not heard. */
  isAbandoned: boolean;
}

export interface Attempt {
  readonly link: BrokerLink;
  readonly parts: readonly AttemptPart[];
  readonly sentAtMs: number;
  /** The silence has been looked into. */
  isProbed: boolean;
}

export class BrokerLink {
  readonly id: NodeId;
  readonly connection: Connection;
  readonly #stream: RequestStream<ProduceRequest, ProduceResponse, Attempt>;
  /**
   * One of these made a request too large for the broker, which ended the stream of all of them; and whether each may
   * have been written before that.
   */
  readonly #suspects = new Map<ProducerBatch, boolean>();

  constructor(id: NodeId, connection: Connection, handlers: RequestStreamHandlers<ProduceResponse, Attempt>) {
    this.id = id;
    this.connection = connection;
    this.#stream = new RequestStream(connection, brokerService.produce, handlers);
  }

  get inFlight(): number {
    return this.#stream.inFlight;
  }

  get canSend(): boolean {
    return this.#stream.canSend;
  }

  get oldest(): Attempt | undefined {
    return this.#stream.oldest;
  }

  /** One batch at a time: only so does the next end of the stream tell which one is too large. */
  get isCareful(): boolean {
    for (const batch of this.#suspects.keys()) if (batch.isDone) this.#suspects.delete(batch);
    return this.#suspects.size > 0;
  }

  /** To be told before the batch fails. */
  suspect(batch: ProducerBatch): void {
    if (!this.#suspects.has(batch)) this.#suspects.set(batch, batch.mayBeWritten);
  }

  /** It was the one: the broker has never read it, neither now nor when it came under suspicion. */
  convict(batch: ProducerBatch): void {
    batch.mayBeWritten = this.#suspects.get(batch) ?? batch.mayBeWritten;
  }

  attempts(): Iterable<Attempt> {
    return this.#stream.tickets();
  }

  send(attempt: Attempt, make: (correlationId: number) => ProduceRequest, expectsAnswer: boolean): void {
    this.#stream.send(attempt, make, expectsAnswer);
  }

  reset(error: MillraceError): void {
    this.#stream.reset(error);
  }

  written(): Promise<void> {
    return this.#stream.written();
  }

  close(): Promise<void> {
    return this.#stream.close();
  }
}
