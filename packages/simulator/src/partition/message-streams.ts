/**
 * Streams of whole messages between processes: in order and complete until one end resets, half open while a link is
 * blocked, broken when a keepalive is missed. Lighter than gRPC's: no codec, no windows. Whoever sends a message must not
 * change it afterwards.
 */
import { below, type SeededRandom, unit } from '@millrace/core';
import { Pipe } from '../network/pipe.ts';
import type { SimNetwork } from '../network/sim-network.ts';
import type { SimLife, SimProcess } from '../world/sim-process.ts';

export interface StreamHandlers {
  onMessage(message: unknown): void;
  /** At most once, and not after `close`. */
  onClosed(): void;
}

/** Decides what becomes of a stream that arrives at a process. @param hello what the other end opened it with */
export type Accept = (end: StreamEnd, hello: unknown, from: string) => StreamHandlers;

const KEEPALIVE_LEAST_MS = 1_000;
const KEEPALIVE_MOST_MS = 3_000;

export class StreamEnd {
  readonly life: SimLife;
  handlers: StreamHandlers | undefined;
  isOpen = true;
  readonly #stream: Stream;
  readonly #out: Pipe;

  constructor(stream: Stream, life: SimLife, out: Pipe) {
    this.#stream = stream;
    this.life = life;
    this.#out = out;
  }

  send(message: unknown): void {
    if (!this.isOpen) return;
    const peer = this.#stream.other(this);
    this.#out.send(0, () => {
      if (peer.isOpen) peer.handlers?.onMessage(message);
    });
  }

  /** Tells the other end, when the link lets it through. */
  close(): void {
    if (!this.isOpen) return;
    this.#end();
    const peer = this.#stream.other(this);
    this.#out.breakOff(() => peer.lost());
  }

  /** This end notices that the stream is over. */
  lost(): void {
    if (!this.isOpen) return;
    const { handlers } = this;
    this.close();
    handlers?.onClosed();
  }

  /** The process is gone, or will never know. */
  vanish(isNewsSent: boolean): void {
    if (!this.isOpen) return;
    this.#end();
    const peer = this.#stream.other(this);
    if (isNewsSent) this.#out.breakOff(() => peer.lost());
    else this.#out.close();
  }

  begin(accept: () => void): void {
    this.#out.send(0, accept);
  }

  resume(): void {
    this.#out.resume();
  }

  #end(): void {
    this.isOpen = false;
    this.#stream.ended(this);
  }
}

class Stream {
  readonly client: StreamEnd;
  readonly server: StreamEnd;
  readonly #streams: MessageStreams;
  /** Counts changes of its links: a keepalive that was armed before the last one is void. */
  changes = 0;

  constructor(streams: MessageStreams, from: SimLife, to: SimLife) {
    this.#streams = streams;
    const { network } = streams;
    const [a, b] = [from.process.name, to.process.name];
    this.client = new StreamEnd(this, from, new Pipe(network.link(a, b), from, to));
    this.server = new StreamEnd(this, to, new Pipe(network.link(b, a), to, from));
  }

  other(end: StreamEnd): StreamEnd {
    return end === this.client ? this.server : this.client;
  }

  ended(end: StreamEnd): void {
    if (!this.other(end).isOpen) this.#streams.forget(this);
  }

  get isBlocked(): boolean {
    const { network } = this.#streams;
    const [a, b] = [this.client.life.process.name, this.server.life.process.name];
    return network.link(a, b).isBlocked || network.link(b, a).isBlocked;
  }
}

export class MessageStreams {
  readonly network: SimNetwork;
  readonly #random: SeededRandom;
  readonly #acceptors = new Map<SimLife, Accept>();
  readonly #streams = new Set<Stream>();
  readonly #watched = new Set<SimProcess>();

  constructor(network: SimNetwork) {
    this.network = network;
    this.#random = network.world.streams.network.fork();
    network.watch({ onLinkChange: (from, to) => this.#linkChanged(from, to) });
  }

  /** Until the life ends. */
  listen(life: SimLife, accept: Accept): void {
    this.#watch(life.process);
    this.#acceptors.set(life, accept);
  }

  /** @returns undefined if nobody listens there; the caller then tries again later, as after any other loss. */
  connect(life: SimLife, to: string, hello: unknown, handlers: StreamHandlers): StreamEnd | undefined {
    const target = this.network.world.process(to).life;
    if (target === undefined || !this.#acceptors.has(target)) return undefined;
    this.#watch(life.process);
    const stream = new Stream(this, life, target);
    const { client, server } = stream;
    client.handlers = handlers;
    this.#streams.add(stream);
    client.begin(() => {
      server.handlers = this.#acceptors.get(target)?.(server, hello, life.process.name);
    });
    if (stream.isBlocked) this.#keepAlive(stream);
    return client;
  }

  /** Breaks one stream, as a middlebox would: each end notices by itself. */
  resetOne(random: SeededRandom): void {
    if (this.#streams.size === 0) return;
    const stream = [...this.#streams][below(random, this.#streams.size)]!;
    this.#keepAlive(stream, 0);
  }

  forget(stream: Stream): void {
    this.#streams.delete(stream);
  }

  #watch(process: SimProcess): void {
    if (this.#watched.has(process)) return;
    this.#watched.add(process);
    process.watch({
      onDeath: (life, death) => {
        this.#acceptors.delete(life);
        for (const stream of [...this.#streams]) {
          for (const end of [stream.client, stream.server]) {
            if (end.life !== life) continue;
            end.vanish(death === 'process');
            if (death === 'machine') this.#keepAlive(stream);
          }
        }
      },
    });
  }

  #linkChanged(from: string, to: string): void {
    for (const stream of this.#streams) {
      const [a, b] = [stream.client.life.process.name, stream.server.life.process.name];
      if (!(a === from && b === to) && !(a === to && b === from)) continue;
      stream.changes += 1;
      if (stream.isBlocked) {
        this.#keepAlive(stream);
      } else {
        stream.client.resume();
        stream.server.resume();
      }
    }
  }

  /** Both ends, each at its own time, take the stream for dead unless it moves again before. */
  #keepAlive(stream: Stream, leastMs = KEEPALIVE_LEAST_MS): void {
    const { changes } = stream;
    const isForced = leastMs === 0;
    for (const end of [stream.client, stream.server]) {
      const waitMs = leastMs + unit(this.#random) * (isForced ? 50 : KEEPALIVE_MOST_MS - leastMs);
      const isOver = (): boolean => isForced || stream.changes === changes || !stream.other(end).isOpen;
      this.network.world.schedule(waitMs, () => isOver() && end.lost(), end.life);
    }
  }
}
