/** Crashes and pauses of processes, and their clocks' troubles, as a plan says, until healed. Decides; others restart. */
import { below, type SeededRandom, type Timer, unit } from '@millrace/core';
import type { FaultPlan } from './fault-plan.ts';
import type { Death, SimProcess } from './sim-process.ts';
import type { World } from './world.ts';

export interface ProcessFaultTargets {
  /** Those that may suffer. */
  readonly processes: readonly SimProcess[];
  /** Ends a process as its world does it: with what a crash means for its disk. */
  kill(process: SimProcess, death: Death): void;
  /** Begins the next life of a dead process. */
  restart(process: SimProcess): void;
}

/** Mean time between faults of one kind, over all processes. */
const INTERVAL_LEAST_MS = 1_500;
const INTERVAL_MOST_MS = 12_000;
const DOWN_MEAN_MS = 3_000;
const PAUSE_MEAN_MS = 2_000;
const WALL_OFFSET_MAX_MS = 60_000;
const DRIFT_MAX = 0.01;

/** Exponential, with this mean. */
export function exponential(random: SeededRandom, meanMs: number): number {
  return -Math.log(1 - unit(random)) * meanMs;
}

export class ProcessFaults {
  readonly #world: World;
  readonly #plan: FaultPlan;
  readonly #targets: ProcessFaultTargets;
  readonly #timers = new Set<Timer>();
  readonly #down = new Set<SimProcess>();

  constructor(world: World, plan: FaultPlan, targets: ProcessFaultTargets) {
    this.#world = world;
    this.#plan = plan;
    this.#targets = targets;
  }

  start(): void {
    this.#skewClocks();
    this.#repeat('crash', (random) => this.#crash(random));
    this.#repeat('pause', (random) => this.#pause(random));
    this.#repeat('clock-jump', (random) => this.#jump(random));
  }

  /** Ends every fault: the dead are restarted, the paused go on, clocks are right. */
  heal(): void {
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
    for (const process of this.#targets.processes) {
      process.hardwareClock.heal();
      process.resume();
      if (!process.isAlive) this.#targets.restart(process);
    }
    this.#down.clear();
  }

  #skewClocks(): void {
    const skew = this.#plan.random('clock-skew');
    const drift = this.#plan.random('clock-drift');
    for (const { hardwareClock } of this.#targets.processes) {
      const offset = Math.floor((unit(skew) * 2 - 1) * WALL_OFFSET_MAX_MS);
      const rate = 1 + (unit(drift) * 2 - 1) * DRIFT_MAX;
      if (this.#plan.has('clock-skew')) hardwareClock.wallOffsetMs = offset;
      if (this.#plan.has('clock-drift')) hardwareClock.setRate(rate);
    }
  }

  #repeat(fault: 'crash' | 'pause' | 'clock-jump', strike: (random: SeededRandom) => void): void {
    if (!this.#plan.has(fault)) return;
    const random = this.#plan.random(fault);
    const often = this.#plan.rate(fault, 0, 1);
    const meanMs = INTERVAL_MOST_MS - often * (INTERVAL_MOST_MS - INTERVAL_LEAST_MS);
    const next = (): void => {
      this.#after(exponential(random, meanMs), () => {
        strike(random);
        next();
      });
    };
    next();
  }

  #after(delayMs: number, run: () => void): void {
    const timer = this.#world.schedule(delayMs, () => {
      this.#timers.delete(timer);
      run();
    });
    this.#timers.add(timer);
  }

  #crash(random: SeededRandom): void {
    const victim = this.#pick(random);
    const death: Death = below(random, 2) === 0 ? 'process' : 'machine';
    const downMs = exponential(random, DOWN_MEAN_MS);
    if (!victim?.isAlive || this.#down.has(victim)) return;
    this.#down.add(victim);
    this.#targets.kill(victim, death);
    this.#after(downMs, () => {
      this.#down.delete(victim);
      if (!victim.isAlive) this.#targets.restart(victim);
    });
  }

  #pause(random: SeededRandom): void {
    const victim = this.#pick(random);
    const pauseMs = exponential(random, PAUSE_MEAN_MS);
    if (!victim?.isAlive || victim.isPaused) return;
    victim.pause();
    this.#after(pauseMs, () => victim.resume());
  }

  #jump(random: SeededRandom): void {
    const victim = this.#pick(random);
    const isFreeze = below(random, 4) === 0;
    const jumpMs = Math.floor((unit(random) * 2 - 1) * WALL_OFFSET_MAX_MS);
    if (victim === undefined) return;
    this.#world.note(victim.name, 'clock-jump', isFreeze ? 'freeze' : jumpMs);
    if (isFreeze) victim.hardwareClock.freezeWall();
    else victim.hardwareClock.wallOffsetMs += jumpMs;
  }

  #pick(random: SeededRandom): SimProcess | undefined {
    const { processes } = this.#targets;
    return processes[below(random, processes.length)];
  }
}
