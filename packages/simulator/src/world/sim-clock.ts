/**
 * Time as one process sees it. Monotonic time starts at 0 with each life and may run fast or slow; wall time may besides
 * be off, jump or stand still. Timers live on monotonic time and never outlast their life.
 */
import { type Clock, DELAY_MAX_MS, type Timer, unit } from '@millrace/core';
import type { SimLife } from './sim-process.ts';

/** Where wall clocks stand when a world begins: 2027-01-15. */
export const WALL_ORIGIN_MS = 1_800_000_000_000;

/** A real timer fires up to this much late. */
const LATENESS_MAX_MS = 1;

const NO_TIMER: Timer = { cancel: () => {} };

/** The clock of a machine: survives the lives of its process, is changed by faults. */
export class HardwareClock {
  /** Wall time minus what it should be. */
  wallOffsetMs = 0;
  readonly #trueNowMs: () => number;
  #rate = 1;
  #frozenWallMs: number | undefined;
  #anchorTrueMs = 0;
  #anchorMs = 0;

  constructor(trueNowMs: () => number) {
    this.#trueNowMs = trueNowMs;
  }

  /** Milliseconds since the world began, as this machine counts them. */
  get nowMs(): number {
    return this.#anchorMs + (this.#trueNowMs() - this.#anchorTrueMs) * this.#rate;
  }

  get wallMs(): number {
    return this.#frozenWallMs ?? Math.floor(WALL_ORIGIN_MS + this.nowMs + this.wallOffsetMs);
  }

  /** Local milliseconds for each true one. */
  get rate(): number {
    return this.#rate;
  }

  /** Drift, which both clocks share: at 1.001 the machine gains a millisecond a second. */
  setRate(rate: number): void {
    this.#anchorMs = this.nowMs;
    this.#anchorTrueMs = this.#trueNowMs();
    this.#rate = rate;
  }

  /** Wall time stands still until `heal`; monotonic time goes on. */
  freezeWall(): void {
    this.#frozenWallMs = this.wallMs;
  }

  /** Runs true again, and shows the right time. */
  heal(): void {
    this.setRate(1);
    this.wallOffsetMs = this.#trueNowMs() - this.#anchorMs;
    this.#frozenWallMs = undefined;
  }
}

export class SimClock implements Clock {
  readonly #life: SimLife;
  readonly #hardware: HardwareClock;
  readonly #startedAtMs: number;

  constructor(life: SimLife) {
    this.#life = life;
    this.#hardware = life.process.hardwareClock;
    this.#startedAtMs = this.#hardware.nowMs;
  }

  nowMs(): number {
    return this.#hardware.nowMs - this.#startedAtMs;
  }

  wallMs(): number {
    return this.#hardware.wallMs;
  }

  schedule(delayMs: number, callback: () => void): Timer {
    const life = this.#life;
    if (!life.isCurrent) return NO_TIMER;
    const { world } = life.process;
    if (!(delayMs > 0)) return world.schedule(0, callback, life);
    const lateMs = unit(world.streams.order) * LATENESS_MAX_MS;
    return world.schedule(Math.min(delayMs, DELAY_MAX_MS) / this.#hardware.rate + lateMs, callback, life);
  }
}
