/** Invariant 60: every call of a client comes to its end, and what was acknowledged can be read to the end. */
import type { LivenessInvariant } from '../world/liveness.ts';

/** The longest delivery timeout of a producer, and the longest call. */
const CALLS_WITHIN_MS = 60_000;
const READ_WITHIN_MS = 120_000;

export const allCallsEnd: LivenessInvariant<{ openCalls(): number }> = {
  number: 60,
  name: 'all-clients-finish',
  boundMs: () => CALLS_WITHIN_MS,
  holds: ({ openCalls }) => openCalls() === 0,
  missing: ({ openCalls }) => `${openCalls()} calls without an answer`,
};

/** What it finds there is judged by 39. */
export const theLastReaderFinishes: LivenessInvariant<{ isReadToEnd(): boolean }> = {
  number: 60,
  name: 'all-clients-finish',
  boundMs: () => READ_WITHIN_MS,
  holds: ({ isReadToEnd }) => isReadToEnd(),
  missing: () => 'the last reader does not',
};
