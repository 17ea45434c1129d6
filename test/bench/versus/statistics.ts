/**
 * What pairs of measurements say: the geometric mean of their ratios, and how far chance may have moved it. Ratios of
 * one run only are compared, never figures of two runs. Pure: the same pairs give the same answer.
 */
import { below, SeededRandom } from '@millrace/core';

const RESAMPLES = 10_000;
const TAIL_SHARE = 0.025;
const SEED = 1;

export interface Estimate {
  readonly ratio: number;
  /** Ends of the bootstrap interval that holds 95 % of the resampled means. */
  readonly low: number;
  readonly high: number;
}

export function geometricMean(values: readonly number[]): number {
  const logSum = values.reduce((sum, value) => sum + Math.log(value), 0);
  return values.length === 0 ? Number.NaN : Math.exp(logSum / values.length);
}

/** Of ratios that are all positive. One ratio has no interval: its ends are NaN. */
export function estimateOf(ratios: readonly number[]): Estimate {
  const ratio = geometricMean(ratios);
  if (ratios.length < 2) return { ratio, low: Number.NaN, high: Number.NaN };
  const random = new SeededRandom(SEED);
  const means = Array.from({ length: RESAMPLES }, () =>
    geometricMean(ratios.map(() => ratios[below(random, ratios.length)]!)),
  ).sort((a, b) => a - b);
  const at = (share: number): number => means[Math.min(RESAMPLES - 1, Math.floor(share * RESAMPLES))]!;
  return { ratio, low: at(TAIL_SHARE), high: at(1 - TAIL_SHARE) };
}

/** Whose turn it is in `pairs` pairs: A B, B A, A B, … so that what drifts harms both alike. */
export function turnsOf(pairs: number): readonly (readonly ['A', 'B'] | readonly ['B', 'A'])[] {
  return Array.from({ length: pairs }, (_, index) =>
    index % 2 === 0 ? (['A', 'B'] as const) : (['B', 'A'] as const),
  );
}

/** The value that `share` (0 to 1) of them do not exceed. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}
