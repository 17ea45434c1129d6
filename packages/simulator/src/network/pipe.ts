/**
 * One direction of a connection: messages in order, none lost, late when the link is bad, standing still while it is
 * blocked. Ends with its connection; what is on the way then is gone, all of it or the tail.
 */
import { below } from '@millrace/core';
import type { SimLife } from '../world/sim-process.ts';
import type { Link } from './link.ts';

interface Segment {
  readonly atMs: number;
  readonly deliver: () => void;
}

/** Segments delivered before the head of the queue is cut off. */
const COMPACT_AT = 64;

export class Pipe {
  readonly link: Link;
  readonly #from: SimLife;
  readonly #to: SimLife;
  #segments: Segment[] = [];
  #head = 0;
  #lastAtMs = 0;
  #isScheduled = false;
  #isClosed = false;

  constructor(link: Link, from: SimLife, to: SimLife) {
    this.link = link;
    this.#from = from;
    this.#to = to;
  }

  /** Runs `deliver` at the far end, after everything sent before. */
  send(sizeBytes: number, deliver: () => void): void {
    if (this.#isClosed || !this.#from.isCurrent) return;
    const { nowMs } = this.#from.process.world;
    const atMs = nowMs + this.link.delayMs(sizeBytes) + this.link.retransmitMs();
    this.#lastAtMs = Math.max(this.#lastAtMs, atMs);
    this.#segments.push({ atMs: this.#lastAtMs, deliver });
    this.#schedule();
  }

  /** The link passes again: what stood still moves on. */
  resume(): void {
    this.#schedule();
  }

  /** The sender is gone: some of what is on the way still arrives, then `last`, the news of the end. */
  breakOff(last: () => void): void {
    if (this.#isClosed) return;
    const onTheWay = this.#segments.length - this.#head;
    const kept = below(this.#from.process.world.streams.network, onTheWay + 1);
    this.#segments.length = this.#head + kept;
    const { world } = this.#to.process;
    this.#lastAtMs = Math.max(this.#lastAtMs, world.nowMs + this.link.delayMs(0));
    this.#segments.push({ atMs: this.#lastAtMs, deliver: last });
    this.#isClosed = true;
    this.#schedule();
  }

  /** Nothing more arrives. */
  close(): void {
    this.#isClosed = true;
    this.#segments = [];
    this.#head = 0;
  }

  #schedule(): void {
    const next = this.#segments[this.#head];
    if (next === undefined || this.#isScheduled || this.link.isBlocked) return;
    this.#isScheduled = true;
    const { world } = this.#to.process;
    world.schedule(Math.max(0, next.atMs - world.nowMs), this.#arrive, this.#to);
  }

  readonly #arrive = (): void => {
    this.#isScheduled = false;
    if (this.link.isBlocked) return;
    const segment = this.#segments[this.#head];
    if (segment === undefined) return;
    this.#head += 1;
    if (this.#head >= COMPACT_AT) {
      this.#segments.splice(0, this.#head);
      this.#head = 0;
    }
    this.#schedule();
    segment.deliver();
  };
}
