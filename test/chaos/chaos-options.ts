/** What the chaos suite is told through its environment. Everything is checked before anything is started. */
import { environmentNumber } from '../environment-number.ts';
import { CHAOS_FAULTS } from './chaos-faults.ts';

export interface ChaosOptions {
  /** Of each run. */
  readonly seconds: number;
  readonly runs: number;
  /** Of the first run. */
  readonly seed: number;
  /** Names of the only faults there are; undefined: each run draws some. */
  readonly faults: readonly string[] | undefined;
  /** As long and as many as continuous integration has them: what such runs must reach is known. */
  readonly isFull: boolean;
}

const SECONDS = 60;
const RUNS = 3;
const DAY_MS = 86_400_000;

/** @throws {RangeError} naming the variable and what it may be. */
export function chaosOptions(env: Readonly<Record<string, string | undefined>>, nowMs: number): ChaosOptions {
  const number = environmentNumber(env);
  const seconds = number('CHAOS_SECONDS', SECONDS, 1, 86_400);
  const runs = number('CHAOS_RUNS', RUNS, 1, 1_000);
  const seed = number('CHAOS_SEED', Math.floor(nowMs / DAY_MS), 0, 0xffff_ffff - runs);
  const faults = env.CHAOS_FAULTS?.split(',').map((name) => faultNamed(name.trim()));
  return {
    seconds,
    runs,
    seed,
    faults,
    isFull: seconds === SECONDS && runs === RUNS && faults === undefined,
  };
}

function faultNamed(name: string): string {
  const names = CHAOS_FAULTS.map((fault) => fault.name);
  if (names.includes(name)) return name;
  throw new RangeError(`CHAOS_FAULTS: no such fault: ${name}; there are ${names.join(', ')}`);
}
