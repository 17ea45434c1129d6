/**
 * Time as an interface, so that production and simulation run the same code.
 * Never arm a timer on wall time: `wallMs` is only for timestamps that people and records carry.
 */

/** A scheduled callback. Cancelling twice, or after it ran, does nothing. */
export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Milliseconds from an arbitrary origin; never goes back; may carry a fraction. */
  nowMs(): number;
  /** Milliseconds since the Unix epoch, an integer; may jump. */
  wallMs(): number;
  /** Runs `callback` once, not before `delayMs` (clamped to 0 .. 2^31-1) has passed. */
  schedule(delayMs: number, callback: () => void): Timer;
}

/** Node fires longer delays at once, so nobody may ask for them. */
export const DELAY_MAX_MS = 2 ** 31 - 1;

/** Resolves after `delayMs`. */
export function sleep(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    clock.schedule(delayMs, resolve);
  });
}

interface Scheduled {
  readonly atMs: number;
  readonly order: number;
  readonly callback: () => void;
}

/** A clock that moves only when told to. Timers due at the same time fire in the order they were set. */
export class ManualClock implements Clock {
  #nowMs = 0;
  #order = 0;
  readonly #wallOriginMs: number;
  #timers: Scheduled[] = [];

  constructor(wallOriginMs = 1_700_000_000_000) {
    this.#wallOriginMs = wallOriginMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return Math.floor(this.#wallOriginMs + this.#nowMs);
  }

  schedule(delayMs: number, callback: () => void): Timer {
    const atMs = this.#nowMs + Math.min(Math.max(delayMs, 0), DELAY_MAX_MS);
    const entry = { atMs, order: this.#order++, callback };
    this.#timers.push(entry);
    return {
      cancel: () => {
        this.#timers = this.#timers.filter((other) => other !== entry);
      },
    };
  }

  /** Moves time forward and fires what falls due on the way, each at its own time. */
  advance(byMs: number): void {
    const untilMs = this.#nowMs + byMs;
    for (let next = this.#next(untilMs); next !== undefined; next = this.#next(untilMs)) {
      const due = next;
      this.#timers = this.#timers.filter((other) => other !== due);
      this.#nowMs = due.atMs;
      due.callback();
    }
    this.#nowMs = untilMs;
  }

  #next(untilMs: number): Scheduled | undefined {
    let first: Scheduled | undefined;
    for (const timer of this.#timers) {
      if (timer.atMs > untilMs) continue;
      if (!first || timer.atMs < first.atMs || (timer.atMs === first.atMs && timer.order < first.order)) {
        first = timer;
      }
    }
    return first;
  }
}
