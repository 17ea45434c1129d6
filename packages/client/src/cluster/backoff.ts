/** How long to wait before trying again. Pure. */
import { type Random, unit } from '@millrace/core';

export interface BackoffLimits {
  readonly retryBackoffMs: number;
  readonly retryBackoffMaxMs: number;
}

/** Doubles from the first wait to the longest, give or take a fifth, so that many clients do not return at once. */
export function backoffMs(attempt: number, limits: BackoffLimits, random: Random): number {
  const plain = Math.min(limits.retryBackoffMs * 2 ** Math.min(attempt, 30), limits.retryBackoffMaxMs);
  return plain * (0.8 + 0.4 * unit(random));
}
