/**
 * `npm run bench -- --versus kafka`: Apache Kafka and Millrace in one run, under the same clients, in interleaved
 * slices. What a machine lacks is said, and nothing is measured instead.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isContinuousIntegration } from '../../compat/toolchain.ts';
import { describeMachine, isInMemory } from '../machine.ts';
import { Arena, type Measuring, type VersusRow } from './arena.ts';
import type { Comparison } from './comparison.ts';
import { endOnSignals, endsWithUs } from './ended-with-us.ts';
import { lackOfTools, loadTools } from './load-tools.ts';
import { markdownTable, progressText } from './markdown.ts';
import { consumeRows } from './rows/consume.ts';
import { gapRow } from './rows/gap.ts';
import { javaRows } from './rows/java.ts';
import { latencyRows } from './rows/latency.ts';
import { memoryRows } from './rows/memory.ts';
import { noiseRows } from './rows/noise.ts';
import { produceRows } from './rows/produce.ts';
import { startRows } from './rows/start.ts';
import { togetherRows } from './rows/together.ts';
import { parseVersusOptions, VERSUS_USAGE, type VersusOptions } from './versus-options.ts';

const ROWS: readonly VersusRow[] = [
  ...noiseRows,
  ...produceRows,
  ...consumeRows,
  ...togetherRows,
  ...javaRows,
  ...latencyRows,
  ...memoryRows,
  gapRow,
  ...startRows,
];

const WARMUP_SLICES = 3;

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

interface Outcome {
  readonly comparisons: ReadonlyMap<string, readonly Comparison[]>;
  readonly failures: readonly string[];
}

async function runRows(measuring: Measuring, rows: readonly VersusRow[]): Promise<Outcome> {
  const comparisons = new Map<string, readonly Comparison[]>();
  const failures: string[] = [];
  const startedMs = performance.now();
  const run = async (row: VersusRow, measure: () => Promise<readonly Comparison[]>): Promise<void> => {
    say(`${((performance.now() - startedMs) / 1_000).toFixed(0)} s: ${row.name}`);
    try {
      const found = await measure();
      comparisons.set(row.name, found);
      for (const comparison of found) say(`  ${progressText(comparison)}`);
    } catch (error) {
      failures.push(
        `${row.name}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      );
      say(`  failed: ${String(error)}`);
    }
  };
  for (const nodes of [1, 3] as const) {
    const here = rows.filter((row) => row.nodes === nodes);
    if (here.length === 0) continue;
    await Arena.run(measuring, nodes, async (arena) => {
      for (const row of here) await run(row, () => row.run(measuring, arena));
    });
  }
  for (const row of rows) if (row.nodes === undefined) await run(row, () => row.run(measuring));
  return { comparisons, failures };
}

async function measure(options: VersusOptions, folder: string): Promise<number> {
  const lack = await lackOfTools();
  if (lack !== undefined) {
    say(`skipped, every row: ${lack}`);
    return isContinuousIntegration ? 1 : 0;
  }
  say('fetching and building what is measured with (once)');
  const tools = await loadTools();
  const sliceMs = options.seconds * 1_000;
  const measuring: Measuring = {
    tools,
    folder,
    pairs: options.pairs,
    sliceMs,
    warmupMs: sliceMs * WARMUP_SLICES,
    say: (text) => say(`  ${text}`),
  };
  const machine = describeMachine(folder);
  const rows = ROWS.filter(({ name }) => options.only?.includes(name) ?? true);
  const { comparisons, failures } = await runRows(measuring, rows);
  const inOrder = ROWS.flatMap(({ name }) => comparisons.get(name) ?? []);
  process.stdout.write(`\n${JSON.stringify(machine)}\n\n${markdownTable(inOrder)}\n`);
  if (options.json !== undefined) {
    writeFileSync(
      options.json,
      `${JSON.stringify({ options, machine, comparisons: inOrder }, undefined, 2)}\n`,
    );
  }
  for (const failure of failures) say(`\nfailed: ${failure}`);
  return failures.length === 0 ? 0 : 1;
}

/** @returns the exit code. */
export async function versus(args: readonly string[]): Promise<number> {
  if (args.includes('--help')) {
    process.stdout.write(`${VERSUS_USAGE}\n`);
    return 0;
  }
  const names = ROWS.map(({ name }) => name);
  let options: VersusOptions | undefined;
  try {
    options = parseVersusOptions(args, names);
  } catch (error) {
    say(`${error instanceof Error ? error.message : String(error)}\n\n${VERSUS_USAGE}`);
    return 2;
  }
  if (!options) {
    process.stdout.write(`${names.join('\n')}\n`);
    return 0;
  }
  const folder = mkdtempSync(join(tmpdir(), 'millrace-versus-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  endOnSignals();
  endsWithUs(remove);
  try {
    if (isInMemory(folder)) say(`${folder} is in memory: set TMPDIR to a folder on the disk to measure`);
    return await measure(options, folder);
  } finally {
    remove();
  }
}
