/**
 * Damage at rest: single bits flipped, files cut, lost or overwritten by another sector, in every type of file of
 * a data directory, after clean and unclean stops. Each must be noticed (an error, or the replica offline for
 * repair) or do no harm: the directory opens and every promised byte is read back.
 */
import { below, type Logger, ManualClock, MillraceError, SeededRandom, silentLogger } from '@millrace/core';
import { BatchView } from '@millrace/records';
import { DROP_ALL } from '../disk/crash-choices.ts';
import { SimDisk } from '../disk/sim-disk.ts';
import type { LedgerView } from './log-ledger.ts';
import { settled } from './pass-time.ts';
import { HOME, IDENTITY, recoverStore } from './recover-store.ts';
import { StorageViolation } from './storage-invariant.ts';
import { StorageWorkload } from './storage-workload.ts';

const STEPS = 120;
/** Damages of one directory, before the next seed makes another. */
const PER_DISK = 250;
/** More of them, in what lies outside the checksums of batches: few bytes, which nothing but their surroundings prove. */
const FIELD_FLIPS = 50;
const FIELD_FLIPS_FROM = 500;
const LEADER_EPOCH_AT = 12;

/**
 * `harmless`: nobody noticed, and nothing was lost; `rebuilt`: a line in the log tells of it; `detected`: an error;
 * `ended`: LevelDB ended the process by an assertion of its own, which serves nothing wrong either (see `JudgeProcess`);
 * `untold`: only the damaged batch knew, and nobody was promised it (see `isUntold`).
 */
export type FlipOutcome = 'harmless' | 'rebuilt' | 'detected' | 'ended' | 'untold' | 'violation';

export interface FlipFinding {
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
  readonly failures: FlipFinding[];
  /** What LevelDB ended the process at: no failures. */
  readonly endings: FlipFinding[];
}

export function newFlipReport(): FlipReport {
  return { flips: 0, others: 0, seeds: 0, outcomes: new Map(), failures: [], endings: [] };
}

export function newOutcomes(): Record<FlipOutcome, number> {
  return { harmless: 0, rebuilt: 0, detected: 0, ended: 0, untold: 0, violation: 0 };
}

interface AtRest {
  readonly image: SimDisk;
  readonly views: readonly LedgerView[];
  readonly isClean: boolean;
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
    await judge({ disk, path, type }, atRest, { seed, damage, what }, report);
  }
  for (let damage = FIELD_FLIPS_FROM; damage < FIELD_FLIPS_FROM + FIELD_FLIPS; damage++) {
    if (only !== undefined && only !== damage) continue;
    const random = new SeededRandom(seed * 7919 + damage);
    const paths = types.get('.log') ?? [];
    const path = paths[below(random, Math.max(1, paths.length))];
    const disk = image.copy({});
    const what = path && flipField(disk, path, random, report);
    if (what === undefined) continue;
    await judge({ disk, path: path!, type: '.log: offset, epoch' }, atRest, { seed, damage, what }, report);
  }
}

