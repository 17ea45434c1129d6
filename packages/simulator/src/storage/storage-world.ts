/**
 * The storage campaigns as commands: `crashes`, `compactions` and `flips`. Prints what was reached and, for each failure, the
 * command that replays it. For the simulator's command line; holds no checks of its own.
 */
import { type CrashReplay, crashSeed, newCrashReport } from './crash-campaign.ts';
import { flipSeed, newFlipReport } from './flip-campaign.ts';
import { JudgeProcess } from './judge-process.ts';
import { flipRaftStore } from './raft-store-flips.ts';

export interface StorageWorldOptions {
  /** `compactions` are crashes of workloads whose logs are compacted. */
  readonly campaign: 'crashes' | 'compactions' | 'flips';
  /** How many crash states or damages to reach at least. */
  readonly states: number;
  readonly firstSeed: number;
  /** Replays one state of `firstSeed` instead. */
  readonly state?: number;
  /** An empty folder of a real disk, for stores that can use no other. */
  readonly scratchFolder: string;
  /** Milliseconds, from anywhere: only for telling the speed. */
  readonly nowMs: () => number;
  readonly print: (line: string) => void;
}

const COMMAND = 'node packages/simulator/dist/storage/storage-main.js';
const FAILURES_PRINTED = 10;
const PROGRESS_EVERY_MS = 10_000;

/** @returns whether nothing was violated. */
export async function runStorageWorld(options: StorageWorldOptions): Promise<boolean> {
  return options.campaign === 'flips' ? await runFlips(options) : await runCrashes(options);
}

async function runCrashes(options: StorageWorldOptions): Promise<boolean> {
  const { campaign, states, firstSeed, state, nowMs, print } = options;
  const isCompacting = campaign === 'compactions';
  const report = newCrashReport();
  const startedMs = nowMs();
  if (state !== undefined) {
    const replay: CrashReplay = {
      isWanted: (found) => found === state,
      inspect: (disk, views, phase) => {
        print(`-- after a crash: ${phase}`);
        for (const path of disk.paths()) print(`${String(disk.get(path)!.length).padStart(8)} ${path}`);
        for (const { topic, partition, durableTo, startMin } of views) {
          print(`${topic}-${partition}: promised from ${startMin} to ${durableTo}`);
        }
      },
    };
    await crashSeed(firstSeed, report, replay, isCompacting);
  }
  let toldMs = startedMs;
  for (let seed = firstSeed; state === undefined && report.states < states; seed++) {
    await crashSeed(seed, report, undefined, isCompacting);
    if (nowMs() - toldMs < PROGRESS_EVERY_MS) continue;
    toldMs = nowMs();
    print(`… ${report.states} states, ${report.failures.length} failures`);
  }
  const seconds = (nowMs() - startedMs) / 1000;
  const { seeds, points, exhausted, again, diskFailures, repairs, failures } = report;
  print(
    `${report.states} crash states (${again} of a second crash) at ${points} points of ${seeds} workloads, ` +
      `${exhausted} points exhaustively, in ${seconds.toFixed(1)} s: ${perSecond(report.states, seconds)}`,
  );
  print(`${diskFailures} operations failed (EIO, ENOSPC); ${repairs} logs found offline for repair after it`);
  for (const { seed, state: number, phase, error } of failures.slice(0, FAILURES_PRINTED)) {
    print(`FAILED ${phase}: ${textOf(error)}`);
    print(`  replay: ${COMMAND} ${campaign} --seed ${seed} --state ${number}`);
  }
  print(failures.length === 0 ? 'no acknowledged loss' : `${failures.length} failures`);
  return failures.length === 0;
}

async function runFlips(options: StorageWorldOptions): Promise<boolean> {
  const { states, firstSeed, state, scratchFolder, nowMs, print } = options;
  const report = newFlipReport();
  using judge = new JudgeProcess();
  const startedMs = nowMs();
  const last = state === undefined ? Number.MAX_SAFE_INTEGER : firstSeed;
  for (let seed = firstSeed; seed <= last && report.flips < states; seed++) {
    await flipSeed(seed, report, state);
    await flipRaftStore(seed, scratchFolder, report, (order) => judge.judge(order), state);
  }
  const seconds = (nowMs() - startedMs) / 1000;
  print('file                              harmless  rebuilt  detected  ended  untold  violation');
  for (const [type, counts] of [...report.outcomes].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const { harmless, rebuilt, detected, ended, untold, violation } = counts;
    print(
      `${type.padEnd(34)}${column(harmless, 8)}${column(rebuilt, 9)}${column(detected, 10)}${column(ended, 7)}${column(untold, 8)}${column(violation, 11)}`,
    );
  }
  print(
    `${report.flips} bit flips and ${report.others} cuts, losses and misdirected sectors in ${report.seeds} ` +
      `directories, in ${seconds.toFixed(1)} s: ${perSecond(report.flips + report.others, seconds)}`,
  );
  print(`LevelDB ended the process by an assertion of its own at ${report.endings.length} of them`);
  for (const { seed, damage, what, error } of report.endings.slice(0, FAILURES_PRINTED)) {
    print(`  seed ${seed}, state ${damage}, ${what}: ${textOf(error)}`);
  }
  for (const { seed, damage, what, error } of report.failures.slice(0, FAILURES_PRINTED)) {
    print(`FAILED ${what}: ${textOf(error)}`);
    print(`  replay: ${COMMAND} flips --seed ${seed} --state ${damage}`);
  }
  print(
    report.failures.length === 0 ? 'every damage detected or harmless' : `${report.failures.length} failures`,
  );
  return report.failures.length === 0;
}

function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${textOf(error.cause)}`;
}

function perSecond(count: number, seconds: number): string {
  return `${Math.round(count / Math.max(seconds, 0.001))} a second`;
}

function column(count: number, width: number): string {
  return String(count).padStart(width);
}
