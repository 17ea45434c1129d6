/** Waiting times without memory: what arrivals and faults are drawn from. Pure. */
import { type SeededRandom, unit } from '@millrace/core';

/** Exponential, with this mean. */
export function exponential(random: SeededRandom, meanMs: number): number {
  return -Math.log(1 - unit(random)) * meanMs;
}
