/**
 * Raft messages between controllers: to each peer one stream out, from each peer one stream in. A broken stream, in
 * whichever direction, is reported at once: that is what makes failover fast. Keeps nothing for a peer that is away.
 */
import { type Clock, type Logger, MiB, MillraceError, type NodeId } from '@millrace/core';
import type { RaftTransport } from '@millrace/metadata-quorum';
import {
  grpcNetwork,
  type RaftFrame,
  type RaftGreeting,
  type RpcChannelOptions,
  type RpcListener,
  type RpcNetwork,
  type RpcStream,
  raftService,
  type ServerStreamHandlers,
} from '@millrace/protocol';
import type { RaftMessage } from '@millrace/raft';
import { EMPTY_FRAME, fromRaftFrame, toRaftFrame } from './raft-frame.ts';
import { RaftPeer, type RaftPeerAddress } from './raft-peer.ts';

export interface GrpcRaftTransportOptions {
  readonly nodeId: NodeId;
  readonly clusterId: string;
  /** The other voters; this node, if listed, is passed over. */
  readonly peers: readonly RaftPeerAddress[];
  readonly clock: Clock;
  readonly logger: Logger;
  /** Bytes that may wait for one peer; messages beyond are dropped. Default 32 MiB. */
  readonly bufferMaxBytes?: number;
  readonly channel?: RpcChannelOptions;
  readonly network?: RpcNetwork;
}

interface Link {
  readonly peer: RaftPeer;
  /** A stream in some direction stood since the last disconnect was reported. */
  isUp: boolean;
  incoming: RpcStream<RaftFrame> | undefined;
}

export class GrpcRaftTransport implements RaftTransport {
  readonly #options: GrpcRaftTransportOptions;
  readonly #links: ReadonlyMap<NodeId, Link>;
  #messageHandler: ((from: NodeId, message: RaftMessage) => void) | undefined;
  #disconnectHandler: ((peer: NodeId) => void) | undefined;
  #isClosed = false;

  constructor(options: GrpcRaftTransportOptions) {
    this.#options = options;
    const others = options.peers.filter(({ id }) => id !== options.nodeId);
    this.#links = new Map(others.map((address) => [address.id, this.#link(address)]));
  }

  /** Begins to speak to every peer. Their messages come through the service that `registerRaftService` registers. */
  start(): void {
    for (const { peer } of this.#links.values()) peer.connect();
  }

  send(to: NodeId, message: RaftMessage): void {
    this.#links.get(to)?.peer.send(toRaftFrame(message));
  }

  onMessage(handler: (from: NodeId, message: RaftMessage) => void): void {
    this.#messageHandler = handler;
  }

  onDisconnect(handler: (peer: NodeId) => void): void {
    this.#disconnectHandler = handler;
  }

  /** Ends every stream; reports nothing more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const { peer, incoming } of this.#links.values()) {
      peer.close();
      incoming?.close();
    }
  }

  /** The far end of a peer's stream. */
  accept(stream: RpcStream<RaftFrame>): ServerStreamHandlers<RaftFrame> {
    let from: NodeId | undefined;
    return {
      onMessage: (frame) => {
        if (from === undefined) from = this.#welcome(stream, frame.greeting);
        else this.#deliver(from, frame);
      },
      onClosed: () => {
        if (from !== undefined) this.#onIncomingClosed(from, stream);
      },
    };
  }

  #link(address: RaftPeerAddress): Link {
    const {
      nodeId,
      clusterId,
      clock,
      logger,
      bufferMaxBytes = 32 * MiB,
      channel,
      network = grpcNetwork,
    } = this.#options;
    const peer = new RaftPeer({
      address,
      greeting: { clusterId, from: nodeId, to: address.id },
      clock,
      logger,
      bufferMaxBytes,
      ...(channel && { channel }),
      network,
      onUp: () => this.#onUp(address.id),
      onDown: () => this.#onDown(address.id),
    });
    return { peer, isUp: false, incoming: undefined };
  }

  /** @throws {MillraceError} INCONSISTENT_CLUSTER_ID or INVALID_REQUEST if the peer is not one of ours. */
  #welcome(stream: RpcStream<RaftFrame>, greeting: RaftGreeting | undefined): NodeId {
    const { clusterId, nodeId } = this.#options;
    if (greeting === undefined)
      throw new MillraceError('INVALID_REQUEST', 'a Raft stream begins with a greeting');
    if (greeting.clusterId !== clusterId) {
      const message = `controller ${greeting.from} belongs to cluster ${greeting.clusterId}, this is ${clusterId}`;
      throw new MillraceError('INCONSISTENT_CLUSTER_ID', message);
    }
    const link = this.#links.get(greeting.from);
    if (greeting.to !== nodeId || link === undefined || this.#isClosed) {
      const message = `controller ${greeting.from} speaks to ${greeting.to}; this is controller ${nodeId} and its peers are ${[...this.#links.keys()].join(', ')}`;
      throw new MillraceError('INVALID_REQUEST', message);
    }
    const former = link.incoming;
    link.incoming = stream;
    former?.close();
    stream.send(EMPTY_FRAME);
    this.#onUp(greeting.from);
    // The peer is back: no reason to sit out a back-off before we answer it.
    link.peer.connect();
    return greeting.from;
  }

  #deliver(from: NodeId, frame: RaftFrame): void {
    const message = fromRaftFrame(frame);
    if (message !== undefined && !this.#isClosed) this.#messageHandler?.(from, message);
  }

  #onIncomingClosed(from: NodeId, stream: RpcStream<RaftFrame>): void {
    const link = this.#links.get(from);
    // A stream that a newer one replaced says nothing about the peer.
    if (link?.incoming !== stream) return;
    link.incoming = undefined;
    this.#onDown(from);
  }

  #onUp(id: NodeId): void {
    const link = this.#links.get(id);
    if (link) link.isUp = true;
  }

  /** Both directions break when a peer dies: reported once. */
  #onDown(id: NodeId): void {
    const link = this.#links.get(id);
    if (!link?.isUp || this.#isClosed) return;
    link.isUp = false;
    this.#disconnectHandler?.(id);
  }
}

export function registerRaftService(server: RpcListener, transport: GrpcRaftTransport): void {
  server.duplex(raftService.talk, (stream) => transport.accept(stream));
}
