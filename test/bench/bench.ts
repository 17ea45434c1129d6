/**
 * `npm run bench`: what the issue asks of speed, each figure beside a floor measured in the same run. Servers and
 * clients are real processes on loopback; data lies on a real disk and is removed at the end.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BenchOptions, parseBenchOptions, USAGE } from './bench-options.ts';
import { Floors } from './floor/floors.ts';
import { describeMachine, isInMemory, type Machine } from './machine.ts';
import type { Bench, Row, RowResult } from './row.ts';
import { compactionRow } from './rows/compaction.ts';
import { consumeRow } from './rows/consume.ts';
import { endToEndRow } from './rows/end-to-end.ts';
import { fixedRateRow } from './rows/fixed-rate.ts';
import { floorRow } from './rows/floors.ts';
import { groupsRow } from './rows/groups.ts';
import { idleRow } from './rows/idle.ts';
import { kafkaGrowthRow } from './rows/kafka-growth.ts';
import { killLeaderRow } from './rows/kill-leader.ts';
import { metadataRow } from './rows/metadata.ts';
import { produceRows } from './rows/produce.ts';
import { protocolRow } from './rows/protocol.ts';
import { startRow } from './rows/start.ts';
import { formatTable } from './table.ts';
import { versus } from './versus/versus.ts';

const ROWS: readonly Row[] = [
  floorRow,
  ...produceRows,
  consumeRow,
  endToEndRow,
  fixedRateRow,
  killLeaderRow,
  startRow,
  idleRow,
  metadataRow,
  protocolRow,
  compactionRow,
  groupsRow,
  kafkaGrowthRow,
];

const QUICK_FLOOR_MS = 1_000;
const FLOOR_MS = 3_000;

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Those asked for, and those that they need, in the table's order. */
function chosenRows(only: readonly string[] | undefined): readonly Row[] {
  if (!only) return ROWS;
  const names = new Set(only);
  for (const row of [...ROWS].reverse()) {
    if (names.has(row.name)) for (const name of row.needs ?? []) names.add(name);
  }
  return ROWS.filter(({ name }) => names.has(name));
}

interface Run {
  readonly machine: Machine;
  readonly results: readonly RowResult[];
  readonly failures: readonly string[];
}

async function runRows(folder: string, options: BenchOptions): Promise<Run> {
  const floors = new Floors(folder, options.quick ? QUICK_FLOOR_MS : FLOOR_MS);
  const bench: Bench = {
    folder,
    measureMs: options.seconds * 1000,
    warmupMs: Math.max(1_500, options.seconds * 500),
    quick: options.quick,
    floors,
    figures: new Map(),
    say: (text) => say(`  ${text}`),
  };
  const machine = describeMachine(folder);
  const results: RowResult[] = [];
  const failures: string[] = [];
  for (const row of chosenRows(options.only)) {
    say(row.name);
    try {
      results.push(...(await row.run(bench)));
    } catch (error) {
      failures.push(
        `${row.name}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      );
      say(`  failed: ${String(error)}`);
    }
  }
  return { machine, results: [...results, ...floors.results], failures };
}

async function main(args: readonly string[]): Promise<number> {
  if (args.includes('--help')) {
    process.stdout.write(`${USAGE}\n`);
    return 0;
  }
  let options: BenchOptions | undefined;
  try {
    options = parseBenchOptions(
      args,
      ROWS.map(({ name }) => name),
    );
  } catch (error) {
    say(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    return 2;
  }
  if (!options) {
    process.stdout.write(`${ROWS.map(({ name }) => name).join('\n')}\n`);
    return 0;
  }
  const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
  try {
    if (isInMemory(folder)) say(`${folder} is in memory: set TMPDIR to a folder on the disk to measure`);
    const run = await runRows(folder, options);
    process.stdout.write(`\n${JSON.stringify(run.machine)}\n\n${formatTable(run.results)}\n`);
    if (options.json) writeFileSync(options.json, `${JSON.stringify({ options, ...run }, undefined, 2)}\n`);
    for (const failure of run.failures) say(`\nfailed: ${failure}`);
    return run.failures.length === 0 ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const args = process.argv.slice(2);
process.exitCode = await (args.includes('--versus') ? versus(args) : main(args));
