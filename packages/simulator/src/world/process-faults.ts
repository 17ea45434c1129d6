/** Crashes and pauses of processes, and their clocks' troubles, as a plan says, until healed. Decides; others restart. */
import { below, type SeededRandom, unit } from '@millrace/core';
import { exponential } from './exponential.ts';
import type { FaultPlan } from './fault-plan.ts';
import { type FaultPace, FaultSchedule } from './fault-schedule.ts';
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

const PACE: FaultPace = { leastMs: 1_500, mostMs: 12_000 };
const DOWN_MEAN_MS = 3_000;
const PAUSE_MEAN_MS = 2_000;
const WALL_OFFSET_MAX_MS = 60_000;
const DRIFT_MAX = 0.01;

export class ProcessFaults {
  readonly #world: World;
  readonly #plan: FaultPlan;
  readonly #targets: ProcessFaultTargets;
  readonly #schedule: FaultSchedule;
  readonly #down = new Set<SimProcess>();

  constructor(world: World, plan: FaultPlan, targets: ProcessFaultTargets) {
    this.#world = world;
    this.#plan = plan;
    this.#schedule = new FaultSchedule(world, plan, PACE);
    this.#targets = targets;
  }

  start(): void {
    this.#skewClocks();
    this.#schedule.repeat('crash', (random) => this.#crash(random));
    this.#schedule.repeat('pause', (random) => this.#pause(random));
    this.#schedule.repeat('clock-jump', (random) => this.#jump(random));
  }

  /** Ends every fault: the dead are restarted, the paused go on, clocks are right. */
  heal(): void {
    this.#schedule.stop();
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

  #crash(random: SeededRandom): void {
    const victim = this.#pick(random);
    const death: Death = below(random, 2) === 0 ? 'process' : 'machine';
    const downMs = exponential(random, DOWN_MEAN_MS);
    if (!victim?.isAlive || this.#down.has(victim)) return;
    this.#down.add(victim);
    this.#targets.kill(victim, death);
    this.#schedule.after(downMs, () => {
      this.#down.delete(victim);
      if (!victim.isAlive) this.#targets.restart(victim);
    });
  }

  #pause(random: SeededRandom): void {
    const victim = this.#pick(random);
    const pauseMs = exponential(random, PAUSE_MEAN_MS);
    if (!victim?.isAlive || victim.isPaused) return;
    victim.pause();
    this.#schedule.after(pauseMs, () => victim.resume());
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
