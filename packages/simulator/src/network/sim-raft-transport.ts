/**
 * Raft messages between controllers as bare datagrams: lost, repeated, late and out of order as the links say. For worlds
 * of controllers alone, where gRPC's ordered streams would hide what Raft itself must bear.
 */
import type { NodeId } from '@millrace/core';
import type { RaftTransport } from '@millrace/metadata-quorum';
import type { RaftMessage } from '@millrace/raft';
import type { SimLife } from '../world/sim-process.ts';
import type { SimNetwork } from './sim-network.ts';

/** One for each life of a controller. */
export class SimRaftTransport implements RaftTransport {
  readonly #directory: SimRaftDirectory;
  readonly #life: SimLife;
  readonly #id: NodeId;
  #messageHandler: ((from: NodeId, message: RaftMessage) => void) | undefined;
  #disconnectHandler: ((peer: NodeId) => void) | undefined;

  constructor(directory: SimRaftDirectory, life: SimLife, id: NodeId) {
    this.#directory = directory;
    this.#life = life;
    this.#id = id;
    directory.enter(life, this);
  }

  send(to: NodeId, message: RaftMessage): void {
    const { network, nameOf, sizeOf } = this.#directory;
    network.datagram(this.#life, nameOf(to), sizeOf(message), (life) => {
      this.#directory.of(life)?.receive(this.#id, message);
    });
  }

  onMessage(handler: (from: NodeId, message: RaftMessage) => void): void {
    this.#messageHandler = handler;
  }

  onDisconnect(handler: (peer: NodeId) => void): void {
    this.#disconnectHandler = handler;
  }

  receive(from: NodeId, message: RaftMessage): void {
    this.#life.note(message.kind, from, message.term);
    this.#messageHandler?.(from, message);
  }

  /** A hint, true or not. */
  disconnect(peer: NodeId): void {
    this.#disconnectHandler?.(peer);
  }
}

export interface SimRaftDirectoryOptions {
  /** The process of a controller. */
  readonly nameOf: (id: NodeId) => string;
  /** For links with a bandwidth. Default: all messages are small. */
  readonly sizeOf?: (message: RaftMessage) => number;
}

/** Finds the transport of the life that stands at a name. */
export class SimRaftDirectory {
  readonly network: SimNetwork;
  readonly nameOf: (id: NodeId) => string;
  readonly sizeOf: (message: RaftMessage) => number;
  readonly #transports = new WeakMap<SimLife, SimRaftTransport>();

  constructor(network: SimNetwork, { nameOf, sizeOf = () => 0 }: SimRaftDirectoryOptions) {
    this.network = network;
    this.nameOf = nameOf;
    this.sizeOf = sizeOf;
  }

  enter(life: SimLife, transport: SimRaftTransport): void {
    this.#transports.set(life, transport);
  }

  of(life: SimLife): SimRaftTransport | undefined {
    return this.#transports.get(life);
  }

  /** Tells `at` that its connection to `peer` broke. */
  disconnect(at: NodeId, peer: NodeId): void {
    const { life } = this.network.world.process(this.nameOf(at));
    if (life !== undefined) this.network.world.schedule(0, () => this.of(life)?.disconnect(peer), life);
  }
}
