/**
 * Deadlines of many requests on few timers: requests that expire in the same slice of time share one.
 * A deadline fires up to one slice late, never early.
 */
import type { Clock, Timer } from '@millrace/core';

export interface Expiring {
  expired(): void;
}

const SLICE_MS = 20;

export class Deadlines {
  readonly #clock: Clock;
  readonly #slices = new Map<number, Set<Expiring>>();
  #timer: Timer | undefined;
  #timerSlice = Number.POSITIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @returns the slice, to be given to `remove`. */
  add(item: Expiring, delayMs: number): number {
    const slice = Math.ceil((this.#clock.nowMs() + delayMs) / SLICE_MS);
    const items = this.#slices.get(slice);
    if (items === undefined) this.#slices.set(slice, new Set([item]));
    else items.add(item);
    if (slice < this.#timerSlice) this.#arm(slice);
    return slice;
  }

  remove(item: Expiring, slice: number): void {
    const items = this.#slices.get(slice);
    if (items?.delete(item) && items.size === 0) this.#slices.delete(slice);
  }

  close(): void {
    this.#timer?.cancel();
    this.#slices.clear();
  }

  #arm(slice: number): void {
    this.#timer?.cancel();
    this.#timerSlice = slice;
    // Rounded up: a clock with fractions could otherwise fire a hair too early for ever.
    const delayMs = Math.ceil(slice * SLICE_MS - this.#clock.nowMs());
    this.#timer = this.#clock.schedule(delayMs, () => this.#fire());
  }

  #fire(): void {
    this.#timerSlice = Number.POSITIVE_INFINITY;
    const now = Math.floor(this.#clock.nowMs() / SLICE_MS);
    let next = Number.POSITIVE_INFINITY;
    const due: Set<Expiring>[] = [];
    for (const [slice, items] of this.#slices) {
      if (slice > now) {
        next = Math.min(next, slice);
      } else {
        this.#slices.delete(slice);
        due.push(items);
      }
    }
    if (next !== Number.POSITIVE_INFINITY) this.#arm(next);
    for (const items of due) for (const item of items) item.expired();
  }
}
