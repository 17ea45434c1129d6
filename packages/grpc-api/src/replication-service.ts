/** The leader's end of replication: one fetch session for each stream that a follower opens. */
import type { BrokerApi, ReplicaFetchSession } from '@millrace/broker';
import { toMillraceError } from '@millrace/core';
import {
  type ReplicaFetchRequest,
  type ReplicaFetchResponse,
  type RpcListener,
  type RpcStream,
  replicationService,
  type ServerStreamHandlers,
} from '@millrace/protocol';
import { checkCluster } from './request-header.ts';
import { toWireFailure, toWireFailures } from './wire-failure.ts';

type ReplicationBroker = Pick<BrokerApi, 'replicaFetchSession' | 'clusterId'>;

export function registerReplicationService(server: RpcListener, broker: ReplicationBroker): void {
  server.duplex(replicationService.fetch, (stream) => new ReplicationStream(broker, stream));
}

/** The follower asks for the next answer only after the last one came, so what waits for the network is bounded. */
class ReplicationStream implements ServerStreamHandlers<ReplicaFetchRequest> {
  readonly #broker: ReplicationBroker;
  readonly #stream: RpcStream<ReplicaFetchResponse>;
  #session: ReplicaFetchSession | undefined;

  constructor(broker: ReplicationBroker, stream: RpcStream<ReplicaFetchResponse>) {
    this.#broker = broker;
    this.#stream = stream;
  }

  onMessage(request: ReplicaFetchRequest): void {
    const { header, replicaId, brokerEpoch, maxWaitMs, maxBytes, positions, removed } = request;
    if (this.#session === undefined) {
      checkCluster(header, this.#broker.clusterId);
      this.#session = this.#broker.replicaFetchSession(replicaId);
    }
    const { correlationId } = header;
    const answer = this.#session.handle({
      correlationId,
      replicaId,
      brokerEpoch,
      maxWaitMs,
      maxBytes,
      positions,
      removed,
    });
    answer
      ?.then((response) => {
        this.#stream.send({
          correlationId: response.correlationId,
          partitions: toWireFailures(response.partitions),
          failure: toWireFailure(response.failure),
        });
      })
      .catch((error: unknown) => this.#stream.close(toMillraceError(error)));
  }

  onClosed(): void {
    this.#session?.close();
  }
}
