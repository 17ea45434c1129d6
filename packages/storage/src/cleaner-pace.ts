/**
 * How fast one cleaning may go: it rests between slices so that others get their turn, and longer if it would read and
 * write more than it may. Stopping it ends the rest at once and the cleaning with it.
 */
import { type Clock, Deferred } from '@millrace/core';

/** Thrown into a cleaning that is to end early: nothing of it is wrong, and nothing is lost. */
export class CleaningEnded extends Error {}

export class CleanerPace {
  readonly #clock: Clock;
  readonly #bytesPerSecondMax: number;
  #isStopped = false;
  #rest = new Deferred<void>();
  /** When the bytes so far are paid for. */
  #paidMs: number;

  constructor(clock: Clock, bytesPerSecondMax: number) {
    this.#clock = clock;
    this.#bytesPerSecondMax = bytesPerSecondMax;
    this.#paidMs = clock.nowMs();
  }

  stop(): void {
    this.#isStopped = true;
    this.#rest.resolve();
  }

  /** @throws {CleaningEnded} once it was stopped. */
  check(): void {
    if (this.#isStopped) throw new CleaningEnded();
  }

  /** After a slice. @param bytes read or written in it. @throws {CleaningEnded} once it was stopped. */
  async spent(bytes: number): Promise<void> {
    this.check();
    const nowMs = this.#clock.nowMs();
    this.#paidMs = Math.max(this.#paidMs, nowMs) + (bytes / this.#bytesPerSecondMax) * 1000;
    this.#rest = new Deferred();
    const timer = this.#clock.schedule(this.#paidMs - nowMs, () => this.#rest.resolve());
    await this.#rest.promise;
    timer.cancel();
    this.check();
  }
}
