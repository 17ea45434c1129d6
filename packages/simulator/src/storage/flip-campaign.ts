/**
 * Damage at rest: single bits flipped, files cut, lost or overwritten by another sector, in every type of file of
 * a data directory, after clean and unclean stops. Each must be noticed (an error, or the replica offline for
 * repair) or do no harm: the directory opens and every promised byte is read back.
 */
import { below, type Logger, ManualClock, MillraceError, SeededRandom, silentLogger } from '@millrace/core';
import { DROP_ALL } from '../disk/crash-choices.ts';
import { SimDisk } from '../disk/sim-disk.ts';
import type { LedgerView } from './log-ledger.ts';
import { settled } from './pass-time.ts';
import { HOME, IDENTITY, recoverStore } from './recover-store.ts';
import { StorageViolation } from './recovered-log-check.ts';
import { StorageWorkload } from './storage-workload.ts';

const STEPS = 120;
/** Damages of one directory, before the next seed makes another. */
const PER_DISK = 250;

/** `harmless`: nobody noticed, and nothing was lost; `rebuilt`: a line in the log tells of it; `detected`: an error. */
export type FlipOutcome = 'harmless' | 'rebuilt' | 'detected' | 'violation';

export interface FlipFailure {
  readonly seed: number;
  readonly damage: number;
  readonly what: string;
  readonly error: unknown;
}

export interface FlipReport {
  flips: number;
  others: number;
  seeds: number;
  /** Of each type of file, how often each outcome. */
  readonly outcomes: Map<string, Record<FlipOutcome, number>>;
  readonly failures: FlipFailure[];
}

export function newFlipReport(): FlipReport {
  return { flips: 0, others: 0, seeds: 0, outcomes: new Map(), failures: [] };
}

interface AtRest {
  readonly image: SimDisk;
  readonly views: readonly LedgerView[];
  /** Lines that a recovery of the undamaged directory logs. */
  readonly lines: number;
}

/** All damages of one seed, added to the report. @param only the one damage to look at */
export async function flipSeed(seed: number, report: FlipReport, only?: number): Promise<void> {
  report.seeds++;
  const atRest = await directoryAtRest(seed);
  const { image } = atRest;
  const types = new Map<string, string[]>();
  for (const path of image.paths()) {
    const type = fileType(path);
    types.set(type, [...(types.get(type) ?? []), path]);
  }
  const names = [...types.keys()].sort();
  for (let damage = 0; damage < PER_DISK; damage++) {
    if (only !== undefined && only !== damage) continue;
    const random = new SeededRandom(seed * 7919 + damage);
    const type = names[below(random, names.length)]!;
    const paths = types.get(type)!;
    const disk = image.copy({});
    const path = paths[below(random, paths.length)]!;
    const what = damageFile(disk, path, random, report);
    if (what === undefined) continue;
    await judge(disk, atRest, type, { seed, damage, what }, report);
  }
}

/** Everything on it is durable, and damaged from then on. */
async function directoryAtRest(seed: number): Promise<AtRest> {
  const disk: SimDisk = new SimDisk();
  const workload = new StorageWorkload(seed, disk);
  await workload.run(STEPS);
  if (seed % 2 === 0) await workload.stop();
  else await workload.rest();
  const views = workload.views();
  // A note that never reached the disk tells nothing: that and damage at once are two faults.
  for (const path of disk.paths()) if (path.endsWith('/durable-end')) disk.writeBack(path);
  disk.crash(DROP_ALL);
  return { image: disk, views, lines: await linesOfRecovery(disk.copy({}), views, 0) };
}

/** @returns how many lines that somebody should read were logged. */
async function linesOfRecovery(disk: SimDisk, views: readonly LedgerView[], seed: number): Promise<number> {
  let lines = 0;
  const note = (): void => {
    lines++;
  };
  const logger: Logger = { ...silentLogger, warn: note, error: note, child: () => logger };
  const clock = new ManualClock();
  const random = new SeededRandom(seed);
  const options = { fileSystem: disk.mount(), clock, random, views, logger, isFormatted: true } as const;
  const { store } = await settled(clock, recoverStore({ ...options, survives: 'durable' }));
  if (store.directoryId !== IDENTITY.directoryId) throw new Error(`the directory id is ${store.directoryId}`);
  return lines;
}

/** @returns what was done, for people; undefined for an empty file, which cannot be damaged. */
function damageFile(
  disk: SimDisk,
  path: string,
  random: SeededRandom,
  report: FlipReport,
): string | undefined {
  const { length } = disk.get(path)!;
  if (length === 0) return undefined;
  const position = below(random, length);
  const kind = below(random, 20);
  if (kind > 2) {
    const bit = below(random, 8);
    disk.bitFlip(path, position, bit);
    report.flips++;
    return `${path}: bit ${bit} of byte ${position} flipped`;
  }
  report.others++;
  if (kind === 0) {
    disk.cutAtRest(path, position);
    return `${path}: cut at byte ${position}`;
  }
  if (kind === 1) {
    disk.loseAtRest(path);
    return `${path}: lost`;
  }
  const from = disk.somewhere(random, (other) => other !== path)!;
  const sector = { path, position: position - (position % 512) };
  disk.misdirect({ ...from, position: from.position - (from.position % 512) }, sector);
  return `${path}: the sector at byte ${sector.position} is that of ${from.path} at ${from.position}`;
}

async function judge(
  disk: SimDisk,
  atRest: AtRest,
  type: string,
  damage: Omit<FlipFailure, 'error'>,
  report: FlipReport,
): Promise<void> {
  let outcome: FlipOutcome;
  try {
    const lines = await linesOfRecovery(disk, atRest.views, damage.damage);
    outcome = lines > atRest.lines ? 'rebuilt' : 'harmless';
  } catch (error) {
    outcome = isNotice(error) ? 'detected' : 'violation';
    if (outcome === 'violation') report.failures.push({ ...damage, error });
  }
  const outcomes = report.outcomes.get(type) ?? { harmless: 0, rebuilt: 0, detected: 0, violation: 0 };
  outcomes[outcome]++;
  report.outcomes.set(type, outcomes);
}

const NOTICES = new Set(['LOG_DAMAGED', 'KAFKA_STORAGE_ERROR', 'INCONSISTENT_CLUSTER_ID', 'NOT_FORMATTED']);

/** The node says that something is wrong, and serves nothing of it. */
function isNotice(error: unknown): boolean {
  const notice = error instanceof StorageViolation ? error.notice : error;
  return notice instanceof MillraceError && NOTICES.has(notice.code);
}

/** `.log`, `.index` …, or the whole name of a file that has one. */
export function fileType(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const at = name.indexOf('.');
  return /^\d{20}\./.test(name) ? name.slice(at) : path.startsWith(HOME) ? name : path;
}
