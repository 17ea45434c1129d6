/** How a follower reaches a leader: a connection of its own for each stream, so that replication never waits for clients. */
import type {
  ReplicaChannel,
  ReplicaEndpoint,
  ReplicaFetchRequest,
  ReplicaFetchResponse,
  ReplicaStream,
} from '@millrace/broker';
import { MillraceError } from '@millrace/core';
import {
  grpcNetwork,
  type RpcChannelOptions,
  type RpcConnection,
  type RpcNetwork,
  type RpcStream,
  replicationService,
  type ReplicaFetchRequest as WireRequest,
  type ReplicaFetchResponse as WireResponse,
} from '@millrace/protocol';
import { nodeHeader } from './request-header.ts';
import { fromWireFailure, fromWireFailures } from './wire-failure.ts';

export interface GrpcReplicaChannelOptions {
  readonly clusterId: string;
  /** Names this node in the logs of others. */
  readonly clientId: string;
  readonly channel?: RpcChannelOptions;
  readonly network?: RpcNetwork;
}

export class GrpcReplicaChannel implements ReplicaChannel {
  readonly #options: GrpcReplicaChannelOptions;

  constructor(options: GrpcReplicaChannelOptions) {
    this.#options = options;
  }

  connect(endpoint: ReplicaEndpoint): ReplicaStream {
    return new GrpcReplicaStream(endpoint, this.#options);
  }
}

class GrpcReplicaStream implements ReplicaStream {
  readonly #options: GrpcReplicaChannelOptions;
  readonly #channel: RpcConnection;
  readonly #stream: RpcStream<WireRequest>;
  #responseHandler: ((response: ReplicaFetchResponse) => void) | undefined;
  #closedHandler: ((error: MillraceError) => void) | undefined;
  #isClosed = false;

  constructor({ host, port }: ReplicaEndpoint, options: GrpcReplicaChannelOptions) {
    this.#options = options;
    const { network = grpcNetwork, channel } = options;
    this.#channel = network.connect(host, port, channel);
    this.#stream = this.#channel.duplex(replicationService.fetch, {
      onMessage: (response) => this.#onResponse(response),
      onClosed: (error) => this.#onClosed(error),
    });
  }

  send(request: ReplicaFetchRequest): void {
    const { clusterId, clientId } = this.#options;
    this.#stream.send({ header: nodeHeader(clusterId, clientId, 0, request.correlationId), ...request });
  }

  onResponse(handler: (response: ReplicaFetchResponse) => void): void {
    this.#responseHandler = handler;
  }

  onClosed(handler: (error: MillraceError) => void): void {
    this.#closedHandler = handler;
  }

  close(): void {
    this.#isClosed = true;
    this.#channel.close();
  }

  #onResponse({ correlationId, failure, partitions }: WireResponse): void {
    if (this.#isClosed) return;
    this.#responseHandler?.({
      correlationId,
      partitions: fromWireFailures(partitions),
      failure: fromWireFailure(failure),
    });
  }

  #onClosed(error: MillraceError | undefined): void {
    if (this.#isClosed) return;
    this.close();
    this.#closedHandler?.(error ?? new MillraceError('NETWORK_EXCEPTION', 'the leader ended the stream'));
  }
}
