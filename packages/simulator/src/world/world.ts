/**
 * A world: one seed, one time line, one thread. Takes the earliest event, runs it, lets every promise that it resolved
 * go on, checks the hooks, takes the next. Nothing in here or below it may depend on real time or real chance.
 */
import { SeededRandom, type Timer } from '@millrace/core';
import { EventQueue, SimEvent } from './event-queue.ts';
import { type SimLife, SimProcess } from './sim-process.ts';
import { SimulationFailure, TIME_STANDS_STILL } from './simulation-failure.ts';
import { type Fact, Trace } from './trace.ts';
import { UncaughtErrors } from './uncaught-errors.ts';

/** Chance, one stream for each matter, so that switching a kind of fault off shifts no other. */
export interface RandomStreams {
  readonly workload: SeededRandom;
  readonly network: SeededRandom;
  readonly disk: SeededRandom;
  readonly clock: SeededRandom;
  readonly crash: SeededRandom;
  /** Order of simultaneous events, lateness of timers. */
  readonly order: SeededRandom;
  /** What processes themselves draw: each life gets a fork. */
  readonly process: SeededRandom;
  /** Which faults a seed has. */
  readonly plan: SeededRandom;
}

export interface WorldOptions {
  readonly seed: number;
  /** Events kept for each process, for failure reports. */
  readonly traceDepth?: number;
}

/** Hooks that run this often in one moment mean that time stands still. */
const EVENTS_PER_MOMENT_MAX = 100_000;
/** Turns of the event loop are costly, so as many events are asked for at once. Each is followed by every microtask. */
const EVENTS_PER_TURN = 64;

const never = (): boolean => false;

export class World {
  readonly seed: number;
  readonly streams: RandomStreams;
  readonly trace: Trace;
  readonly #queue = new EventQueue();
  readonly #processes = new Map<string, SimProcess>();
  readonly #hooks: ((life: SimLife | undefined) => void)[] = [];
  /**
   * Judges what a process threw and nobody caught, after the process was killed for it. Returns whether a fault that was
   * injected permits it; the default permits nothing.
   */
  mayFail: (process: SimProcess, error: unknown) => boolean = () => false;
  #nowMs = 0;
  #eventCount = 0;
  #eventsOfMoment = 0;
  #current: SimLife | undefined;
  #failure: SimulationFailure | undefined;

