/**
 * The stream on which this controller speaks to one other: kept open, opened again when it breaks, never waited for.
 * Where several addresses are known for the peer they are tried in turn.
 */
import type { Clock, Logger, MillraceError, NodeId, Timer } from '@millrace/core';
import {
  type RaftFrame,
  type RaftGreeting,
  type RpcChannelOptions,
  type RpcConnection,
  type RpcNetwork,
  type RpcStream,
  raftService,
} from '@millrace/protocol';
import { formatHostPort, type HostPort } from './host-port.ts';

export interface RaftPeerAddress extends HostPort {
  readonly id: NodeId;
}

export interface RaftPeerOptions {
  /** At least one. */
  readonly addresses: readonly HostPort[];
  readonly greeting: RaftGreeting;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly bufferMaxBytes: number;
  readonly channel?: RpcChannelOptions;
  readonly network: RpcNetwork;
  /** The peer answered the greeting; with its own, if it is of a version that has one. */
  readonly onUp: (greeting: RaftGreeting | undefined) => void;
  /** A stream that was up broke. */
  readonly onDown: () => void;
}

const RECONNECT_MIN_MS = 20;
const RECONNECT_MAX_MS = 500;

export class RaftPeer {
  readonly #options: RaftPeerOptions;
  #addresses: readonly HostPort[];
  /** Index of the address in use; the next one is taken after a failure. */
  #turn = 0;
  #channel: RpcConnection | undefined;
  #channelAddress = '';
  #stream: RpcStream<RaftFrame> | undefined;
  #isUp = false;
  #isClosed = false;
  #backoffMs = RECONNECT_MIN_MS;
  #retry: Timer | undefined;
  #lastErrorCode: string | undefined;

  constructor(options: RaftPeerOptions) {
    this.#options = options;
    this.#addresses = options.addresses;
  }

  /** From the next attempt on; a stream that stands is left alone. */
  setAddresses(addresses: readonly HostPort[]): void {
    this.#addresses = addresses;
  }

  connect(): void {
    if (this.#isClosed || this.#stream !== undefined) return;
    this.#retry?.cancel();
    this.#stream = this.#open().duplex(raftService.talk, {
      onMessage: (frame) => this.#onGreeted(frame.greeting),
      onClosed: (error) => this.#onClosed(error),
    });
    this.#stream.send({ greeting: this.#options.greeting });
  }

  /** Sends, or drops while the peer is away or does not keep up. */
  send(frame: RaftFrame): void {
    if (!this.#isUp || this.#stream!.bufferedBytes > this.#options.bufferMaxBytes) return;
    this.#stream!.send(frame);
  }

  close(): void {
    this.#isClosed = true;
    this.#retry?.cancel();
    this.#channel?.close();
  }

  #open(): RpcConnection {
    const address = this.#addresses[this.#turn % this.#addresses.length]!;
    const name = formatHostPort(address);
    if (this.#channel === undefined || name !== this.#channelAddress) {
      this.#channel?.close();
      const { network, channel } = this.#options;
      this.#channel = network.connect(address.host, address.port, channel);
      this.#channelAddress = name;
    }
    return this.#channel;
  }

  #onGreeted(greeting: RaftGreeting | undefined): void {
    if (this.#isUp || this.#isClosed) return;
    this.#isUp = true;
    this.#backoffMs = RECONNECT_MIN_MS;
    this.#lastErrorCode = undefined;
    this.#options.onUp(greeting);
  }

  #onClosed(error: MillraceError | undefined): void {
    this.#stream = undefined;
    if (this.#isClosed) return;
    const { clock, greeting, onDown } = this.#options;
    if (error !== undefined && error.code !== this.#lastErrorCode) this.#report(greeting, error);
    const wasUp = this.#isUp;
    this.#isUp = false;
    if (!wasUp) this.#turn += 1;
    this.#retry = clock.schedule(this.#backoffMs, () => this.connect());
    this.#backoffMs = Math.min(this.#backoffMs * 2, RECONNECT_MAX_MS);
    if (wasUp) onDown();
  }

  #report({ to, toAny }: RaftGreeting, { code, message: reason }: MillraceError): void {
    this.#lastErrorCode = code;
    const peer = toAny ? this.#channelAddress : to;
    const fields = { event: 'raft_peer_unreachable', peer, address: this.#channelAddress, code, reason };
    this.#options.logger.warn(fields, 'cannot reach a controller');
  }
}
