/** What both ends must know of one remote method: its path, its streams, its serialisers. Generated tables are made of these. */
import type { Codec } from './wire/codec.ts';

export type RpcKind = 'unary' | 'serverStream' | 'duplex';

export interface RpcMethod<Request, Response, Kind extends RpcKind = RpcKind> {
  /** "/package.Service/Method" */
  readonly path: string;
  readonly kind: Kind;
  readonly request: Codec<Request>;
  readonly response: Codec<Response>;
}

export type UnaryMethod<Request, Response> = RpcMethod<Request, Response, 'unary'>;
export type ServerStreamMethod<Request, Response> = RpcMethod<Request, Response, 'serverStream'>;
export type DuplexMethod<Request, Response> = RpcMethod<Request, Response, 'duplex'>;

/** A method of any messages, as far as it matters before somebody handles it. */
export type ExpectedMethod = Pick<RpcMethod<unknown, unknown>, 'path' | 'kind'>;
