/** `npm run simulate -- --mutants [names|count|all] [--seeds-max N] [--jobs N]`. Only reads options. */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { DEFAULT_SEEDS_MAX, killMutants } from './kill-mutants.ts';

/** @param args without the first one. @returns the exit code: 1 if a mutant survived. @throws {RangeError | TypeError} naming what is wrong. */
export async function mutantsCommand(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { 'seeds-max': { type: 'string' }, jobs: { type: 'string' } },
  });
  const isWell = await killMutants({
    mutants: positionals[0] ?? 'all',
    seedsMax: Number(values['seeds-max'] ?? DEFAULT_SEEDS_MAX),
    jobs: Number(values.jobs ?? availableParallelism()),
    nowMs: () => performance.now(),
    print: (line) => console.log(line),
  });
  return isWell ? 0 : 1;
}