/** Everything on it is durable, and damaged from then on. */
async function directoryAtRest(seed: number): Promise<AtRest> {
  const disk: SimDisk = new SimDisk();
  const workload = new StorageWorkload(seed, disk);
  await workload.run(STEPS);
  const isClean = seed % 2 === 0;
  if (isClean) await workload.stop();
  else await workload.rest();
  const views = workload.views();
  // A note that never reached the disk tells nothing: that and damage at once are two faults.
  for (const path of disk.paths()) if (path.endsWith('/durable-end')) disk.writeBack(path);
  disk.crash(DROP_ALL);
  return { image: disk, views, isClean, lines: await linesOfRecovery(disk.copy({}), views, 0) };
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

/** Up to where the power loss tore the file. */
function wholeBatches(bytes: Buffer): BatchView[] {
  const batches: BatchView[] = [];
  try {
    let at = 0;
    for (let batch = BatchView.at(bytes, at); batch !== undefined; batch = BatchView.at(bytes, at)) {
      batches.push(batch);
      at += batch.sizeBytes;
    }
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error;
  }
  return batches;
}

/** A bit of the base offset or the leader epoch of some batch. */
function flipField(
  disk: SimDisk,
  path: string,
  random: SeededRandom,
  report: FlipReport,
): string | undefined {
  const batches = wholeBatches(disk.get(path)!);
  const batch = batches[below(random, Math.max(1, batches.length))];
  if (batch === undefined) return undefined;
  const field = below(random, 2) === 0 ? below(random, 8) : LEADER_EPOCH_AT + below(random, 4);
  const position = batch.bytes.byteOffset - batches[0]!.bytes.byteOffset + field;
  const bit = below(random, 8);
  disk.bitFlip(path, position, bit);
  report.flips++;
  return `${path}: bit ${bit} of byte ${position} flipped`;
}

interface Damaged {
  readonly disk: SimDisk;
  readonly path: string;
  readonly type: string;
}

async function judge(
  { disk, path, type }: Damaged,
  atRest: AtRest,
  damage: Omit<FlipFinding, 'error'>,
  report: FlipReport,
): Promise<void> {
  let outcome: FlipOutcome;
  // Recovery may cut it.
  const damagedFile = disk.get(path);
  try {
    const lines = await linesOfRecovery(disk, atRest.views, damage.damage);
    outcome = lines > atRest.lines ? 'rebuilt' : 'harmless';
  } catch (error) {
    outcome = isNotice(error)
      ? 'detected'
      : isUntold(error, damagedFile, path, atRest)
        ? 'untold'
        : 'violation';
    if (outcome === 'violation') report.failures.push({ ...damage, error });
  }
  const outcomes = report.outcomes.get(type) ?? newOutcomes();
  outcomes[outcome]++;
  report.outcomes.set(type, outcomes);
}

const NOTICES = new Set(['LOG_DAMAGED', 'KAFKA_STORAGE_ERROR', 'INCONSISTENT_CLUSTER_ID', 'NOT_FORMATTED']);

/** The node says that something is wrong, and serves nothing of it. */
function isNotice(error: unknown): boolean {
  const notice = error instanceof StorageViolation ? error.notice : error;
  return notice instanceof MillraceError && NOTICES.has(notice.code);
}

/**
 * After an unclean stop the tail beyond what was promised is taken from the batches, and no other source tells when an
 * epoch rose there: such a tail may be cut, but what is left of it is believed. Nothing else about it is excused, and
 * nothing at all about what comes before it, or after a clean stop, or has a journal.
 */
function isUntold(
  error: unknown,
  after: Buffer | undefined,
  path: string,
  { image, views, isClean }: AtRest,
): boolean {
  if (isClean || !path.endsWith('.log') || !(error instanceof StorageViolation)) return false;
  const folder = path.slice(0, path.lastIndexOf('/'));
  const view = views.find(({ topic, partition }) => folder === `${HOME}/${topic}-${partition}`);
  if (view === undefined || view.config.durability === 'fsync') return false;
  const before = image.get(path)!;
  if (after?.length !== before.length) return false;
  const position = before.findIndex((byte, i) => byte !== after[i]);
  if (!before.subarray(position + 1).equals(after.subarray(position + 1))) return false;
  for (const { bytes, baseOffset, leaderEpoch } of wholeBatches(before)) {
    const field = position - (bytes.byteOffset - before.byteOffset);
    if (field < LEADER_EPOCH_AT || field >= LEADER_EPOCH_AT + 4) continue;
    const damaged = after.readInt32BE(position - field + LEADER_EPOCH_AT);
    return baseOffset >= view.durableTo && damaged > leaderEpoch;
  }
  return false;
}

/** `.log`, `.index` …, or the whole name of a file that has one. */
function fileType(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const at = name.indexOf('.');
  return /^\d{20}\./.test(name) ? name.slice(at) : path.startsWith(HOME) ? name : path;
}
