/**
 * One producer's stream. Requests are handed on in the order they arrive, so appends keep it; answers go out as they
 * resolve. Reading stops while too much is in hand or the producer does not read its answers: HTTP/2 then holds it back.
 */
import type { BrokerApi } from '@millrace/broker';
import { type ErrorCode, MiB, type MillraceError, toMillraceError } from '@millrace/core';
import type { ProduceRequest, ProduceResponse, RpcStream, ServerStreamHandlers } from '@millrace/protocol';
import { checkCluster, contextOf } from './request-header.ts';
import { toWireFailure, toWireFailures, wireFailureOf } from './wire-failure.ts';

const REQUESTS_IN_FLIGHT_MAX = 1_000;
const BYTES_IN_FLIGHT_MAX = 64 * MiB;

/** What concerns the whole stream: going on makes no sense. */
const FATAL: ReadonlySet<ErrorCode> = new Set(['INCONSISTENT_CLUSTER_ID']);

export type ProduceBroker = Pick<BrokerApi, 'produce' | 'produceRoom' | 'clusterId'>;

export class ProduceStream implements ServerStreamHandlers<ProduceRequest> {
  readonly #broker: ProduceBroker;
  readonly #stream: RpcStream<ProduceResponse>;
  #requests = 0;
  #bytes = 0;
  /** Waits that keep us from reading: for the broker, for the producer to read. */
  #holds = 0;
  #waitsForBroker = false;
  #waitsForReader = false;
  #isPaused = false;
  #isEnding = false;

  constructor(broker: ProduceBroker, stream: RpcStream<ProduceResponse>) {
    this.#broker = broker;
    this.#stream = stream;
  }

  onMessage(request: ProduceRequest): void {
    const { header, acks, partitions } = request;
    try {
      checkCluster(header, this.#broker.clusterId);
    } catch (error) {
      this.#refuse(header.correlationId, toMillraceError(error));
      return;
    }
    let bytes = 0;
    for (const { records } of partitions) bytes += records.length;
    this.#requests += 1;
    this.#bytes += bytes;
    const answer = this.#broker.produce({ acks, ...contextOf(header), partitions });
    this.#waitForBroker();
    this.#adjust();
    answer
      .then(
        (response) => {
          // With acks=0 the producer has not kept the correlation id.
          if (acks !== 0) {
            this.#send({
              correlationId: header.correlationId,
              partitions: toWireFailures(response.partitions),
              failure: toWireFailure(response.failure),
            });
          }
        },
        (error: unknown) => this.#refuse(header.correlationId, toMillraceError(error)),
      )
      .catch((error: unknown) => this.#stream.close(toMillraceError(error)))
      .finally(() => {
        this.#requests -= 1;
        this.#bytes -= bytes;
        this.#adjust();
      });
  }

  /** The producer is done, or the server goes down: what is in hand is answered, then the stream ends. */
  onEnd(): void {
    this.#isEnding = true;
    this.#adjust();
  }

  onDrain(): void {
    this.onEnd();
  }

  onClosed(): void {
    this.#isEnding = true;
  }

  #refuse(correlationId: number, error: MillraceError): void {
    this.#send({ correlationId, partitions: [], failure: wireFailureOf(error) });
    if (FATAL.has(error.code)) this.#stream.close(error);
  }

  #send(response: ProduceResponse): void {
    if (this.#stream.send(response) || this.#waitsForReader || this.#stream.closed) return;
    this.#waitsForReader = true;
    this.#hold(this.#stream.drained(), () => {
      this.#waitsForReader = false;
    });
  }

  #waitForBroker(): void {
    const room = this.#waitsForBroker ? undefined : this.#broker.produceRoom();
    if (room === undefined) return;
    this.#waitsForBroker = true;
    this.#hold(room, () => {
      this.#waitsForBroker = false;
    });
  }

  #hold(wait: Promise<void>, release: () => void): void {
    this.#holds += 1;
    const go = (): void => {
      this.#holds -= 1;
      release();
      this.#adjust();
    };
    wait.then(go, go);
  }

  /** Reads or does not read, and ends the stream once nothing is left to do. */
  #adjust(): void {
    const isFull = this.#requests >= REQUESTS_IN_FLIGHT_MAX || this.#bytes >= BYTES_IN_FLIGHT_MAX;
    const shouldPause = this.#isEnding || isFull || this.#holds > 0;
    if (shouldPause !== this.#isPaused) {
      this.#isPaused = shouldPause;
      if (shouldPause) this.#stream.pause();
      else this.#stream.resume();
    }
    if (this.#isEnding && this.#requests === 0) this.#stream.close();
  }
}
