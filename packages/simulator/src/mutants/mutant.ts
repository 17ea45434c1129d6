/**
 * A guard that can be taken out of production code, to see whether the simulator misses it. Production code has no
 * switches for this: one module of a test process is compiled anew from its source with the guard's text replaced.
 */
import { invariant } from '@millrace/core';
import type { MutantWorld } from './mutant-worlds.ts';

export interface Mutant {
  /** What is wrong with the code then: `vote-twice-in-a-term`. */
  readonly name: string;
  /** The rules of which this is the guard: `Q5`, `P9`. */
  readonly rule: string;
  /** The world whose seeds must kill it. */
  readonly world: MutantWorld;
  /** Source of the module, from `packages/`: `raft/src/election.ts`. */
  readonly module: string;
  /** Stands in the source exactly once. */
  readonly guard: string;
  readonly replacement: string;
}

/** The module's source without the guard. Breaks if the guard is not there exactly once: the code has moved on. */
export function mutate({ name, module, guard, replacement }: Mutant, source: string): string {
  const places = source.split(guard).length - 1;
  invariant(places === 1, 'a mutant must find its guard exactly once', { name, module, places });
  // A function, so that a `$` in the replacement means itself.
  return source.replace(guard, () => replacement);
}
