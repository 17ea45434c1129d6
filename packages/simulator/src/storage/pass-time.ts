/** Virtual time for worlds without a network: it passes only while somebody waits. */
import type { ManualClock } from '@millrace/core';

/** Of virtual time: nothing in a storage world waits longer. */
const STUCK_AFTER_MS = 10_000;
/** Promises that settle one after the other, between two steps of the clock. */
const HOPS = 20;

/** Lets what is ready run. */
export async function drained(): Promise<void> {
  for (let hop = 0; hop < HOPS; hop++) await Promise.resolve();
}

/** Lets virtual time pass until `promise` is settled. @param isGivenUp ends the wait early, with an error. */
export async function settled<T>(
  clock: ManualClock,
  promise: Promise<T>,
  isGivenUp: () => boolean = () => false,
): Promise<T> {
  let isSettled = false;
  const settle = (): void => {
    isSettled = true;
  };
  promise.then(settle, settle);
  const untilMs = clock.nowMs() + STUCK_AFTER_MS;
  while (clock.nowMs() < untilMs) {
    for (let hop = 0; hop < HOPS && !isSettled; hop++) await Promise.resolve();
    if (isSettled) return await promise;
    if (isGivenUp()) break;
    clock.advance(1);
  }
  throw new Error(`nothing came of it in ${STUCK_AFTER_MS} ms of virtual time`);
}
