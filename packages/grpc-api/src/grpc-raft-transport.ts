/**
 * Raft messages between controllers: to each peer one stream out, from each peer one stream in. A broken stream, in
 * whichever direction, is reported at once: that is what makes failover fast. Keeps nothing for a peer that is away.
 *
 * Peers come from the configuration, from the voter set, from addresses where some controller is said to listen, and
 * from greetings: whoever speaks to this node says where it is spoken to, so a controller that joins is answered.
 */
import { type Clock, type Logger, MiB, MillraceError, type NodeId } from '@millrace/core';
import type { QuorumPeer, RaftTransport } from '@millrace/metadata-quorum';
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
import { formatHostPort, type HostPort, parseHostPort } from './host-port.ts';
import { fromRaftFrame, toRaftFrame } from './raft-frame.ts';
import { RaftPeer, type RaftPeerAddress } from './raft-peer.ts';

export interface GrpcRaftTransportOptions {
  readonly nodeId: NodeId;
  readonly clusterId: string;
  /** The other voters by configuration; this node, if listed, is passed over. */
  readonly peers: readonly RaftPeerAddress[];
  /** Where some controller listens, whichever it is: a node that joins asks there. */
  readonly bootstrap?: readonly HostPort[];
  /** host:port where the others reach this node; without it, only those who know it already do. */
  readonly address?: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Bytes that may wait for one peer; messages beyond are dropped. Default 32 MiB. */
  readonly bufferMaxBytes?: number;
  readonly channel?: RpcChannelOptions;
  readonly network?: RpcNetwork;
}

interface Link {
  readonly peer: RaftPeer;
  /** By this node's configuration, by the voter set, and as the peer itself said; tried in turn. */
  readonly configured: HostPort | undefined;
  named: HostPort | undefined;
  told: HostPort | undefined;
  /** A stream in some direction stood since the last disconnect was reported. */
  isUp: boolean;
  incoming: RpcStream<RaftFrame> | undefined;
}

type Addresses = Pick<Link, 'configured' | 'named' | 'told'>;

/** Controllers that nobody named; further ones are refused. */
const STRANGERS_MAX = 64;

export class GrpcRaftTransport implements RaftTransport {
  readonly #options: GrpcRaftTransportOptions;
  readonly #links = new Map<NodeId, Link>();
  #seekers: readonly RaftPeer[] = [];
  #messageHandler: ((from: NodeId, message: RaftMessage) => void) | undefined;
  #disconnectHandler: ((peer: NodeId) => void) | undefined;
  #peerHandler: ((peer: NodeId) => void) | undefined;
  #isStarted = false;
  #isClosed = false;

  constructor(options: GrpcRaftTransportOptions) {
    this.#options = options;
    for (const { id, host, port } of options.peers) {
      if (id !== options.nodeId) this.#link(id, { configured: { host, port } });
    }
  }

  /** Begins to speak to every peer. Their messages come through the service that `registerRaftService` registers. */
  start(): void {
    this.#isStarted = true;
    for (const { peer } of this.#links.values()) peer.connect();
    this.#seekers = (this.#options.bootstrap ?? []).map((address) => this.#seek(address));
  }

  connect(peers: readonly QuorumPeer[]): void {
    for (const { id, address } of peers) {
      const parsed = parseHostPort(address);
      if (parsed !== undefined) this.#name(id, parsed);
    }
  }

  addressOf(node: NodeId): string | undefined {
    if (node === this.#options.nodeId) return this.#options.address;
    const link = this.#links.get(node);
    const address = link?.told ?? link?.configured ?? link?.named;
    return address && formatHostPort(address);
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

  onPeer(handler: (peer: NodeId) => void): void {
    this.#peerHandler = handler;
    for (const [id, { isUp }] of this.#links) if (isUp) handler(id);
  }

  /** Ends every stream; reports nothing more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const seeker of this.#seekers) seeker.close();
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

  #name(id: NodeId, address: HostPort): void {
    if (id === this.#options.nodeId || this.#isClosed) return;
    const link = this.#links.get(id);
    if (link === undefined) this.#link(id, { named: address });
    else this.#readdress(link, { named: address });
  }

  #readdress(link: Link, change: Partial<Pick<Link, 'named' | 'told'>>): void {
    Object.assign(link, change);
    link.peer.setAddresses(addressesOf(link));
  }

  #link(id: NodeId, known: Partial<Addresses>): Link {
    const addresses = { configured: undefined, named: undefined, told: undefined, ...known };
    const peer = this.#peer(addressesOf(addresses), this.#greeting({ to: id, toAny: false }), {
      onUp: () => this.#onUp(id),
      onDown: () => this.#onDown(id),
    });
    const link = { peer, ...addresses, isUp: false, incoming: undefined };
    this.#links.set(id, link);
    if (this.#isStarted) peer.connect();
    return link;
  }

  /** Asks who listens at an address, until somebody answers. */
  #seek(address: HostPort): RaftPeer {
    const seeker = this.#peer([address], this.#greeting({ to: 0, toAny: true }), {
      onUp: (greeting) => {
        if (greeting !== undefined) this.#name(greeting.from, parseHostPort(greeting.address) ?? address);
        seeker.close();
      },
      onDown: () => {},
    });
    seeker.connect();
    return seeker;
  }

  #greeting(to: Pick<RaftGreeting, 'to' | 'toAny'>): RaftGreeting {
    const { clusterId, nodeId, address = '' } = this.#options;
    return { clusterId, from: nodeId, ...to, address };
  }

