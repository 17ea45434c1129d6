/** Writes of one partition that wait for the high watermark, in order of offset. Never reads a log or a clock. */
import type { Failure } from './failure.ts';

/** Who waits: one produce request, for its entry `index`. */
export interface AckListener {
  /** Answered already, for instance by its deadline: what still waits for it is forgotten. */
  readonly isSettled: boolean;
  acknowledged(index: number, failure: Failure | undefined): void;
}

interface Waiter {
  /** The watermark that makes the write committed: its last offset plus one. */
  readonly offset: number;
  readonly listener: AckListener;
  readonly index: number;
}

/** A queue shorter than this is not worth compacting. */
const COMPACT_MIN = 64;

export class AckQueue {
  #waiters: Waiter[] = [];
  #head = 0;

  get size(): number {
    return this.#waiters.length - this.#head;
  }

  /** Offsets mostly grow; a duplicate of an older write finds its place from the back. */
  wait(offset: number, listener: AckListener, index: number): void {
    const waiters = this.#waiters;
    let at = waiters.length;
    while (at > this.#head && waiters[at - 1]!.offset > offset) at -= 1;
    const waiter = { offset, listener, index };
    if (at === waiters.length) waiters.push(waiter);
    else waiters.splice(at, 0, waiter);
  }

  /** Answers everything that `highWatermark` covers. */
  complete(highWatermark: number, failure: Failure | undefined): void {
    const waiters = this.#waiters;
    let head = this.#head;
    while (head < waiters.length && waiters[head]!.offset <= highWatermark) {
      const { listener, index } = waiters[head]!;
      head += 1;
      this.#head = head;
      if (!listener.isSettled) listener.acknowledged(index, failure);
    }
    this.#compact();
  }

  /** Answers everything with a failure. */
  failAll(failure: Failure): void {
    const waiters = this.#waiters.slice(this.#head);
    this.#waiters = [];
    this.#head = 0;
    for (const { listener, index } of waiters) {
      if (!listener.isSettled) listener.acknowledged(index, failure);
    }
  }

  /** Drops what nobody waits for any more. */
  forgetSettled(): void {
    this.#waiters = this.#waiters.filter((waiter, i) => i >= this.#head && !waiter.listener.isSettled);
    this.#head = 0;
  }

  #compact(): void {
    if (this.#head === this.#waiters.length) {
      this.#waiters = [];
      this.#head = 0;
    } else if (this.#head >= COMPACT_MIN && this.#head * 2 >= this.#waiters.length) {
      this.#waiters = this.#waiters.slice(this.#head);
      this.#head = 0;
    }
  }
}
