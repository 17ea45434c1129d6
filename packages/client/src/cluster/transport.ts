/**
 * The network as the SDK sees it. Production uses gRPC (`rpc-transport.ts`); tests and the simulator bring
 * their own. Nothing else in this package knows how bytes travel.
 */
import type { DuplexMethod, RpcStream, StreamHandlers, UnaryMethod } from '@millrace/protocol';

export interface CallOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** To one address. Connects on first use and again after a failure, by itself. */
export interface Connection {
  /**
   * A server that is not reached within seconds, or says nothing for as long, is given up whatever the limit of the call.
   *
   * @throws {MillraceError} CONNECTION_FAILED (nothing was sent), NETWORK_EXCEPTION, REQUEST_TIMED_OUT, CANCELLED,
   * or the server's answer.
   */
  unary<Request, Response>(
    method: UnaryMethod<Request, Response>,
    request: Request,
    options: CallOptions,
  ): Promise<Response>;
  /** A server gets copies: the bytes of a produce request are used again for other batches once it has answered. */
  duplex<Request, Response>(
    method: DuplexMethod<Request, Response>,
    handlers: StreamHandlers<Response>,
  ): RpcStream<Request>;
  close(): void;
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface Transport {
  /** Never fails: an address where nobody answers fails the calls made to it. */
  connect(address: Address): Connection;
}
