/** `npm run simulate`: runs seeds of a world, shows how far it is, and of a failure all that is needed to see it again. */
import { openSync, writeFileSync } from 'node:fs';
import { EXHAUSTIVE_HELP, parseExhaustiveOptions } from './exhaustive/exhaustive-options.ts';
import { replayScript, runExhaustive } from './exhaustive/run-exhaustive.ts';
import { killMutants } from './mutants/kill-mutants.ts';
import { parseMutantsOptions } from './mutants/mutants-command.ts';
import { orderOf, runCampaign, type Totals } from './simulate/campaign.ts';
import {
  commitNow,
  failureReport,
  progressLine,
  replayCommand,
  summary,
} from './simulate/campaign-report.ts';
import { runSeed, type SeedResult } from './simulate/seed-worker.ts';
import { shrink } from './simulate/shrink.ts';
import { parseSimulateOptions, SIMULATE_HELP, type SimulateOptions } from './simulate/simulate-options.ts';
import { WorkerPool } from './simulate/worker-pool.ts';
import { loadWorld, WORLD_CHOICES } from './simulate/worlds.ts';
import { FaultPlan } from './world/fault-plan.ts';
import { formatTraced } from './world/simulation-failure.ts';
import { World } from './world/world.ts';

const PROGRESS_MS = 2_000;

async function main(args: readonly string[]): Promise<number> {
  if (args[0] === '--mutants') {
    const chosen = parse(() => parseMutantsOptions(args.slice(1)));
    if (typeof chosen === 'number') return chosen;
    const print = (line: string): void => console.log(line);
    return (await killMutants({ ...chosen, nowMs: () => performance.now(), print })) ? 0 : 1;
  }
  if (args.join(' ').match(/(^| )--world[ =]exhaustive( |$)/)) return searchEverything(args);
  const options = parse(() => parseSimulateOptions(args));
  if (typeof options === 'number') return options;
  if (options.trace) return await traceOne(options);
  const json = parse(() => openForJson(options.json));
  if (typeof json === 'number') return json;
  using pool = new WorkerPool();
  const progress = new Progress(options);
  const totals = await runCampaign(options, {
    run: (order) => pool.run(order),
    nowMs: () => performance.now(),
    onSeed: (sums, result) => {
      progress.show(sums);
      if (result.failure === undefined) return;
      console.log(failureReport(orderOf(options, result.seed), result, commitNow()));
    },
  });
  progress.end();
  console.log(summary(options.world, totals, options.seedCount));
  if (json.file !== undefined) writeFileSync(json.file, jsonOf(options, totals));
  const [failed] = totals.failures;
  if (failed === undefined) return 0;
  if (options.shrink) await shrinkOne(options, failed, pool);
  return 1;
}

/** What was asked for; or the exit code, once the help or what is wrong has been shown. */
function parse<T extends object | undefined>(read: () => T, help = SIMULATE_HELP): NonNullable<T> | number {
  try {
    const options = read();
    if (options !== undefined) return options as NonNullable<T>;
    console.log(help);
    return 0;
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${help}`);
    return 2;
  }
}

/** No seed decides here: all that can happen does. */
function searchEverything(args: readonly string[]): number {
  const options = parse(() => parseExhaustiveOptions(args), EXHAUSTIVE_HELP);
  if (typeof options === 'number') return options;
  const { script } = options;
  if (script === undefined) return runExhaustive(options, () => performance.now()) ? 0 : 1;
  const isWell = parse(() => ({ kept: replayScript(script) }), EXHAUSTIVE_HELP);
  return typeof isWell === 'number' ? isWell : Number(!isWell.kept);
}

/** One seed in this process, every event as it comes. */
async function traceOne(options: SimulateOptions): Promise<number> {
  const order = orderOf(options, options.firstSeed);
  const result = await runSeed(order, {
    ...order.options,
    onTraced: (process, event) => console.log(`${formatTraced(event)}  [${process || 'world'}]`),
  });
  if (result.failure === undefined) {
    console.log(JSON.stringify(result.outcome));
    return 0;
  }
  console.log(failureReport(order, result, commitNow()));
  return 1;
}

async function shrinkOne(options: SimulateOptions, failed: SeedResult, pool: WorkerPool): Promise<void> {
  const order = orderOf(options, failed.seed);
  const { only } = order.options;
  const plan = FaultPlan.draw(new World({ seed: failed.seed }).streams.plan, only && { only });
  const faults = WORLD_CHOICES[options.world].faults.filter((fault) => plan.has(fault));
  const faultsMs = options.faultsMs ?? (await loadWorld(options.world)).faultsMs;
  console.log('looking for a smaller failure ...');
  const smallest = await shrink(order, failed.failure!.violation, faults, faultsMs, {
    run: (smaller) => pool.run(smaller),
    onSmaller: (smaller) => console.log(`  fails too: ${replayCommand(smaller)}`),
  });
  console.log(`smallest:  ${replayCommand(smallest)}`);
}

/** One line, written over itself on a terminal. */
class Progress {
  readonly #options: SimulateOptions;
  #shownMs = 0;

  constructor(options: SimulateOptions) {
    this.#options = options;
  }

  show(totals: Totals): void {
    const interval = process.stderr.isTTY ? PROGRESS_MS / 10 : PROGRESS_MS * 10;
    if (totals.realMs - this.#shownMs < interval) return;
    this.#shownMs = totals.realMs;
    const line = progressLine(this.#options.world, totals, this.#options.seedCount);
    process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${line}` : `${line}\n`);
  }

  end(): void {
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  }
}

/** Before anything else is done: hours of seeds must not end at a folder that is not there. */
function openForJson(path: string | undefined): { readonly file: number | undefined } {
  return { file: path === undefined ? undefined : openSync(path, 'w') };
}

function jsonOf(options: SimulateOptions, { counts, faults, failures, ...sums }: Totals): string {
  const found = failures.map((result) => ({
    seed: result.seed,
    ...result.failure,
    replay: replayCommand(orderOf(options, result.seed)),
  }));
  const tables = { counts: Object.fromEntries(counts), faults: Object.fromEntries(faults) };
  return `${JSON.stringify({ world: options.world, commit: commitNow(), ...sums, ...tables, failures: found }, undefined, 2)}\n`;
}

/** As a program that writes to a closed pipe ends: nobody reads the rest. */
const EXIT_BROKEN_PIPE = 141;
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? EXIT_BROKEN_PIPE : 1);
});

process.exitCode = await main(process.argv.slice(2));
