/** grpc.health.v1: what load balancers and orchestrators ask. Says what it is told; judges nothing. */
import { status } from '@grpc/grpc-js';
import { type HealthCheckRequest, type HealthCheckResponse, ServingStatus } from './generated/messages.ts';
import { RpcStatusError } from './rpc-status.ts';
import type { RpcStream, ServerStreamHandlers } from './rpc-stream.ts';

interface Watcher {
  readonly service: string;
  readonly stream: RpcStream<HealthCheckResponse>;
}

export class HealthService {
  readonly #serving = new Map<string, boolean>([['', false]]);
  readonly #watchers = new Set<Watcher>();

  /** The empty name stands for the whole server. */
  setServing(service: string, serving: boolean): void {
    if (this.#serving.get(service) === serving) return;
    this.#serving.set(service, serving);
    for (const watcher of this.#watchers) {
      if (watcher.service === service) watcher.stream.send({ status: this.#statusOf(service) });
    }
  }

  /** Nothing serves any more. */
  shutDown(): void {
    for (const service of this.#serving.keys()) this.setServing(service, false);
  }

  check({ service }: HealthCheckRequest): HealthCheckResponse {
    if (!this.#serving.has(service)) {
      throw new RpcStatusError(status.NOT_FOUND, 'INVALID_REQUEST', `unknown service "${service}"`);
    }
    return { status: this.#statusOf(service) };
  }

  watch(
    { service }: HealthCheckRequest,
    stream: RpcStream<HealthCheckResponse>,
  ): ServerStreamHandlers<never> {
    const watcher = { service, stream };
    this.#watchers.add(watcher);
    stream.send({ status: this.#statusOf(service) });
    return { onMessage: () => undefined, onClosed: () => this.#watchers.delete(watcher) };
  }

  #statusOf(service: string): ServingStatus {
    const serving = this.#serving.get(service);
    if (serving === undefined) return ServingStatus.SERVICE_UNKNOWN;
    return serving ? ServingStatus.SERVING : ServingStatus.NOT_SERVING;
  }
}
