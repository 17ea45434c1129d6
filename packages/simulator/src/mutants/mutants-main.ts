/** `node dist/mutants/mutants-main.js [names|count|all] [--seeds-max N] [--jobs N]`. Exit code 1 if a mutant survives. */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { DEFAULT_SEEDS_MAX, killMutants } from './kill-mutants.ts';

const { values, positionals } = parseArgs({
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
process.exitCode = isWell ? 0 : 1;
