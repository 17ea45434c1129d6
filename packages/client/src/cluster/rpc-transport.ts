/** The real network: gRPC through the shared protocol package. Adapts names and nothing else. */
import { grpcNetwork, type RpcNetwork } from '@millrace/protocol';
import type { Transport } from './transport.ts';

/** The SDK's view of a network that nodes use too. */
export function networkTransport(network: RpcNetwork): Transport {
  return {
    connect({ host, port }) {
      const connection = network.connect(host, port);
      return {
        unary: (method, request, { timeoutMs, signal }) =>
          connection.unary(method, request, {
            deadlineMs: timeoutMs,
            ...(signal !== undefined && { signal }),
          }),
        duplex: (method, handlers) => connection.duplex(method, handlers),
        close: () => connection.close(),
      };
    },
  };
}

export const rpcTransport: Transport = networkTransport(grpcNetwork);
