/**
 * A stream of requests that are handed on in the order they arrive, so their effects keep it, and answered as they
 * resolve. Reading stops while too much is in hand or the caller does not read its answers: HTTP/2 then holds it back.
 */
import { type ErrorCode, MiB, type MillraceError, toMillraceError } from '@millrace/core';
import type {
  RequestHeader,
  RpcStream,
  ServerStreamHandlers,
  Failure as WireFailure,
} from '@millrace/protocol';
import { checkCluster } from './request-header.ts';
import { wireFailureOf } from './wire-failure.ts';

export interface Pipeline<Request, Response> {
  readonly clusterId: string;
  /** What a request keeps in memory until it is answered. */
  readonly bytesOf: (request: Request) => number;
  /** Takes effect inside the call. Undefined if the caller expects no answer. */
  readonly handle: (request: Request) => Promise<Response | undefined>;
  /** Back-pressure: undefined, or a promise that resolves when more may come. */
  readonly room: () => Promise<void> | undefined;
  readonly refusal: (correlationId: number, failure: WireFailure) => Response;
}

const REQUESTS_IN_FLIGHT_MAX = 1_000;
const BYTES_IN_FLIGHT_MAX = 64 * MiB;

/** What concerns the whole stream: going on makes no sense. */
const FATAL: ReadonlySet<ErrorCode> = new Set(['INCONSISTENT_CLUSTER_ID']);

export class PipelinedStream<Request extends { readonly header: RequestHeader }, Response>
  implements ServerStreamHandlers<Request>
{
  readonly #pipeline: Pipeline<Request, Response>;
  readonly #stream: RpcStream<Response>;
  #requests = 0;
  #bytes = 0;
  /** Waits that keep us from reading: for room, for the caller to read. */
  #holds = 0;
  #waitsForRoom = false;
  #waitsForReader = false;
  #isPaused = false;
  #isEnding = false;

  constructor(pipeline: Pipeline<Request, Response>, stream: RpcStream<Response>) {
    this.#pipeline = pipeline;
    this.#stream = stream;
  }

  onMessage(request: Request): void {
    const { correlationId } = request.header;
    try {
      checkCluster(request.header, this.#pipeline.clusterId);
    } catch (error) {
      this.#refuse(correlationId, toMillraceError(error));
      return;
    }
    const bytes = this.#pipeline.bytesOf(request);
    this.#requests += 1;
    this.#bytes += bytes;
    const answer = this.#pipeline.handle(request);
    this.#waitForRoom();
    this.#adjust();
    answer
      .then(
        (response) => {
          if (response !== undefined) this.#send(response);
        },
        (error: unknown) => this.#refuse(correlationId, toMillraceError(error)),
      )
      .catch((error: unknown) => this.#stream.close(toMillraceError(error)))
      .finally(() => {
        this.#requests -= 1;
        this.#bytes -= bytes;
        this.#adjust();
      });
  }

  /** The caller is done, or the server goes down: what is in hand is answered, then the stream ends. */
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
    this.#send(this.#pipeline.refusal(correlationId, wireFailureOf(error)));
    if (FATAL.has(error.code)) this.#stream.close(error);
  }

  #send(response: Response): void {
    if (this.#stream.send(response) || this.#waitsForReader || this.#stream.closed) return;
    this.#waitsForReader = true;
    this.#hold(this.#stream.drained(), () => {
      this.#waitsForReader = false;
    });
  }

  #waitForRoom(): void {
    const room = this.#waitsForRoom ? undefined : this.#pipeline.room();
    if (room === undefined) return;
    this.#waitsForRoom = true;
    this.#hold(room, () => {
      this.#waitsForRoom = false;
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
