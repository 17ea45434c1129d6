/**
 * The real clock and the real randomness, for the SDK and for whoever composes a process: the only place that makes
 * either. Everything below is given a `Clock` and a `Random`.
 */
import { randomFillSync } from 'node:crypto';
import { type Clock, DELAY_MAX_MS, type Random, type Timer } from '@millrace/core';

const NO_TIMER: Timer = { cancel: () => {} };

/** Monotonic time and Node's timers. A delay of 0 runs after the I/O that is already there, not a millisecond later. */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  schedule(delayMs, callback) {
    if (delayMs <= 0) {
      const immediate = setImmediate(callback);
      return { cancel: () => clearImmediate(immediate) };
    }
    if (!Number.isFinite(delayMs)) return NO_TIMER;
    const timeout = setTimeout(callback, Math.min(Math.ceil(delayMs), DELAY_MAX_MS));
    return { cancel: () => clearTimeout(timeout) };
  },
};

const POOL_WORDS = 256;

/** Unpredictable numbers, drawn from the operating system a page at a time. */
export function systemRandom(): Random {
  const pool = new Uint32Array(POOL_WORDS);
  let left = 0;
  return {
    uint32() {
      if (left === 0) {
        randomFillSync(pool);
        left = POOL_WORDS;
      }
      return pool[--left]!;
    },
  };
}
