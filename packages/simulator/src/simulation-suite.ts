/**
 * `npm run test:simulation`: as many seeds of every world as continuous integration has time for. Each count is printed by
 * the campaign that reached it. `--raft 500` and the like change one count; 0 leaves a campaign out.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { EXHAUSTIVE_STATES } from './exhaustive/exhaustive-options.ts';
import { runExhaustive } from './exhaustive/run-exhaustive.ts';
import { DEFAULT_LIMITS } from './exhaustive/search-quorums.ts';
import { orderOf, runCampaign } from './simulate/campaign.ts';
import { commitNow, failureReport, progressLine, summary } from './simulate/campaign-report.ts';
import { JOBS, type NumberRange, numberOption, SEEDS } from './simulate/number-option.ts';
import type { SimulateOptions } from './simulate/simulate-options.ts';
import { WorkerPool } from './simulate/worker-pool.ts';
import type { WorldName } from './simulate/worlds.ts';

interface Campaign {
  /** Of the option that changes the count. */
  readonly name: string;
  readonly title: string;
  readonly world: WorldName;
  readonly seeds: number;
  readonly firstSeed: number;
  readonly twice: boolean;
}

const PROGRESS_MS = 30_000;
/** Of the search, which has no seeds. */
const STATES: NumberRange = { least: 0, most: 2 ** 27 };

/** The column "CI" of reliability.md, section 7. A seed is about 12,000 crash states, or 520 bit flips. */
const CAMPAIGNS: readonly Campaign[] = [
  { name: 'raft', title: 'metadata quorums', world: 'raft', seeds: 5_000, firstSeed: 1, twice: false },
  { name: 'partition', title: 'partitions', world: 'partition', seeds: 2_000, firstSeed: 1, twice: false },
  { name: 'cluster', title: 'whole clusters', world: 'cluster', seeds: 1_000, firstSeed: 1, twice: false },
  { name: 'commits', title: 'commits of groups', world: 'commits', seeds: 60, firstSeed: 1, twice: false },
  { name: 'crashes', title: 'power losses', world: 'crashes', seeds: 9, firstSeed: 1, twice: false },
  { name: 'flips', title: 'bit flips', world: 'flips', seeds: 20, firstSeed: 1, twice: false },
  {
    name: 'raft-twice',
    title: 'same seed, same trace',
    world: 'raft',
    seeds: 25,
    firstSeed: 9_001,
    twice: true,
  },
  {
    name: 'cluster-twice',
    title: 'same seed, same trace',
    world: 'cluster',
    seeds: 25,
    firstSeed: 9_001,
    twice: true,
  },
];

async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: Object.fromEntries(
      [...CAMPAIGNS.map(({ name }) => name), 'exhaustive', 'jobs'].map((name) => [
        name,
        { type: 'string' as const },
      ]),
    ),
  });
  const number = (name: string, range: NumberRange): number | undefined => {
    const text = values[name];
    return typeof text === 'string' ? numberOption(`--${name}`, text, range) : undefined;
  };
  const jobs = number('jobs', JOBS) ?? availableParallelism();
  const counts = CAMPAIGNS.map(({ name, seeds }) => number(name, SEEDS) ?? seeds);
  const statesMax = number('exhaustive', STATES) ?? EXHAUSTIVE_STATES;
  let failed = 0;
  if (statesMax > 0) {
    console.log('every state of three voters');
    if (!runExhaustive({ ...DEFAULT_LIMITS, statesMax }, () => performance.now())) failed += 1;
  }
  using pool = new WorkerPool();
  for (const [i, campaign] of CAMPAIGNS.entries()) {
    const seeds = counts[i]!;
    if (seeds > 0) failed += await run(campaign, seeds, jobs, pool);
  }
  console.log(failed === 0 ? 'every seed kept every invariant' : `${failed} seeds or searches failed`);
  return failed === 0 ? 0 : 1;
}

/** @returns how many seeds failed. */
async function run(
  { title, world, firstSeed, twice }: Campaign,
  seeds: number,
  jobs: number,
  pool: WorkerPool,
): Promise<number> {
  const options: SimulateOptions = {
    world,
    firstSeed,
    seedCount: seeds,
    twice,
    // Twice as many processes would wait for each other.
    jobs: twice ? Math.max(1, Math.floor(jobs / 2)) : jobs,
    minutes: undefined,
    faults: undefined,
    faultsMs: undefined,
    clientsMax: undefined,
    hasGroups: undefined,
    hasClassic: undefined,
    trace: false,
    shrink: false,
    keepGoing: true,
    json: undefined,
  };
  let shownMs = 0;
  const totals = await runCampaign(options, {
    run: (order) => pool.run(order),
    nowMs: () => performance.now(),
    onSeed: (sums, result) => {
      if (result.failure !== undefined)
        console.log(failureReport(orderOf(options, result.seed), result, commitNow()));
      if (sums.realMs - shownMs < PROGRESS_MS) return;
      shownMs = sums.realMs;
      console.error(progressLine(world, sums, seeds));
    },
  });
  console.log(`${title}${twice ? ', each twice' : ''}`);
  console.log(summary(world, totals, seeds));
  return totals.failures.length;
}

process.exitCode = await main(process.argv.slice(2));
