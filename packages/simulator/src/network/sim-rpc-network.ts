/**
 * Production's RpcNetwork on a simulated network: names are hosts, connections are ordered and reliable until one end
 * gives up. Watches links and processes, and tells connections what an operating system would tell them.
 */
import { below, invariant, MiB, MillraceError, type SeededRandom } from '@millrace/core';
import type { RpcNetwork } from '@millrace/protocol';
import type { OpenCall } from '../invariants/53-every-call-ends.ts';
import type { Death, SimLife } from '../world/sim-process.ts';
import { type ConnectionEnd, joinEnds } from './connection-end.ts';
import type { SimNetwork } from './sim-network.ts';
import { type Dial, SimRpcConnection } from './sim-rpc-connection.ts';
import { type ListenerRegistry, SimRpcListener } from './sim-rpc-listener.ts';

export interface SimRpcOptions {
  /** How far a sender may run ahead of its reader. Default 8 MiB, as production has it. */
  readonly windowBytes?: number;
  /** In place of what production asks for: small ones make back-pressure common. */
  readonly sendBufferBytes?: number;
}

const FIRST_PORT = 30_000;
const REDIAL_MS = 1_000;

export class SimRpcNetwork {
  readonly network: SimNetwork;
  readonly #options: SimRpcOptions;
  readonly #listeners = new Map<string, SimRpcListener>();
  readonly #ports = new Map<SimRpcListener, string>();
  /** Open ones, and closed ones whose process goes on. */
  readonly #served = new Set<SimRpcListener>();
  /** By process. */
  readonly #ends = new Map<string, Set<ConnectionEnd>>();
  readonly #lastDeath = new Map<string, Death>();
  #nextPort = FIRST_PORT;

