/**
 * The process of one mutant, or of none: `node [--import apply-mutant.js] run-mutant.js <world> <first seed> <seeds>`.
 * Ends at the first broken promise. Its last line is a `MutantVerdict` as JSON.
 */
import { isMutantWorld, loadWorld } from './mutant-worlds.ts';

export interface MutantVerdict {
  /** Tried, the last one included. */
  readonly seeds: number;
  /** The seed that broke a promise. */
  readonly killedBy: number | undefined;
  /** Which promise was broken; without one, how the last seed that broke down did. */
  readonly violation: string | undefined;
  /** Seeds in which the code fell over without any promise being seen broken. */
  readonly breakDowns: number;
}

/** A mutant that falls over in so many seeds, and never breaks a promise, is no mutant of this guard. */
const BREAK_DOWNS_MAX = 20;

const [world = '', first, count] = process.argv.slice(2);
if (!isMutantWorld(world)) throw new RangeError(`there is no world "${world}"`);
const run = await loadWorld(world);

async function judge(from: number, seedsMax: number): Promise<MutantVerdict> {
  let breakDowns = 0;
  let violation: string | undefined;
  for (let seeds = 1; seeds <= seedsMax; seeds++) {
    const found = await run(from + seeds - 1);
    if (found === undefined) continue;
    violation = found.text;
    if (!found.isBreakDown) return { seeds, killedBy: from + seeds - 1, violation, breakDowns };
    breakDowns += 1;
    if (breakDowns === BREAK_DOWNS_MAX) return { seeds, killedBy: undefined, violation, breakDowns };
  }
  return { seeds: seedsMax, killedBy: undefined, violation, breakDowns };
}

const verdict = await judge(Number(first), Number(count));
console.log(JSON.stringify(verdict));
// What a mutant left behind, a timer or a rejected promise, decides nothing any more.
process.exit(0);
