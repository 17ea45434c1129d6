/** What the fuzzer is told through its environment. Everything is checked before anything is started. */
import { environmentNumber } from '../environment-number.ts';

export interface FuzzOptions {
  /** Mutated frames that the node must have dealt with. */
  readonly frames: number;
  readonly seed: number;
}

const FRAMES = 1_000_000;
const SEED = 1;

/** @throws {RangeError} naming the variable and what it may be. */
export function fuzzOptions(env: Readonly<Record<string, string | undefined>>): FuzzOptions {
  const number = environmentNumber(env);
  return {
    frames: number('FUZZ_FRAMES', FRAMES, 1_000, 1_000_000_000),
    seed: number('FUZZ_SEED', SEED, 0, 0xffff_ffff),
  };
}