  constructor({ seed, traceDepth }: WorldOptions) {
    this.seed = seed;
    this.trace = new Trace(traceDepth);
    const master = new SeededRandom(seed);
    this.streams = {
      workload: master.fork(),
      network: master.fork(),
      disk: master.fork(),
      clock: master.fork(),
      crash: master.fork(),
      order: master.fork(),
      process: master.fork(),
      plan: master.fork(),
    };
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Events so far. */
  get eventCount(): number {
    return this.#eventCount;
  }

  /** The process of this name: made when first asked for, dead until started. */
  process(name: string): SimProcess {
    let process = this.#processes.get(name);
    if (process === undefined) {
      process = new SimProcess(this, name, this.streams.process.fork());
      this.#processes.set(name, process);
    }
    return process;
  }

  /** Runs `run` in `delayMs`: only if `life` still lasts then, and not before it goes on if it is paused. */
  schedule(delayMs: number, run: () => void, life?: SimLife): Timer {
    const event = new SimEvent(this.#nowMs + delayMs, this.streams.order.uint32(), life, run);
    this.#queue.push(event);
    return event;
  }

  /** Timers, deliveries and completions that a life still waits for. */
  pendingOf(life: SimLife): number {
    return this.#queue.countOf(life);
  }

  /** Puts an event that fell due back in, for this very moment. */
  postpone(event: SimEvent): void {
    event.atMs = this.#nowMs;
    event.tie = this.streams.order.uint32();
    this.#queue.push(event);
  }

  /** Enters the trace: as much as a reader of a failure needs. */
  note(process: string, kind: string, fact?: Fact, more?: Fact): void {
    this.trace.note(this.#nowMs, process, kind, fact, more);
  }

  /** Called after every event and all that followed from it, with the life whose event it was. Throws through `fail`. */
  afterEvent(hook: (life: SimLife | undefined) => void): void {
    this.#hooks.push(hook);
  }

  /** @throws {SimulationFailure} always. */
  fail(violation: string, cause?: unknown): never {
    this.#failure ??= this.#failureOf(violation, cause);
    throw this.#failure;
  }

  /**
   * Lets time pass until `untilMs`, or until the condition holds after some event.
   * @param limitMs how much time a condition has. @throws {SimulationFailure}
   */
  async run(until: number | (() => boolean), limitMs = 600_000): Promise<void> {
    const endMs = typeof until === 'number' ? until : this.#nowMs + limitMs;
    const condition = typeof until === 'number' ? never : until;
    const errors = new UncaughtErrors((error) => this.#onUncaught(error));
    try {
      await this.#turns(endMs, condition);
    } finally {
      errors.close();
      this.#current = undefined;
    }
    if (this.#failure !== undefined) throw this.#failure;
    if (typeof until === 'number') this.#nowMs = Math.max(this.#nowMs, until);
  }

  /** Lets time pass until the promise settles. @throws what it rejects with, or {SimulationFailure} */
  async settle<T>(promise: Promise<T>, limitMs?: number): Promise<T> {
    let isSettled = false;
    const settled = (): void => {
      isSettled = true;
    };
    promise.then(settled, settled);
    await this.run(() => isSettled, limitMs);
    return promise;
  }

  #turns(endMs: number, condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      let left = 0;
      let isDone = false;
      const step = (): void => {
        left -= 1;
        if (isDone) return;
        this.#endEvent();
        if (this.#failure !== undefined || condition() || !this.#beginEvent(endMs, condition)) {
          isDone = true;
          resolve();
        } else if (left === 0) {
          turn();
        }
      };
      const turn = (): void => {
        left = EVENTS_PER_TURN;
        for (let i = 0; i < EVENTS_PER_TURN; i++) setImmediate(step);
      };
      turn();
    });
  }

  /** @returns false if there is none within the time. */
  #beginEvent(endMs: number, condition: () => boolean): boolean {
    for (;;) {
      const event = this.#queue.peek();
      if (event === undefined || event.atMs > endMs) {
        if (this.#nowMs < endMs) this.#nowMs = endMs;
        return this.#ranOut(condition);
      }
      this.#queue.pop();
      const { run, life } = event;
      if (run === undefined || (life !== undefined && !life.isCurrent)) continue;
      if (life?.process.isPaused) {
        life.process.hold(event);
        continue;
      }
      this.#passTo(event.atMs);
      this.trace.count(event.atMs, event.tie);
      this.#current = life;
      try {
        run();
      } catch (error) {
        this.#onUncaught(error);
      }
      return true;
    }
  }

  #endEvent(): void {
    if (this.#failure !== undefined) return;
    try {
      for (const hook of this.#hooks) hook(this.#current);
    } catch (error) {
      this.#failure ??= error instanceof SimulationFailure ? error : this.#failureOf(String(error), error);
    }
    this.#current = undefined;
  }

  #passTo(atMs: number): void {
    this.#eventCount += 1;
    if (atMs > this.#nowMs) {
      this.#nowMs = atMs;
      this.#eventsOfMoment = 0;
      return;
    }
    this.#eventsOfMoment += 1;
    if (this.#eventsOfMoment > EVENTS_PER_MOMENT_MAX) {
      this.#failure ??= this.#failureOf(TIME_STANDS_STILL, undefined);
    }
  }

  #ranOut(condition: () => boolean): false {
    if (condition !== never)
      this.#failure ??= this.#failureOf('the awaited condition did not come true in time');
    return false;
  }

  /** Nobody caught it: as in production, that is the end of the process whose event it was. */
  #onUncaught(error: unknown): void {
    if (error instanceof SimulationFailure) {
      this.#failure ??= error;
      return;
    }
    const process = this.#current?.process;
    if (process !== undefined) {
      process.life?.note('died of', error instanceof Error ? error.name : 'something thrown');
      process.kill();
      if (this.mayFail(process, error)) return;
    }
    this.#failure ??= this.#failureOf(error instanceof Error ? error.message : String(error), error);
  }

  #failureOf(violation: string, cause?: unknown): SimulationFailure {
    const facts = {
      seed: this.seed,
      atMs: this.#nowMs,
      eventCount: this.#eventCount,
      process: this.#current?.process.name ?? '',
      last: this.trace.last(),
    };
    return new SimulationFailure(violation, facts, { cause });
  }
}
