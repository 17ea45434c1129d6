/** When to ask for metadata: at once after quiet, then backing off for as long as the answers bring nothing new. */
import type { Clock, Random, Timer } from '@millrace/core';
import { type BackoffLimits, backoffMs } from './backoff.ts';

export class RefreshSchedule {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #limits: BackoffLimits;
  readonly #refresh: () => void;
  #timer: Timer | undefined;
  #isRunning = false;
  #isWanted = false;
  #isClosed = false;
  #fruitless = 0;
  #beganAtMs = Number.NEGATIVE_INFINITY;
  #endedAtMs = Number.POSITIVE_INFINITY;

  constructor(clock: Clock, random: Random, limits: BackoffLimits, refresh: () => void) {
    this.#clock = clock;
    this.#random = random;
    this.#limits = limits;
    this.#refresh = refresh;
  }

  /** Since the last answer; negative before the first. */
  ageMs(): number {
    return this.#clock.nowMs() - this.#endedAtMs;
  }

  request(): void {
    if (this.#isClosed || this.#timer !== undefined) return;
    // An answer that is under way may have been given before the caller's reason arose.
    if (this.#isRunning) {
      this.#isWanted = true;
      return;
    }
    const sinceMs = this.#clock.nowMs() - this.#beganAtMs;
    if (sinceMs > 2 * this.#limits.retryBackoffMaxMs) this.#fruitless = 0;
    const delayMs = Math.max(0, backoffMs(this.#fruitless, this.#limits, this.#random) - sinceMs);
    this.#timer = this.#clock.schedule(delayMs, () => {
      this.#timer = undefined;
      if (!this.#isClosed) this.#refresh();
    });
  }

  began(): void {
    this.#isRunning = true;
    this.#isWanted = false;
    this.#beganAtMs = this.#clock.nowMs();
  }

  ended(hasNews: boolean): void {
    this.#isRunning = false;
    this.#fruitless = hasNews ? 0 : this.#fruitless + 1;
    this.#endedAtMs = this.#clock.nowMs();
    if (this.#isWanted) this.request();
  }

  failed(): void {
    this.#isRunning = false;
    this.#fruitless++;
    // Whoever waited for less time than it took has asked again already, and hears nothing of this.
    if (this.#isWanted) this.request();
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