  #peer(
    addresses: readonly HostPort[],
    greeting: RaftGreeting,
    events: Pick<ConstructorParameters<typeof RaftPeer>[0], 'onUp' | 'onDown'>,
  ): RaftPeer {
    const { clock, logger, bufferMaxBytes = 32 * MiB, channel, network = grpcNetwork } = this.#options;
    const options = { addresses, greeting, clock, logger, bufferMaxBytes, network, ...events };
    return new RaftPeer({ ...options, ...(channel && { channel }) });
  }

  /** @throws {MillraceError} INCONSISTENT_CLUSTER_ID, INVALID_REQUEST, NODE_OVERLOADED. @returns undefined for who only asks. */
  #welcome(stream: RpcStream<RaftFrame>, greeting: RaftGreeting | undefined): NodeId | undefined {
    const { clusterId, nodeId } = this.#options;
    if (greeting === undefined)
      throw new MillraceError('INVALID_REQUEST', 'a Raft stream begins with a greeting');
    const { from, to, toAny, address } = greeting;
    if (greeting.clusterId !== clusterId) {
      const message = `controller ${from} belongs to cluster ${greeting.clusterId}, this is ${clusterId}`;
      throw new MillraceError('INCONSISTENT_CLUSTER_ID', message);
    }
    if (toAny) {
      stream.send({ greeting: this.#greeting({ to: from, toAny: false }) });
      return undefined;
    }
    if (to !== nodeId || from === nodeId || this.#isClosed) {
      const message = `controller ${from} speaks to ${to}; this is controller ${nodeId}`;
      throw new MillraceError('INVALID_REQUEST', message);
    }
    const link = this.#linkTo(from, parseHostPort(address));
    const former = link.incoming;
    link.incoming = stream;
    former?.close();
    stream.send({ greeting: this.#greeting({ to: from, toAny: false }) });
    this.#onUp(from);
    // The peer is back: no reason to sit out a back-off before we answer it.
    link.peer.connect();
    return from;
  }

  #linkTo(from: NodeId, told: HostPort | undefined): Link {
    const link = this.#links.get(from);
    if (link !== undefined) {
      if (told !== undefined) this.#readdress(link, { told });
      return link;
    }
    if (told === undefined) {
      const message = `controller ${from} is none of ${[...this.#links.keys()].join(', ')} and does not say where it is reached`;
      throw new MillraceError('INVALID_REQUEST', message);
    }
    const strangers = [...this.#links.values()].filter(isStranger);
    if (strangers.length >= STRANGERS_MAX) {
      throw new MillraceError('NODE_OVERLOADED', `${strangers.length} unknown controllers speak to this one`);
    }
    return this.#link(from, { told });
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
    if (!isStranger(link) || this.#isClosed) return;
    // A stranger greets again when it comes back.
    link.peer.close();
    this.#links.delete(from);
  }

  #onUp(id: NodeId): void {
    const link = this.#links.get(id);
    if (!link || link.isUp) return;
    link.isUp = true;
    this.#peerHandler?.(id);
  }

  /** Both directions break when a peer dies: reported once. */
  #onDown(id: NodeId): void {
    const link = this.#links.get(id);
    if (!link?.isUp || this.#isClosed) return;
    link.isUp = false;
    this.#disconnectHandler?.(id);
  }
}

function addressesOf({ configured, named, told }: Addresses): HostPort[] {
  const all = [configured, told, named].filter((address) => address !== undefined);
  const names = all.map(formatHostPort);
  return all.filter((_, i) => names.indexOf(names[i]!) === i);
}

function isStranger({ configured, named }: Addresses): boolean {
  return configured === undefined && named === undefined;
}

export function registerRaftService(server: RpcListener, transport: GrpcRaftTransport): void {
  server.duplex(raftService.talk, (stream) => transport.accept(stream));
}
