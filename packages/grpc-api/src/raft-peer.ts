/** The stream on which this controller speaks to one other: kept open, opened again when it breaks, never waited for. */
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

export interface RaftPeerAddress {
  readonly id: NodeId;
  readonly host: string;
  readonly port: number;
}

export interface RaftPeerOptions {
  readonly address: RaftPeerAddress;
  readonly greeting: RaftGreeting;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly bufferMaxBytes: number;
  readonly channel?: RpcChannelOptions;
  readonly network: RpcNetwork;
  /** The peer answered the greeting. */
  readonly onUp: () => void;
  /** A stream that was up broke. */
  readonly onDown: () => void;
}

const RECONNECT_MIN_MS = 20;
const RECONNECT_MAX_MS = 500;

export class RaftPeer {
  readonly #options: RaftPeerOptions;
  readonly #channel: RpcConnection;
  #stream: RpcStream<RaftFrame> | undefined;
  #isUp = false;
  #isClosed = false;
  #backoffMs = RECONNECT_MIN_MS;
  #retry: Timer | undefined;
  #lastErrorCode: string | undefined;

  constructor(options: RaftPeerOptions) {
    this.#options = options;
    const { network, address, channel } = options;
    this.#channel = network.connect(address.host, address.port, channel);
  }

  connect(): void {
    if (this.#isClosed || this.#stream !== undefined) return;
    this.#retry?.cancel();
    this.#stream = this.#channel.duplex(raftService.talk, {
      onMessage: () => this.#onGreeted(),
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
    this.#channel.close();
  }

  #onGreeted(): void {
    if (this.#isUp || this.#isClosed) return;
    this.#isUp = true;
    this.#backoffMs = RECONNECT_MIN_MS;
    this.#lastErrorCode = undefined;
    this.#options.onUp();
  }

  #onClosed(error: MillraceError | undefined): void {
    this.#stream = undefined;
    if (this.#isClosed) return;
    const { clock, logger, address, onDown } = this.#options;
    if (error !== undefined && error.code !== this.#lastErrorCode) {
      this.#lastErrorCode = error.code;
      logger.warn(
        { event: 'raft_peer_unreachable', peer: address.id, code: error.code, reason: error.message },
        'cannot reach a controller',
      );
    }
    const wasUp = this.#isUp;
    this.#isUp = false;
    this.#retry = clock.schedule(this.#backoffMs, () => this.connect());
    this.#backoffMs = Math.min(this.#backoffMs * 2, RECONNECT_MAX_MS);
    if (wasUp) onDown();
  }
}
