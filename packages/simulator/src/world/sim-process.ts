/**
 * A process of the simulated cluster, life after life. Everything a life does later goes through its `SimLife`: timers,
 * messages, disk completions. Nothing of a dead life ever runs again; what falls due while the process is paused comes
 * all at once when it goes on.
 */
import { invariant, type SeededRandom } from '@millrace/core';
import type { SimEvent } from './event-queue.ts';
import { HardwareClock, SimClock } from './sim-clock.ts';
import type { World } from './world.ts';

/** 'process': the machine stays up and resets its connections. 'machine': silence. */
export type Death = 'process' | 'machine';

/** Tells other parts of the world about a process. */
export interface ProcessWatcher {
  onDeath?(life: SimLife, death: Death): void;
  onPause?(): void;
  onResume?(): void;
}

/** One run of a process, from its start to its death. */
export class SimLife {
  readonly process: SimProcess;
  /** From 1. */
  readonly number: number;
  readonly random: SeededRandom;
  readonly clock: SimClock;

  constructor(process: SimProcess, number: number, random: SeededRandom) {
    this.process = process;
    this.number = number;
    this.random = random;
    this.clock = new SimClock(this);
  }

  get isCurrent(): boolean {
    return this.process.life === this;
  }

  /** The callback, for as long as this life lasts and not while it is paused: then it runs later or never. */
  guard<Args extends unknown[]>(callback: (...args: Args) => void): (...args: Args) => void {
    return (...args) => {
      if (!this.isCurrent) return;
      if (this.process.isPaused) this.process.world.schedule(0, () => callback(...args), this);
      else callback(...args);
    };
  }

  note(kind: string, fact?: number | string, more?: number | string): void {
    this.process.world.note(this.process.name, kind, fact, more);
  }
}

export class SimProcess {
  readonly name: string;
  readonly world: World;
  readonly hardwareClock: HardwareClock;
  readonly #random: SeededRandom;
  readonly #watchers = new Set<ProcessWatcher>();
  #life: SimLife | undefined;
  #lives = 0;
  #isPaused = false;
  #held: SimEvent[] = [];

  /** Made by `world.process(name)`. */
  constructor(world: World, name: string, random: SeededRandom) {
    this.world = world;
    this.name = name;
    this.hardwareClock = new HardwareClock(() => world.nowMs);
    this.#random = random;
  }

  /** The present life; undefined while dead. */
  get life(): SimLife | undefined {
    return this.#life;
  }

  /** How many lives there have been. */
  get lives(): number {
    return this.#lives;
  }

  get isAlive(): boolean {
    return this.#life !== undefined;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Begins a new life at this moment; `boot` runs as its first event. A rejection of `boot` is a failure of the process. */
  start(boot: (life: SimLife) => Promise<void> | void): SimLife {
    invariant(this.#life === undefined, 'the process is alive', { name: this.name });
    this.#lives += 1;
    const life = new SimLife(this, this.#lives, this.#random.fork());
    this.#life = life;
    life.note('start', this.#lives);
    this.world.schedule(0, () => void boot(life), life);
    return life;
  }

  /** Ends the life between two instructions. What it had asked of others may still happen; what it waits for does not. */
  kill(death: Death = 'process'): void {
    const life = this.#life;
    if (life === undefined) return;
    life.note('killed', death);
    this.#life = undefined;
    this.#isPaused = false;
    this.#held = [];
    for (const watcher of [...this.#watchers]) watcher.onDeath?.(life, death);
  }

  /** As SIGSTOP does. */
  pause(): void {
    if (this.#life === undefined || this.#isPaused) return;
    this.#isPaused = true;
    this.#life.note('paused');
    for (const watcher of [...this.#watchers]) watcher.onPause?.();
  }

  /** Everything that fell due meanwhile comes now. */
  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#life?.note('resumed', this.#held.length);
    const held = this.#held;
    this.#held = [];
    for (const event of held) this.world.postpone(event);
    for (const watcher of [...this.#watchers]) watcher.onResume?.();
  }

  /** The world's: an event of this process fell due while it is paused. */
  hold(event: SimEvent): void {
    this.#held.push(event);
  }

  /** @returns what ends it. */
  watch(watcher: ProcessWatcher): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }
}
