/**
 * How long requests may keep the event loop before it goes round, and how much of one connection is read before others
 * are. Node reads sockets up to 48 times 1,024 in a row before its timers have their turn: thousands of clients that ask
 * again as soon as they are answered would keep out heartbeats for ten seconds, and end the node's own session. And it
 * reads one socket up to 32 times before the next: every step of a fetch would wait for 2 MiB of a producer's records.
 * Who comes late in a turn waits for a later one, in order. Must never drop or reorder what waits.
 */
import { type Clock, KiB } from '@millrace/core';

/** Long beside what a turn costs, short beside every timeout. */
const TURN_MS = 10;
/** Much beside what stopping and starting to read costs, little beside the buffers of sockets. */
const READ_IN_A_ROW_BYTES = 256 * KiB;
/** Longer than clients at work are silent. A connection that is alone is not stopped: no other of these clients waits. */
const SHARED_MS = 100;

/** Begins what may begin, and asks for a turn again if more is left. */
export interface TurnTaker {
  /** Different for every one of the process's life. */
  readonly id: number;
  proceed(): void;
}

export class RequestTurns {
  readonly #clock: Clock;
  /** Of the turn that is on; undefined while nothing has begun since the loop went round. */
  #endsMs: number | undefined;
  readonly #waiting = new Set<TurnTaker>();
  /** An id, as those who are gone are not to be kept in memory. */
  #lastReader: number | undefined;
  #sharedUntilMs = -Infinity;
  #readInARowBytes = 0;

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

  /** Whether the taker, of which so many bytes were read, may go on before others are read. */
  mayReadOn(taker: TurnTaker, bytes: number): boolean {
    if (taker.id !== this.#lastReader) {
      if (this.#lastReader !== undefined) this.#sharedUntilMs = this.#clock.nowMs() + SHARED_MS;
      this.#lastReader = taker.id;
      this.#readInARowBytes = 0;
    }
    this.#readInARowBytes += bytes;
    if (this.#readInARowBytes < READ_IN_A_ROW_BYTES) return true;
    this.#readInARowBytes = 0;
    return this.#clock.nowMs() >= this.#sharedUntilMs;
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
