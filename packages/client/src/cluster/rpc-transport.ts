/** The real network: gRPC through the shared protocol package. Adapts names and nothing else. */
import { RpcChannel } from '@millrace/protocol';
import type { Transport } from './transport.ts';

export const rpcTransport: Transport = {
  connect({ host, port }) {
    const channel = RpcChannel.connect(host, port);
    return {
      unary: (method, request, { timeoutMs, signal }) =>
        channel.unary(method, request, { deadlineMs: timeoutMs, ...(signal !== undefined && { signal }) }),
      duplex: (method, handlers) => channel.duplex(method, handlers),
      close: () => channel.close(),
    };
  },
};
