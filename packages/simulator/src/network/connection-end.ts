/**
 * A connection between two lives, seen from either end. Each end learns on its own that the other is gone: by a reset
 * that still comes through, or by the silence that keepalive notices. Until then it is half open.
 */
import { MillraceError, type Timer, unit } from '@millrace/core';
import type { SimLife } from '../world/sim-process.ts';
import { Pipe } from './pipe.ts';
import type { SimNetwork } from './sim-network.ts';

/** A call or stream on a connection, at one end. */
export interface ConnectionUser {
  onReset(error: MillraceError): void;
}

export interface Keepalive {
  /** Silence after which an end asks, and how long the other has to answer. */
  readonly timeMs: number;
  readonly timeoutMs: number;
}

export class ConnectionEnd {
  readonly life: SimLife;
  readonly out: Pipe;
  readonly users = new Set<ConnectionUser>();
  readonly #keepalive: Keepalive;
  readonly #onGone: () => void;
  #peer: ConnectionEnd | undefined;
  #isOpen = true;
  #expiry: Timer | undefined;

  constructor(life: SimLife, out: Pipe, keepalive: Keepalive, onGone: () => void) {
    this.life = life;
    this.out = out;
    this.#keepalive = keepalive;
    this.#onGone = onGone;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  get peer(): ConnectionEnd {
    return this.#peer!;
  }

  /** Called once for each end when the connection is made. */
  joined(peer: ConnectionEnd): void {
    this.#peer = peer;
  }

  /** This end gives up; the other hears of it if and when the link lets it. */
  reset(error: MillraceError): void {
    if (!this.#isOpen) return;
    this.#leave();
    const { peer } = this;
    peer.out.close();
    this.out.breakOff(() => peer.onPeerReset());
    this.#endUsers(error);
  }

  onPeerReset(): void {
    if (!this.#isOpen) return;
    this.#leave();
    this.out.close();
    this.#endUsers(new MillraceError('NETWORK_EXCEPTION', 'the connection was reset by the peer'));
  }

  /** The process of this end died; its system says goodbye, or nobody does. */
  died(saysGoodbye: boolean): void {
    if (!this.#isOpen) return;
    this.#leave();
    this.users.clear();
    this.peer.out.close();
    const { peer } = this;
    if (saysGoodbye) this.out.breakOff(() => peer.onPeerReset());
  }

  /** Whether pings are answered now. Starts or stops the wait for the end. */
  setReachable(isReachable: boolean): void {
    if (isReachable || !this.#isOpen) {
      this.#expiry?.cancel();
      this.#expiry = undefined;
      return;
    }
    if (this.#expiry !== undefined || this.life.process.isPaused) return;
    const { world } = this.life.process;
    const waitMs = unit(world.streams.network) * this.#keepalive.timeMs + this.#keepalive.timeoutMs;
    this.#expiry = world.schedule(
      waitMs,
      () => this.reset(new MillraceError('NETWORK_EXCEPTION', 'the peer does not answer')),
      this.life,
    );
  }

  #leave(): void {
    this.#isOpen = false;
    this.#expiry?.cancel();
    this.life.note('connection over', this.peer.life.process.name);
    this.#onGone();
  }

  #endUsers(error: MillraceError): void {
    const users = [...this.users];
    this.users.clear();
    for (const user of users) user.onReset(error);
  }
}

/** Both ends of a new connection, in two lives. `onGone` hears of each end once, when it is over. */
export function joinEnds(
  network: SimNetwork,
  client: { readonly life: SimLife; readonly keepalive: Keepalive; readonly onGone: () => void },
  server: { readonly life: SimLife; readonly keepalive: Keepalive; readonly onGone: () => void },
): readonly [client: ConnectionEnd, server: ConnectionEnd] {
  const [near, far] = [client.life.process.name, server.life.process.name];
  const there = new Pipe(network.link(near, far), client.life, server.life);
  const back = new Pipe(network.link(far, near), server.life, client.life);
  const clientEnd = new ConnectionEnd(client.life, there, client.keepalive, client.onGone);
  const serverEnd = new ConnectionEnd(server.life, back, server.keepalive, server.onGone);
  clientEnd.joined(serverEnd);
  serverEnd.joined(clientEnd);
  return [clientEnd, serverEnd];
}
