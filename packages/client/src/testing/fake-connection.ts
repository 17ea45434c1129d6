/** A client's connection to one fake broker. Everything arrives after the cluster's latency, in order. */
import { MillraceError } from '@millrace/core';
import type {
  CommitOffsetsRequest,
  DuplexMethod,
  FetchRequest,
  FetchResponse,
  ProduceRequest,
  RpcMethod,
  RpcStream,
  StreamHandlers,
  UnaryMethod,
} from '@millrace/protocol';
import type { CallOptions, Connection } from '../cluster/transport.ts';
import type { FakeCluster } from './fake-cluster.ts';

/** A server that is not there at all is given up after this, whatever the limit of the call. */
const SILENCE_MAX_MS = 3_000;

export class FakeConnection implements Connection {
  readonly brokerId: number;
  readonly #cluster: FakeCluster;
  readonly #streams = new Set<(error: MillraceError) => void>();

  constructor(cluster: FakeCluster, brokerId: number) {
    this.#cluster = cluster;
    this.brokerId = brokerId;
  }

  breakStreams(error: MillraceError): void {
    for (const breakStream of [...this.#streams]) breakStream(error);
  }

  unary<Request, Response>(
    method: UnaryMethod<Request, Response>,
    request: Request,
    { timeoutMs, signal }: CallOptions,
  ): Promise<Response> {
    const { clock, latencyMs, down, silent } = this.#cluster;
    return new Promise((resolve, reject) => {
      const timer = clock.schedule(timeoutMs, () => reject(new MillraceError('REQUEST_TIMED_OUT')));
      const cancel = (): void => {
        timer.cancel();
        reject(new MillraceError('CANCELLED'));
      };
      signal?.addEventListener('abort', cancel);
      clock.schedule(latencyMs, () => {
        signal?.removeEventListener('abort', cancel);
        if (down.has(this.brokerId)) {
          timer.cancel();
          reject(new MillraceError('CONNECTION_FAILED'));
        }
        if (silent.has(this.brokerId)) {
          clock.schedule(SILENCE_MAX_MS, () => reject(new MillraceError('CONNECTION_FAILED')));
        }
        if (down.has(this.brokerId) || silent.has(this.brokerId)) return;
        timer.cancel();
        try {
          const heard = method.request.decode(method.request.encode(request));
          const answer = this.#cluster.unary(this.brokerId, method as RpcMethod<unknown, unknown>, heard);
          resolve(method.response.decode(method.response.encode(answer as Response)));
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  duplex<Request, Response>(
    method: DuplexMethod<Request, Response>,
    handlers: StreamHandlers<Response>,
  ): RpcStream<Request> {
    const { clock, latencyMs } = this.#cluster;
    let isClosed = false;
    const breakStream = (error: MillraceError | undefined): void => {
      if (isClosed) return;
      isClosed = true;
      this.#streams.delete(breakStream);
      clock.schedule(0, () => handlers.onClosed(error));
    };
    this.#streams.add(breakStream);
    const answer = (response: Response): void => {
      const heard = method.response.decode(method.response.encode(response));
      clock.schedule(latencyMs, () => {
        if (!isClosed && !this.#cluster.silent.has(this.brokerId)) handlers.onMessage(heard);
      });
    };
    const arrive = (message: Request, sizeBytes: number): void => {
      if (isClosed || this.#cluster.silent.has(this.brokerId)) return;
      try {
        if (this.#cluster.down.has(this.brokerId)) throw new MillraceError('CONNECTION_FAILED');
        if (sizeBytes > this.#cluster.requestBytesMax) throw new MillraceError('MESSAGE_TOO_LARGE');
        this.#dispatch(method.path, message, answer as (response: unknown) => void);
      } catch (error) {
        breakStream(error as MillraceError);
      }
    };
    const end = (): void => {
      if (!this.#cluster.silent.has(this.brokerId)) breakStream(undefined);
    };
    return {
      send(message) {
        const bytes = method.request.encode(message);
        const heard = method.request.decode(bytes);
        clock.schedule(latencyMs, () => arrive(heard, bytes.length));
        return true;
      },
      drained: () => Promise.resolve(),
      bufferedBytes: 0,
      pause() {},
      resume() {},
      get closed() {
        return isClosed;
      },
      close(error) {
        if (error !== undefined) breakStream(error);
        else clock.schedule(latencyMs, end);
      },
    };
  }

  close(): void {
    this.#cluster.connections.delete(this);
    this.breakStreams(new MillraceError('CLOSED'));
  }

  #dispatch(path: string, message: unknown, answer: (response: unknown) => void): void {
    if (path.endsWith('/Produce')) {
      const response = this.#cluster.produce(this.brokerId, message as ProduceRequest);
      if (response !== undefined) answer(response);
    } else if (path.endsWith('/CommitOffsets')) {
      const request = message as CommitOffsetsRequest;
      const response = this.#cluster.group(request.groupId).commit(this.brokerId, request);
      if (response !== undefined) answer(response);
    } else {
      this.#cluster.fetch(this.brokerId, message as FetchRequest, (response: FetchResponse) =>
        answer(response),
      );
    }
  }
}
