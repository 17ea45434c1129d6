/**
 * One consumer's stream. Requests wait in the broker (long poll); the next one is taken up only while the consumer reads
 * the answers to the last ones, so one that never reads costs a bounded amount of memory and nothing else.
 */
import { setMaxListeners } from 'node:events';
import type { BrokerApi } from '@millrace/broker';
import { toMillraceError } from '@millrace/core';
import type { FetchRequest, FetchResponse, RpcStream, ServerStreamHandlers } from '@millrace/protocol';
import { checkCluster } from './request-header.ts';
import { toWireFailure, toWireFailures, wireFailureOf } from './wire-failure.ts';

/** Fetches of one stream that may wait or be answered at one time. */
const FETCHES_IN_FLIGHT_MAX = 16;

export type FetchBroker = Pick<BrokerApi, 'fetch' | 'clusterId'>;

export class FetchStream implements ServerStreamHandlers<FetchRequest> {
  readonly #broker: FetchBroker;
  readonly #stream: RpcStream<FetchResponse>;
  readonly #aborter = new AbortController();
  #waiting: FetchRequest[] = [];
  #inFlight = 0;
  #isBlocked = false;
  #isEnding = false;

  constructor(broker: FetchBroker, stream: RpcStream<FetchResponse>) {
    this.#broker = broker;
    this.#stream = stream;
    // Every fetch that waits listens.
    setMaxListeners(0, this.#aborter.signal);
  }

  onMessage(request: FetchRequest): void {
    this.#waiting.push(request);
    this.#pump();
  }

  onEnd(): void {
    this.#isEnding = true;
    this.#pump();
  }

  onClosed(): void {
    this.#waiting = [];
    this.#aborter.abort();
  }

  #pump(): void {
    while (this.#waiting.length > 0 && !this.#isBlocked && this.#inFlight < FETCHES_IN_FLIGHT_MAX) {
      this.#answer(this.#waiting.shift()!).catch((error: unknown) => {
        this.#stream.close(toMillraceError(error));
      });
    }
    if (this.#waiting.length > 0) this.#stream.pause();
    else this.#stream.resume();
    if (this.#isEnding && this.#inFlight === 0 && this.#waiting.length === 0) this.#stream.close();
  }

  async #answer(request: FetchRequest): Promise<void> {
    const { header, maxWaitMs, minBytes, maxBytes, partitions } = request;
    const { correlationId, clientId } = header;
    this.#inFlight += 1;
    let response: FetchResponse;
    try {
      checkCluster(header, this.#broker.clusterId);
      const wanted = { clientId, maxWaitMs, minBytes, maxBytes, partitions };
      const answer = await this.#broker.fetch(wanted, this.#aborter.signal);
      const fetched = toWireFailures(answer.partitions);
      response = { correlationId, partitions: fetched, failure: toWireFailure(answer.failure) };
    } catch (error) {
      response = { correlationId, partitions: [], failure: wireFailureOf(toMillraceError(error)) };
    }
    this.#inFlight -= 1;
    if (!this.#stream.send(response) && !this.#stream.closed) {
      this.#isBlocked = true;
      await this.#stream.drained();
      this.#isBlocked = false;
    }
    this.#pump();
  }
}
