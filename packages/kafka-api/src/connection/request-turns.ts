/**
 * How long requests may keep the event loop before it goes round. Node reads sockets up to 48 times 1,024 in a row
 * before its timers have their turn: thousands of clients that ask again as soon as they are answered would keep out
 * heartbeats for ten seconds, and end the node's own session. Who comes late in a turn waits for a later one, in order.
 * Must never drop or reorder what waits.
 */
import type { Clock } from '@millrace/core';

/** Long beside what a turn costs, short beside every timeout. */
const TURN_MS = 10;

/** Begins what may begin, and asks for a turn again if more is left. */
export interface TurnTaker {
  proceed(): void;
}

export class RequestTurns {
  readonly #clock: Clock;
  /** Of the turn that is on; undefined while nothing has begun since the loop went round. */
  #endsMs: number | undefined;
  readonly #waiting = new Set<TurnTaker>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether another request may begin now; if not, the taker is told to proceed in a later turn. */
  mayBegin(taker: TurnTaker): boolean {
    const nowMs = this.#clock.nowMs();
    const endsMs = this.#endsMs ?? this.#beginTurn(nowMs);
    if (nowMs < endsMs) return true;
    this.#waiting.add(taker);
    return false;
  }

  #beginTurn(nowMs: number): number {
    this.#clock.schedule(0, () => this.#wentRound());
    this.#endsMs = nowMs + TURN_MS;
    return this.#endsMs;
  }

  #wentRound(): void {
    this.#endsMs = undefined;
    if (this.#waiting.size === 0) return;
    const endsMs = this.#beginTurn(this.#clock.nowMs());
    for (const taker of this.#waiting) {
      this.#waiting.delete(taker);
      taker.proceed();
      if (this.#clock.nowMs() >= endsMs) return;
    }
  }
}
