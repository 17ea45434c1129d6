/**
 * The controllers of a cluster, a connection to each, and which of them is believed to be active. Begins with those of
 * the configuration and learns who votes; the former stay a last resort, for what was learned may be older than a node's
 * move. Asks nobody itself.
 */
import type { NodeId } from '@millrace/core';
import { grpcNetwork, type RpcChannelOptions, type RpcConnection, type RpcNetwork } from '@millrace/protocol';

export interface ControllerAddress {
  /** Negative for an address where some controller listens, whichever it is. */
  readonly id: NodeId;
  readonly host: string;
  readonly port: number;
}

/** Below the names of configured addresses without a node. */
const LAST_RESORT_ID = -1000;

export class ControllerDirectory {
  readonly #configured: readonly ControllerAddress[];
  readonly #byId = new Map<NodeId, ControllerAddress>();
  /** Voters first. */
  #addresses: readonly ControllerAddress[];
  readonly #channelOptions: RpcChannelOptions | undefined;
  readonly #network: RpcNetwork;
  readonly #channels = new Map<NodeId, RpcConnection>();
  #activeId: NodeId | -1 = -1;
  #lastRefused: NodeId | -1 = -1;

  constructor(
    addresses: readonly ControllerAddress[],
    channelOptions?: RpcChannelOptions,
    network: RpcNetwork = grpcNetwork,
  ) {
    this.#configured = addresses;
    this.#addresses = addresses;
    for (const address of addresses) this.#remember(address);
    this.#channelOptions = channelOptions;
    this.#network = network;
  }

  /** -1 while unknown. */
  get activeId(): NodeId | -1 {
    return this.#activeId;
  }

  /** Who votes, as a controller said; nothing said changes nothing. */
  learn(voters: readonly ControllerAddress[]): void {
    if (voters.length === 0) return;
    const isLearned = ({ host, port }: ControllerAddress): boolean =>
      voters.some((voter) => voter.host === host && voter.port === port);
    const others = this.#configured
      .map((address, i) => ({ ...address, id: LAST_RESORT_ID - i }))
      .filter((address) => !isLearned(address));
    this.#addresses = [...voters, ...others];
    for (const address of this.#addresses) this.#remember(address);
  }

  /** Names stay good for who holds one, also after the set that they came from. */
  #remember(address: ControllerAddress): void {
    const { id, host, port } = address;
    const known = this.#byId.get(id);
    this.#byId.set(id, address);
    if (known === undefined || (known.host === host && known.port === port)) return;
    this.#channels.get(id)?.close();
    this.#channels.delete(id);
  }

  /** What a controller said, or what its answer showed. */
  setActive(id: NodeId | -1): void {
    this.#activeId = id;
  }

  /** It said that it is not the active one, or did not answer. */
  notActive(id: NodeId): void {
    this.#lastRefused = id;
    if (this.#activeId === id) this.#activeId = -1;
  }

  /** In the order in which to ask: the active one first, then the others, `last` at the very end. */
  candidates(last: NodeId | -1 = this.#lastRefused): readonly NodeId[] {
    const ids = this.#addresses.map(({ id }) => id);
    const start = ids.indexOf(last) + 1;
    const rotated = [...ids.slice(start), ...ids.slice(0, start)];
    const active = rotated.filter((id) => id === this.#activeId);
    return [...active, ...rotated.filter((id) => id !== this.#activeId)];
  }

  channel(id: NodeId): RpcConnection {
    const known = this.#channels.get(id);
    if (known !== undefined) return known;
    const { host, port } = this.#byId.get(id)!;
    const channel = this.#network.connect(host, port, this.#channelOptions);
    this.#channels.set(id, channel);
    return channel;
  }

  close(): void {
    for (const channel of this.#channels.values()) channel.close();
    this.#channels.clear();
  }
}
