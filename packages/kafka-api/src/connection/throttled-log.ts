/** Lines about peers, which come in floods: one of each event in a second, the next one tells how many were left out. */
import type { Clock, Logger } from '@millrace/core';

const INTERVAL_MS = 1_000;

interface Event {
  atMs: number;
  omitted: number;
}

export class ThrottledLog {
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #events = new Map<string, Event>();

  constructor(logger: Logger, clock: Clock) {
    this.#logger = logger;
    this.#clock = clock;
  }

  /** `event` comes from a closed set: each is remembered for good. */
  warn(event: string, fields: object, message: string): void {
    const nowMs = this.#clock.nowMs();
    const last = this.#events.get(event);
    if (last !== undefined && nowMs - last.atMs < INTERVAL_MS) {
      last.omitted += 1;
      return;
    }
    const omitted = last?.omitted ?? 0;
    this.#events.set(event, { atMs: nowMs, omitted: 0 });
    this.#logger.warn({ event, ...fields, ...(omitted > 0 && { omitted }) }, message);
  }
}
