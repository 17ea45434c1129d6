/** The real clock. Only composition roots use it; everything below is given a `Clock`. */
import { type Clock, DELAY_MAX_MS, type Timer } from '@millrace/core';

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  schedule(delayMs: number, callback: () => void): Timer {
    if (delayMs <= 0) {
      const immediate = setImmediate(callback);
      return { cancel: () => clearImmediate(immediate) };
    }
    const timeout = setTimeout(callback, Math.min(delayMs, DELAY_MAX_MS));
    return { cancel: () => clearTimeout(timeout) };
  },
};
