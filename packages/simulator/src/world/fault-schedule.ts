/** When faults strike: each kind again and again, at its own exponential pace, until stopped. Knows no fault itself. */
import type { SeededRandom, Timer } from '@millrace/core';
import { exponential } from './exponential.ts';
import type { FaultClass, FaultPlan } from './fault-plan.ts';
import type { World } from './world.ts';

/** Mean time between faults of one kind, over all of a world: what the plan draws from. */
export interface FaultPace {
  readonly leastMs: number;
  readonly mostMs: number;
}

export class FaultSchedule {
  readonly #world: World;
  readonly #plan: FaultPlan;
  readonly #pace: FaultPace;
  readonly #timers = new Set<Timer>();

  constructor(world: World, plan: FaultPlan, pace: FaultPace) {
    this.#world = world;
    this.#plan = plan;
    this.#pace = pace;
  }

  /** Nothing, where the plan leaves the fault out. */
  repeat(fault: FaultClass, strike: (random: SeededRandom) => void): void {
    if (!this.#plan.has(fault)) return;
    const { leastMs, mostMs } = this.#pace;
    const random = this.#plan.random(fault);
    const meanMs = mostMs - this.#plan.rate(fault, 0, mostMs - leastMs);
    const next = (): void => {
      this.after(exponential(random, meanMs), () => {
        strike(random);
        next();
      });
    };
    next();
  }

  /** Once, unless stopped before: how a fault ends by itself. */
  after(delayMs: number, run: () => void): void {
    const timer = this.#world.schedule(delayMs, () => {
      this.#timers.delete(timer);
      run();
    });
    this.#timers.add(timer);
  }

  stop(): void {
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
  }
}
