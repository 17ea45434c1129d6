/**
 * The process of one mutant, or of none: `node [--import apply-mutant.js] run-mutant.js <world> <first seed> <seeds>`.
 * Ends at the first violation. Its last line is a `MutantVerdict` as JSON.
 */
import { isMutantWorld, loadWorld } from './mutant-worlds.ts';

export interface MutantVerdict {
  /** Tried, the last one included. */
  readonly seeds: number;
  /** The seed that broke a promise, and which. */
  readonly killedBy: number | undefined;
  readonly violation: string | undefined;
}

const [world = '', first, count] = process.argv.slice(2);
if (!isMutantWorld(world)) throw new RangeError(`there is no world "${world}"`);
const run = await loadWorld(world);
const end = Number(first) + Number(count);
let verdict: MutantVerdict = { seeds: Number(count), killedBy: undefined, violation: undefined };
for (let seed = Number(first); seed < end; seed++) {
  const violation = await run(seed);
  if (violation === undefined) continue;
  verdict = { seeds: seed - Number(first) + 1, killedBy: seed, violation };
  break;
}
console.log(JSON.stringify(verdict));
// What a mutant left behind, a timer or a rejected promise, decides nothing any more.
process.exit(0);
