/** For tests: replication streams between brokers of one process, which a test can cut, stall or edit. */
import { MillraceError, type NodeId } from '@millrace/core';
import type {
  ReplicaChannel,
  ReplicaEndpoint,
  ReplicaFetchRequest,
  ReplicaFetchResponse,
  ReplicaFetchSession,
  ReplicaStream,
} from '../replica-channel.ts';

export interface ReplicationServer {
  replicaFetchSession(replicaId: NodeId): ReplicaFetchSession;
}

export class MemoryReplicaNetwork {
  readonly #servers = new Map<NodeId, ReplicationServer>();
  readonly #streams = new Set<MemoryStream>();
  readonly #cut = new Set<string>();
  /** Every request and answer passes here; a test may record or change them. */
  onRequest: (from: NodeId, to: NodeId, request: ReplicaFetchRequest) => ReplicaFetchRequest | undefined = (
    _from,
    _to,
    request,
  ) => request;
  onResponse: (from: NodeId, to: NodeId, response: ReplicaFetchResponse) => ReplicaFetchResponse = (
    _from,
    _to,
    response,
  ) => response;

  listen(nodeId: NodeId, server: ReplicationServer): void {
    this.#servers.set(nodeId, server);
  }

  /** The process is gone: every stream from and to it breaks. */
  crash(nodeId: NodeId): void {
    this.#servers.delete(nodeId);
    for (const stream of [...this.#streams]) {
      if (stream.from === nodeId || stream.to === nodeId) stream.break();
    }
  }

  /** Nothing passes between the two; streams stay half open. */
  cut(a: NodeId, b: NodeId): void {
    this.#cut.add(`${a} ${b}`).add(`${b} ${a}`);
  }

  heal(a: NodeId, b: NodeId): void {
    this.#cut.delete(`${a} ${b}`);
    this.#cut.delete(`${b} ${a}`);
    for (const stream of [...this.#streams]) {
      if ((stream.from === a && stream.to === b) || (stream.from === b && stream.to === a)) stream.break();
    }
  }

  isCut(a: NodeId, b: NodeId): boolean {
    return this.#cut.has(`${a} ${b}`);
  }

  server(nodeId: NodeId): ReplicationServer | undefined {
    return this.#servers.get(nodeId);
  }

  forget(stream: MemoryStream): void {
    this.#streams.delete(stream);
  }

  channelOf(nodeId: NodeId): ReplicaChannel {
    return {
      connect: (endpoint: ReplicaEndpoint): ReplicaStream => {
        const stream = new MemoryStream(this, nodeId, endpoint.id);
        this.#streams.add(stream);
        return stream;
      },
    };
  }
}

class MemoryStream implements ReplicaStream {
  readonly from: NodeId;
  readonly to: NodeId;
  readonly #network: MemoryReplicaNetwork;
  #session: ReplicaFetchSession | undefined;
  #onResponse: (response: ReplicaFetchResponse) => void = () => {};
  #onClosed: (error: MillraceError) => void = () => {};
  #isOpen = true;

  constructor(network: MemoryReplicaNetwork, from: NodeId, to: NodeId) {
    this.#network = network;
    this.from = from;
    this.to = to;
  }

  onResponse(handler: (response: ReplicaFetchResponse) => void): void {
    this.#onResponse = handler;
  }

  onClosed(handler: (error: MillraceError) => void): void {
    this.#onClosed = handler;
  }

  send(request: ReplicaFetchRequest): void {
    void Promise.resolve().then(() => this.#pass(request));
  }

  close(): void {
    this.#end();
  }

  break(): void {
    if (!this.#isOpen) return;
    this.#end();
    void Promise.resolve().then(() => this.#onClosed(new MillraceError('NETWORK_EXCEPTION')));
  }

  #end(): void {
    this.#isOpen = false;
    this.#session?.close();
    this.#network.forget(this);
  }

  #pass(sent: ReplicaFetchRequest): void {
    const { from, to } = this;
    if (!this.#isOpen || this.#network.isCut(from, to)) return;
    const server = this.#network.server(to);
    if (server === undefined) {
      this.break();
      return;
    }
    const request = this.#network.onRequest(from, to, sent);
    if (request === undefined) return;
    this.#session ??= server.replicaFetchSession(from);
    void this.#session.handle(request)?.then((response) => {
      if (!this.#isOpen || this.#network.isCut(from, to)) return;
      this.#onResponse(this.#network.onResponse(from, to, copyOf(response)));
    });
  }
}

/** As a wire would: the follower's bytes are its own. */
function copyOf(response: ReplicaFetchResponse): ReplicaFetchResponse {
  const partitions = response.partitions.map((fetched) => ({
    ...fetched,
    records: Buffer.from(fetched.records),
  }));
  return { ...response, partitions };
}
