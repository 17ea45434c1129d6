/**
 * Crash states of the storage: workloads run on a simulated disk, a sound one and one that fails now and then, and at
 * many of its operations the power goes off in every way that matters. Each state is recovered and judged; a part of
 * them crashes again, during the recovery or right after it, and a part meets a failing disk in its first recovery. A
 * failure is named by seed and state, and the pair replays it.
 */
import { below, ManualClock, MillraceError, SeededRandom } from '@millrace/core';
import { type CrashChoices, DROP_ALL, EveryChoice, RandomChoices } from '../disk/crash-choices.ts';
import { NO_FAULTS } from '../disk/disk-faults.ts';
import { SimDisk } from '../disk/sim-disk.ts';
import { FailingDisk } from './failing-disk.ts';
import type { LedgerView } from './log-ledger.ts';
import { settled } from './pass-time.ts';
import { HOME, type RecoveredStore, recoverStore } from './recover-store.ts';
import { checkLostBatches } from './recovered-log-check.ts';
import { StorageViolation } from './storage-invariant.ts';
import { StorageWorkload } from './storage-workload.ts';

const STEPS = 150;
/** One operation in so many is a crash point. */
const OPERATIONS_PER_POINT = 20;
/** Up to so many pending changes every combination is tried, if there are not too many of them. */
const EVERY_UP_TO_CHANGES = 8;
const EVERY_MAX = 96;
const DRAWN_PER_POINT = 24;
/** From the first name with `.swap` to the end of the swap, at most. */
const SWAP_STEPS = 12;

export interface CrashFailure {
  readonly seed: number;
  /** Of the seed; -1 if the workload itself failed. */
  readonly state: number;
  readonly phase: CrashPhase;
  readonly error: unknown;
}

/** What the recovery follows: a workload, a power loss during a recovery or after it, or a recovery that failed. */
export type CrashPhase = 'workload' | 'recovery' | 'recovered' | 'failed recovery';

export interface CrashReport {
  states: number;
  seeds: number;
  points: number;
  /** Points of which every combination was tried. */
  exhausted: number;
  /** States that crashed a second time. */
  again: number;
  /** Operations of disks that failed, in workloads. */
  diskFailures: number;
  /** Logs that were offline for repair after a recovery, since a sync of theirs had failed. */
  repairs: number;
  readonly failures: CrashFailure[];
}

/** A moment of a workload. */
interface CrashPoint {
  readonly image: SimDisk;
  readonly views: readonly LedgerView[];
  readonly isFormatted: boolean;
  /** Its disk failed now and then. */
  readonly isFailing: boolean;
}

export function newCrashReport(): CrashReport {
  const counts = { states: 0, seeds: 0, points: 0, exhausted: 0, again: 0, diskFailures: 0, repairs: 0 };
  return { ...counts, failures: [] };
}

export interface CrashReplay {
  /** Which states to look at. */
  readonly isWanted: (state: number) => boolean;
  /** Called with each disk as recovery will find it. */
  readonly inspect?: (disk: SimDisk, views: readonly LedgerView[], what: CrashPhase) => void;
}

/**
 * All states of one seed, added to the report.
 *
 * @param replay only some of them
 * @param isCompacting of a workload whose logs are compacted: another one than that of the same seed without
 */
export async function crashSeed(
  seed: number,
  report: CrashReport,
  replay?: CrashReplay,
  isCompacting = false,
): Promise<void> {
  const points: CrashPoint[] = [];
  try {
    await liveThrough(seed, points, isCompacting);
    await liveThrough(seed, points, isCompacting, report);
  } catch (error) {
    report.failures.push({ seed, state: -1, phase: 'workload', error });
  }
  report.seeds++;
  report.points += points.length;
  let state = 0;
  for (const point of points) {
    for (const choices of statesOf(point, new SeededRandom(seed ^ (state * 2_654_435_761)), report)) {
      const disk = point.image.copy({});
      disk.crash(choices);
      if (replay === undefined || replay.isWanted(state)) {
        await judge(point, disk, { seed, state }, report, replay?.inspect);
      }
      state++;
    }
  }
}

/** @param failing on a disk that fails now and then: where that is counted */
async function liveThrough(
  seed: number,
  points: CrashPoint[],
  isCompacting: boolean,
  failing?: CrashReport,
): Promise<void> {
  const random = new SeededRandom(seed * 2 + 1);
  const delays = { fault: () => undefined, delayMs: () => below(random, 3) };
  const trouble = failing && new FailingDisk(random.fork(), delays);
  const disk: SimDisk = new SimDisk({
    faults: trouble ?? delays,
    schedule: (delayMs, run) => workload.clock.schedule(delayMs, run),
  });
  const workload = new StorageWorkload(seed, disk, { isCompacting, ...(trouble && { trouble }) });
  const isFailing = failing !== undefined;
  let swapSteps = 0;
  disk.onOperation = (_, path) => {
    // Swaps are few among so many operations: each of their steps is a point.
    if (path.endsWith('.swap')) swapSteps = SWAP_STEPS;
    const isSwap = swapSteps-- > 0;
    if (!isSwap && below(random, OPERATIONS_PER_POINT) !== 0) return;
    const { isFormatted } = workload;
    points.push({ image: disk.copy(), views: workload.views(), isFormatted, isFailing });
  };
  try {
    await workload.run(STEPS);
  } finally {
    if (failing !== undefined) failing.diskFailures += trouble!.failures;
  }
}

