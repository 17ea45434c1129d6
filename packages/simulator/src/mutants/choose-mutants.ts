/** Which mutants a command line names: some of them, so many of them, or all. */
import { numberOption } from '../simulate/number-option.ts';
import type { Mutant } from './mutant.ts';
import { MUTANTS } from './mutants.ts';

/** @param wanted names, a count that is spread over the table, or `all`. @throws {RangeError} naming what is not there. */
export function chooseMutants(wanted: string): readonly Mutant[] {
  if (wanted === 'all') return MUTANTS;
  if (/^[-+.\d]/.test(wanted)) {
    const count = numberOption('--mutants', wanted, { least: 1, most: MUTANTS.length });
    return Array.from({ length: count }, (_, i) => MUTANTS[Math.floor((i * MUTANTS.length) / count)]!);
  }
  return wanted.split(',').map((name) => {
    const mutant = MUTANTS.find((each) => each.name === name.trim());
    if (mutant === undefined) throw new RangeError(`there is no mutant "${name}"`);
    return mutant;
  });
}
