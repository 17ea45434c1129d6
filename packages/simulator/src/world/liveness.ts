/**
 * Promises of the design (reliability.md, section 5) about what must come true, within a bound of virtual time, once faults
 * are over.
 */
import type { World } from './world.ts';

export interface LivenessInvariant<View> {
  readonly number: number;
  readonly name: string;
  /** How long it may take from now on. */
  boundMs(view: View): number;
  /** Asked after every event. */
  holds(view: View): boolean;
  /** What is not as it should be, for people. */
  missing(view: View): string;
}

/** Lets time pass until the promise holds. @throws {SimulationFailure} if it does not in time. */
export async function mustComeTrue<View>(
  world: World,
  invariant: LivenessInvariant<View>,
  view: View,
): Promise<void> {
  const { number, name } = invariant;
  await reach(
    world,
    () => invariant.holds(view),
    invariant.boundMs(view),
    () => `invariant ${number} ${name}: ${invariant.missing(view)}`,
  );
}

/** Lets time pass until the condition holds. @throws {SimulationFailure} `violation`, if it does not in time. */
export async function reach(
  world: World,
  condition: () => boolean,
  limitMs: number,
  violation: string | (() => string),
): Promise<void> {
  let isLate = false;
  const timer = world.schedule(limitMs, () => {
    isLate = true;
  });
  await world.run(() => isLate || condition(), limitMs + 1_000);
  timer.cancel();
  if (isLate && !condition()) world.fail(typeof violation === 'string' ? violation : violation());
}
