/** `npm run simulate -- --mutants [names|count|all] [--seeds-max N] [--jobs N]`. Only reads options. */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { JOBS, numberOption, SEEDS } from '../simulate/number-option.ts';
import { chooseMutants } from './choose-mutants.ts';
import { DEFAULT_SEEDS_MAX, type KillMutantsOptions } from './kill-mutants.ts';

/** @param args without the first one. @throws {RangeError | TypeError} naming what is wrong. @returns undefined for help. */
export function parseMutantsOptions(
  args: readonly string[],
): Pick<KillMutantsOptions, 'mutants' | 'seedsMax' | 'jobs'> | undefined {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      'seeds-max': { type: 'string' },
      jobs: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const [wanted = 'all', beyond] = positionals;
  if (beyond !== undefined) throw new RangeError(`${beyond}: names of mutants are separated by commas`);
  const seedsMax = values['seeds-max'];
  return {
    mutants: chooseMutants(wanted),
    seedsMax:
      seedsMax === undefined
        ? DEFAULT_SEEDS_MAX
        : numberOption('--seeds-max', seedsMax, { least: 1, most: SEEDS.most }),
    jobs: values.jobs === undefined ? availableParallelism() : numberOption('--jobs', values.jobs, JOBS),
  };
}
