/**
 * Looks for a smaller run that still breaks the same promise: fewer kinds of fault, then less time, then fewer clients.
 * Greedy; every kind of fault has chance of its own, so leaving one out leaves the others as they were.
 */
import type { FaultClass } from '../world/fault-plan.ts';
import type { SeedOrder, SeedResult } from './seed-worker.ts';

export interface ShrinkPort {
  run(order: SeedOrder): Promise<SeedResult>;
  onSmaller(order: SeedOrder): void;
}

const TIME_STEP_LEAST_MS = 500;

/** @param faults those that the failing run had. @returns the smallest order found that fails in the same way. */
export async function shrink(
  order: SeedOrder,
  violation: string,
  faults: readonly FaultClass[],
  faultsMs: number,
  port: ShrinkPort,
): Promise<SeedOrder> {
  let smallest: SeedOrder = { ...order, options: { ...order.options, only: faults } };
  const attempt = async (options: SeedOrder['options']): Promise<boolean> => {
    const smaller = { ...smallest, options: { ...smallest.options, ...options } };
    const { failure } = await port.run(smaller);
    if (failure === undefined || kindOf(failure.violation) !== kindOf(violation)) return false;
    smallest = smaller;
    port.onSmaller(smaller);
    return true;
  };

  for (const fault of faults) {
    const only = (smallest.options.only ?? faults).filter((each) => each !== fault);
    await attempt({ only });
  }
  let ms = faultsMs;
  for (let step = ms / 2; step >= TIME_STEP_LEAST_MS; step /= 2) {
    const shorter = Math.round(ms - step);
    if (await attempt({ faultsMs: shorter })) ms = shorter;
  }
  for (const clientsMax of [1, 2, 3]) if (await attempt({ clientsMax })) break;
  return smallest;
}

/** The same promise, whatever numbers are in it. */
function kindOf(violation: string): string {
  return violation.split(':')[0]!.replace(/\d+/g, '#');
}
