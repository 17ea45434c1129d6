/** One process that runs seeds, one after the other, as it is told. Keeps nothing between seeds but compiled code. */
import { SimulationFailure } from '../world/simulation-failure.ts';
import type { Outcome, SeedOptions } from './simulated-world.ts';
import { isWorldName, loadWorld } from './worlds.ts';

/** Order of one run. */
export interface SeedOrder {
  readonly world: string;
  readonly seed: number;
  readonly options: Omit<SeedOptions, 'onTraced'>;
}

export interface SeedFailure {
  /** Equal for equal failures. */
  readonly violation: string;
  /** With the last events of every process. */
  readonly report: string;
}

export interface SeedResult {
  readonly seed: number;
  /** Milliseconds of processor time. */
  readonly cpuMs: number;
  /** Of the process, after the run. */
  readonly residentBytes?: number;
  readonly outcome?: Outcome;
  readonly failure?: SeedFailure;
}

/** Never throws: what a seed breaks is a result. */
export async function runSeed({ world, seed }: SeedOrder, options: SeedOptions): Promise<SeedResult> {
  const before = process.cpuUsage();
  const cpuMs = (): number => {
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1_000;
  };
  try {
    if (!isWorldName(world)) throw new RangeError(`no such world: ${world}`);
    const outcome = await (await loadWorld(world)).run(seed, options);
    return { seed, cpuMs: cpuMs(), outcome };
  } catch (error) {
    return { seed, cpuMs: cpuMs(), failure: failureOf(error) };
  }
}

function failureOf(error: unknown): SeedFailure {
  if (error instanceof SimulationFailure) return { violation: error.violation, report: error.report() };
  const { message, stack } = error as Error;
  return { violation: `the simulation broke: ${message}`, report: stack ?? message };
}

// Refusals come by the thousand, and their stacks cost more than they do.
Error.stackTraceLimit = 6;

if (process.send !== undefined) {
  process.on('message', (order: SeedOrder) => {
    void runSeed(order, order.options).then((result) =>
      process.send?.({ ...result, residentBytes: process.memoryUsage.rss() } satisfies SeedResult),
    );
  });
  process.on('disconnect', () => process.exit());
}
