/**
 * What stands behind one API: a thin adapter from a decoded request to the broker and back. Makes no decision; one
 * that is needed belongs to the broker, or to a pure class of its own.
 */
import type { BrokerApi, Failure } from '@millrace/broker';
import type { Clock, Logger, Random } from '@millrace/core';
import type { ConnectionFacts, RequestMemory } from '../connection/kafka-connection.ts';
import type { ApiName, RequestOf, ResponseDraftOf } from '../schemas/api-table.ts';

/** What every handler is made from. */
export interface Surroundings {
  readonly broker: BrokerApi;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Fetch sessions at one time. */
  readonly fetchSessionSlots: number;
}

/** What a handler knows besides the message. */
export interface RequestFacts {
  readonly version: number;
  /** Empty if the client gives none. */
  readonly clientId: string;
  readonly connection: ConnectionFacts;
  readonly memory: RequestMemory;
}

export interface Handler<N extends ApiName> {
  /**
   * What must keep the order of requests (an append) happens inside the call. Undefined: the client expects no answer.
   * Throws or rejects with a MillraceError for a request that fails as a whole: it is answered by `refuse`.
   * Anything else, a `ConnectionEnd` above all, ends the connection.
   */
  handle(request: RequestOf<N>, facts: RequestFacts): Promise<ResponseDraftOf<N> | undefined>;
  /** The answer, in the API's own shape, to a request that failed as a whole: each item of it carries the failure. */
  refuse(request: RequestOf<N>, failure: Failure, facts: RequestFacts): ResponseDraftOf<N>;
}

export type Handlers = { readonly [N in ApiName]: Handler<N> };

/** The protocol has no answer for this, so the connection ends. */
export class ConnectionEnd extends Error {
  override readonly name = 'ConnectionEnd';
}
