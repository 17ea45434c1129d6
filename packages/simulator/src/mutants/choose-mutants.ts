/** Which mutants a command line names: some of them, so many of them, or all. */
import { numberOption } from '../simulate/number-option.ts';
import type { Mutant } from './mutant.ts';
import { MUTANTS } from './mutants.ts';

/**
 * Those that a count takes first: of every world, and each dead within its first seeds, so that a few of them show in a
 * moment that every world still bites.
 */
export const SAMPLE: readonly string[] = [
  'journal-round-not-synced',
  'leader-counts-what-it-has-not-flushed',
  'watermark-moves-below-min-isr',
  'group-answers-before-commit',
  'group-takes-commits-of-an-older-epoch',
  'classic-commits-of-an-older-generation',
  'log-shorter-than-its-durable-point',
  'no-check-quorum',
  'truncate-to-the-watermark',
  'partition-given-before-it-was-released',
  'read-without-a-round',
  'vote-for-an-older-log',
];

/** @param wanted names, a count, or `all`. @throws {RangeError} naming what is not there. */
export function chooseMutants(wanted: string): readonly Mutant[] {
  if (wanted === 'all') return MUTANTS;
  if (/^[-+.\d]/.test(wanted)) {
    const count = numberOption('--mutants', wanted, { least: 1, most: MUTANTS.length });
    const rest = MUTANTS.filter(({ name }) => !SAMPLE.includes(name));
    return [...SAMPLE.map(named), ...rest].slice(0, count);
  }
  return wanted.split(',').map((name) => named(name.trim()));
}

function named(name: string): Mutant {
  const mutant = MUTANTS.find((each) => each.name === name);
  if (mutant === undefined) throw new RangeError(`there is no mutant "${name}"`);
  return mutant;
}