  constructor(network: SimNetwork, options: SimRpcOptions = {}) {
    this.network = network;
    this.#options = options;
    network.watch({ onLinkChange: (from, to) => this.#onLinkChange(from, to) });
  }

  /** The network as one life has it. Its host name is the name of its process. */
  of(life: SimLife): RpcNetwork {
    this.#endsOf(life.process.name);
    const limits = {
      windowBytes: this.#options.windowBytes ?? 8 * MiB,
      sendBufferBytes: this.#options.sendBufferBytes,
    };
    return {
      connect: (host, port, options = {}) =>
        new SimRpcConnection(life, { host, port }, options, limits, (dial) => this.#dial(dial)),
      serve: (options = {}) => new SimRpcListener(life, this.#registry, options),
    };
  }

  /** The peers that a process has connections with. */
  peersOf(name: string): string[] {
    return Array.from(this.#endsOf(name), ({ peer }) => peer.life.process.name);
  }

  /** At whoever lives and is awake: the calls that it has not answered. */
  openCalls(): OpenCall[] {
    const calls: OpenCall[] = [];
    for (const listener of this.#served) {
      const { life } = listener;
      if (!life.isCurrent) this.#served.delete(listener);
      else if (!life.process.isPaused) calls.push(...listener.openCalls());
    }
    return calls;
  }

  /** Breaks one connection that stands, if there is any: the fault 'stream-reset'. */
  resetOne(random: SeededRandom): void {
    const ends = [...this.#ends.values()].flatMap((set) => [...set]);
    const end = ends[below(random, Math.max(1, ends.length))];
    if (end?.life.isCurrent && !end.life.process.isPaused) {
      end.life.process.world.schedule(
        0,
        () => end.reset(new MillraceError('NETWORK_EXCEPTION', 'the connection was reset')),
        end.life,
      );
    }
  }

  readonly #registry: ListenerRegistry = {
    open: (listener, port) => {
      const { name } = listener.life.process;
      const bound = port === 0 ? this.#nextPort++ : port;
      const key = `${name}:${bound}`;
      const holder = this.#listeners.get(key);
      if (holder?.life.isCurrent) {
        throw new MillraceError('CONNECTION_FAILED', `cannot listen on ${key}: EADDRINUSE`);
      }
      this.#listeners.set(key, listener);
      this.#served.add(listener);
      this.#ports.set(listener, key);
      return bound;
    },
    close: (listener) => {
      const key = this.#ports.get(listener);
      if (key !== undefined && this.#listeners.get(key) === listener) this.#listeners.delete(key);
      this.#ports.delete(listener);
    },
  };

  /** What the first packet meets, and again every second while it meets nothing. */
  #dial(dial: Dial): void {
    const { life, host } = dial;
    const { world } = life.process;
    if (!life.isCurrent || !dial.isWanted()) return;
    const link = this.network.link(life.process.name, host);
    const redial = (): void => void world.schedule(REDIAL_MS, () => this.#dial(dial), life);
    if (link.isBlocked) {
      redial();
      return;
    }
    world.schedule(link.delayMs(0) + link.retransmitMs(), () => {
      const listener = this.#listeners.get(`${host}:${dial.port}`);
      if (listener?.life.isCurrent) {
        this.#knock(dial, listener);
        return;
      }
      const target = world.process(host);
      const isSilent = !target.isAlive && this.#lastDeath.get(host) === 'machine';
      const back = this.network.link(host, life.process.name);
      if (isSilent || back.isBlocked) redial();
      else world.schedule(back.delayMs(0), dial.onRefused, life);
    });
  }

  /** Should it die before it accepts, at once or after a pause, the next packet meets its successor. */
  #knock(dial: Dial, listener: SimRpcListener): void {
    const { world } = dial.life.process;
    let isAccepted = false;
    const accept = (): void => {
      isAccepted = true;
      this.#accept(dial, listener);
    };
    world.schedule(0, accept, listener.life);
    const look = (): void => {
      if (isAccepted) return;
      if (listener.life.isCurrent) world.schedule(REDIAL_MS, look, dial.life);
      else this.#dial(dial);
    };
    world.schedule(REDIAL_MS, look, dial.life);
  }

  #accept(dial: Dial, listener: SimRpcListener): void {
    if (!dial.life.isCurrent || !dial.isWanted()) return;
    const { config, life } = listener;
    const client = {
      life: dial.life,
      keepalive: dial.keepalive,
      onGone: () => {
        this.#endsOf(dial.life.process.name).delete(near);
        dial.onGone();
      },
    };
    const server = {
      life,
      keepalive: { timeMs: config['keepalive.time.ms'], timeoutMs: config['keepalive.timeout.ms'] },
      onGone: () => {
        this.#endsOf(life.process.name).delete(far);
        listener.ends.delete(far);
      },
    };
    const [near, far] = joinEnds(this.network, client, server);
    invariant(near.peer === far, 'two ends of one connection');
    this.#endsOf(dial.life.process.name).add(near);
    this.#endsOf(life.process.name).add(far);
    listener.ends.add(far);
    life.note('accepted', dial.life.process.name);
    far.out.send(0, () => dial.onOpen(near, listener));
    this.#judge(near);
  }

  #endsOf(name: string): Set<ConnectionEnd> {
    let ends = this.#ends.get(name);
    if (ends === undefined) {
      ends = new Set();
      this.#ends.set(name, ends);
      this.network.world.process(name).watch({
        onDeath: (_life, death) => this.#onDeath(name, death),
        onPause: () => this.#judgeAll(name),
        onResume: () => this.#judgeAll(name),
      });
    }
    return ends;
  }

  #onDeath(name: string, death: Death): void {
    this.#lastDeath.set(name, death);
    for (const end of [...this.#endsOf(name)]) {
      end.died(death === 'process');
      if (end.peer.isOpen) this.#judge(end.peer);
    }
  }

  #onLinkChange(from: string, to: string): void {
    for (const end of this.#endsOf(from)) {
      if (end.peer.life.process.name !== to) continue;
      end.out.resume();
      this.#judge(end);
    }
    // A connection whose sender is gone may still have news on the way.
    for (const end of this.#endsOf(to)) {
      if (end.peer.life.process.name === from && !end.peer.isOpen) end.peer.out.resume();
    }
  }

  #judgeAll(name: string): void {
    for (const end of this.#endsOf(name)) this.#judge(end);
  }

  /** Whether the two ends hear each other: pings need both directions, and both processes awake. */
  #judge(end: ConnectionEnd): void {
    const { peer } = end;
    const [near, far] = [end.life.process, peer.life.process];
    const isThrough =
      end.isOpen &&
      peer.isOpen &&
      !near.isPaused &&
      !far.isPaused &&
      !end.out.link.isBlocked &&
      !peer.out.link.isBlocked;
    end.setReachable(isThrough);
    peer.setReachable(isThrough);
  }
}
