/**
 * Does the simulator bite? Each mutant lives seeds of its world, in a process of its own, until one breaks a promise; a
 * mutant that none kills is a promise that nobody checks. The code as it is must survive as many seeds as were needed.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import type { Mutant } from './mutant.ts';
import type { MutantWorld } from './mutant-worlds.ts';
import type { MutantVerdict } from './run-mutant.ts';

export interface KillMutantsOptions {
  readonly mutants: readonly Mutant[];
  readonly seedsMax: number;
  /** Processes at a time. */
  readonly jobs: number;
  /** Milliseconds, from anywhere. */
  readonly nowMs: () => number;
  readonly print: (line: string) => void;
}

export const DEFAULT_SEEDS_MAX = 3_000;
const NAME_WIDTH = 44;

/** @returns whether all were killed, and the code as it is was not. */
export async function killMutants(options: KillMutantsOptions): Promise<boolean> {
  const { mutants: chosen, seedsMax, jobs, nowMs, print } = options;
  const startedMs = nowMs();
  const needed = new Map<MutantWorld, number>();
  const kills: number[] = [];
  await eachOf(chosen, jobs, async (mutant) => {
    const verdict = await judge(mutant.world, 1, seedsMax, mutant.name);
    const { seeds, killedBy } = verdict;
    if (killedBy !== undefined) {
      kills.push(seeds);
      needed.set(mutant.world, Math.max(seeds, needed.get(mutant.world) ?? 0));
    }
    print(
      `${mutant.name.padEnd(NAME_WIDTH)} ${mutant.rule.padEnd(8)} ${mutant.world.padEnd(9)} ${endOf(verdict)}`,
    );
  });
  let isCanaryWell = true;
  await eachOf([...needed], jobs, async ([world, seeds]) => {
    const { killedBy, violation } = await judge(world, 1, seeds, undefined);
    if (killedBy === undefined && violation === undefined) {
      print(`${'no mutant'.padEnd(NAME_WIDTH)} ${''.padEnd(8)} ${world.padEnd(9)} survives ${seeds} seeds`);
      return;
    }
    isCanaryWell = false;
    print(`no mutant at all: seed ${killedBy} of ${world} fails: ${violation}`);
  });
  const seconds = ((nowMs() - startedMs) / 1000).toFixed(0);
  print(
    `${kills.length} of ${chosen.length} mutants killed, in ${median(kills)} seeds in the median, ${seconds} s`,
  );
  return kills.length === chosen.length && isCanaryWell;
}

function endOf({ seeds, killedBy, violation, breakDowns }: MutantVerdict): string {
  if (killedBy !== undefined) return `killed by seed ${killedBy} after ${seeds} seeds: ${violation}`;
  if (seeds === 0) return `BROKE DOWN with its process, which is no kill: ${violation}`;
  if (breakDowns > 0) return `BROKE DOWN in ${breakDowns} of ${seeds} seeds, which is no kill: ${violation}`;
  return `SURVIVED ${seeds} seeds${violation === undefined ? '' : `: ${violation}`}`;
}

async function judge(
  world: MutantWorld,
  first: number,
  count: number,
  mutant: string | undefined,
): Promise<MutantVerdict> {
  const path = (module: string): string => new URL(module, import.meta.url).pathname;
  const preload = mutant === undefined ? [] : ['--import', path('./apply-mutant.js')];
  const child = spawn(
    process.execPath,
    [...preload, path('./run-mutant.js'), world, String(first), String(count)],
    {
      env: { ...process.env, ...(mutant !== undefined && { MILLRACE_MUTANT: mutant }) },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const ended = once(child, 'exit');
  const [out, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  await ended;
  const last = out.trimEnd().split('\n').at(-1) ?? '';
  if (last.startsWith('{')) return JSON.parse(last) as MutantVerdict;
  // A world that breaks down instead of telling is no verdict.
  const violation = errors.trimEnd().split('\n').slice(-3).join(' ');
  return { seeds: 0, killedBy: undefined, violation: `the process ended: ${violation}`, breakDowns: 1 };
}

/** In the order given, `jobs` at a time. */
async function eachOf<T>(items: readonly T[], jobs: number, run: (item: T) => Promise<void>): Promise<void> {
  const waiting = [...items];
  const work = async (): Promise<void> => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await run(item);
  };
  await Promise.all(Array.from({ length: jobs }, work));
}

function median(counts: readonly number[]): number {
  const ascending = [...counts].sort((a, b) => a - b);
  return ascending[Math.floor(ascending.length / 2)] ?? 0;
}
