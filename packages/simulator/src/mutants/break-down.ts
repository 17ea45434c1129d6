/**
 * Tells a promise that was broken from code that merely fell over: a mutant that calls what is no function proves nothing
 * about whoever watches. Judges errors only; knows no mutants.
 */
import { SimulationFailure, TIME_STANDS_STILL } from '../world/simulation-failure.ts';

/** What the language throws where code makes no sense. Production code throws errors of its own. */
const OF_THE_LANGUAGE = [TypeError, ReferenceError, RangeError, SyntaxError];

/** Whether this, or what caused it, is no verdict of an invariant, an assertion of production or a check of a world. */
export function isBreakDown(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (OF_THE_LANGUAGE.some((kind) => error instanceof kind)) return true;
  if (error instanceof SimulationFailure && error.violation === TIME_STANDS_STILL) return true;
  return isBreakDown(error.cause);
}