/** What a power loss at this point may leave: everything lost, every combination or draws. */
function* statesOf(
  { image }: CrashPoint,
  random: SeededRandom,
  report: CrashReport,
): Generator<CrashChoices, void, undefined> {
  if (image.pendingChanges <= EVERY_UP_TO_CHANGES) {
    const every = new EveryChoice();
    for (let i = 0; i < EVERY_MAX; i++) {
      yield every;
      if (every.next()) continue;
      report.exhausted++;
      return;
    }
  }
  yield DROP_ALL;
  for (let i = 0; i < DRAWN_PER_POINT; i++) yield new RandomChoices(random, image.sequence);
}

async function judge(
  point: CrashPoint,
  disk: SimDisk,
  { seed, state }: { readonly seed: number; readonly state: number },
  report: CrashReport,
  inspect: NonNullable<CrashReplay['inspect']> = () => {},
): Promise<void> {
  const { isFormatted, isFailing } = point;
  let { views } = point;
  const random = new SeededRandom(seed * 1_000_003 + state);
  report.states++;
  let phase: CrashPhase = 'workload';
  try {
    if (isFailing && below(random, 4) === 0) {
      report.states++;
      report.again++;
      inspect(disk, views, phase);
      views = await recoverInTrouble(disk, views, isFormatted, random);
      disk.crash(new RandomChoices(random, disk.sequence));
      phase = 'failed recovery';
    }
    const isCaughtAgain = below(random, 4) === 0;
    const operations = below(random, 40);
    const caught = caughtAt(disk, isCaughtAgain ? operations : undefined);
    inspect(disk, views, phase);
    const first = await recover(disk, views, isFormatted, random);
    report.repairs += first.logs.filter((found) => found?.log.offline !== undefined).length;
    const half = caught();
    if (half !== undefined) {
      report.states++;
      report.again++;
      phase = 'recovery';
      half.crash(new RandomChoices(random, half.sequence));
      inspect(half, views, phase);
      await recover(half, views, isFormatted, random);
    } else if (below(random, 4) === 0) {
      report.states++;
      report.again++;
      phase = 'recovered';
      const after = disk.copy();
      after.crash(new RandomChoices(random, after.sequence));
      const found = asFound(views, first);
      inspect(after, found, phase);
      await recover(after, found, true, random);
    }
    for (const [i, found] of first.logs.entries()) {
      if (found?.recovered !== undefined) checkLostBatches(found.log, views[i]!, found.recovered.endOffset);
    }
  } catch (error) {
    report.failures.push({ seed, state, phase, error });
  }
}

/** @returns gives the disk as it was after so many operations, once they were done. */
function caughtAt(disk: SimDisk, operations: number | undefined): () => SimDisk | undefined {
  let caught: SimDisk | undefined;
  let left = operations;
  disk.onOperation = () => {
    if (left !== undefined && left-- === 0) caught = disk.copy();
  };
  return () => caught;
}

/** The disk fails while the store opens; nothing that counts may be lost by that. @returns what must be there still */
async function recoverInTrouble(
  disk: SimDisk,
  views: readonly LedgerView[],
  isFormatted: boolean,
  random: SeededRandom,
): Promise<LedgerView[]> {
  const betrayed = new Set<string>();
  const trouble = new FailingDisk(random.fork(), NO_FAULTS);
  trouble.onBetrayal = (path) => {
    for (const { topic, partition } of views) {
      const folder = `${HOME}/${topic}-${partition}`;
      // Its name stands in the directory.
      if (path === HOME || path === folder || path.startsWith(`${folder}/`)) betrayed.add(folder);
    }
  };
  disk.faults = trouble;
  trouble.begin(disk);
  try {
    await recover(disk, views, isFormatted, random);
  } catch (error) {
    const told = error instanceof StorageViolation ? error.notice : error;
    if (!(told instanceof MillraceError)) throw error;
  }
  trouble.heal();
  disk.faults = NO_FAULTS;
  return views.map((view) => ({
    ...view,
    mayBeDamaged: view.mayBeDamaged || betrayed.has(`${HOME}/${view.topic}-${view.partition}`),
  }));
}

function recover(
  disk: SimDisk,
  views: readonly LedgerView[],
  isFormatted: boolean,
  random: SeededRandom,
): Promise<RecoveredStore> {
  const clock = new ManualClock();
  const recovery = recoverStore({
    fileSystem: disk.mount(),
    clock,
    random,
    views,
    survives: 'durable',
    isFormatted,
  });
  return settled(clock, recovery);
}

/** A second recovery finds what the first one found. */
function asFound(views: readonly LedgerView[], { logs }: RecoveredStore): LedgerView[] {
  return views.map((view, i) => {
    const found = logs[i]?.recovered;
    if (found === undefined) return view;
    const { batches, startOffset, endOffset } = found;
    return {
      ...view,
      histories: [{ batches, count: batches.length, below: [] }],
      durableTo: endOffset,
      writtenTo: endOffset,
      startMin: startOffset,
      startMax: startOffset,
    };
  });
}
