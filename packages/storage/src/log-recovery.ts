/**
 * Opens the files of one log and makes them one consistent log again. After an unclean stop the tail is
 * verified batch by batch and cut at the first bad one, then the journal restores what was acknowledged.
 * Never cuts below what was known to be durable: that is damage, thrown as LOG_DAMAGED with files untouched.
 */
import type { Logger } from '@millrace/core';
import type { BatchView } from '@millrace/records';
import { durableUpTo } from './durable-point.ts';
import type { JournalReplay } from './journal-replay.ts';
import type { LogConfig } from './log-config.ts';
import { logDamaged } from './log-damage.ts';
import { DAMAGE_MARK, DELETED_SUFFIX, fileNames, offsetName, offsetsOf } from './log-folder.ts';
import { endOf } from './log-locate.ts';
import { removeAll, replayJournal, restartAt } from './log-replay.ts';
import type { LogResources } from './log-resources.ts';
import type { BatchVisitor } from './log-scan.ts';
import { type LogState, recoverState } from './log-state-recovery.ts';
import { Segment } from './segment.ts';
import { finishSwaps } from './swap-recovery.ts';
import { readWhole } from './whole-file.ts';

export interface RecoveryContext {
  readonly folder: string;
  readonly topicId: string;
  readonly partition: number;
  readonly config: LogConfig;
  readonly resources: LogResources;
  readonly logger: Logger;
  readonly wasClean: boolean;
  /** Everything below was on stable storage in the log itself; undefined if the checkpoint was lost. */
  readonly recoveryPoint: number | undefined;
  /** Undefined if the checkpoint was lost. Written before segments go, so that missing ones are noticed. */
  readonly logStartOffset: number | undefined;
  readonly replay: JournalReplay | undefined;
  /** The folder was made just now. */
  readonly isNew: boolean;
  /** Damage that was found before the log was opened. */
  readonly damage: string | undefined;
}

export interface RecoveredLog extends LogState {
  /** Ascending, at least one; the last is loaded and takes appends. */
  readonly segments: Segment[];
  readonly logStartOffset: number;
  /** Batches may not be on stable storage, or what was cut or removed may come back after a power loss. */
  readonly isUnsynced: boolean;
  /** The log is not what its last checkpoint tells. */
  readonly isChanged: boolean;
  /** The files were made just now. */
  readonly isCreated: boolean;
}

/** @throws {MillraceError} LOG_DAMAGED */
export async function recoverLog(context: RecoveryContext): Promise<RecoveredLog> {
  const { folder, resources, wasClean, recoveryPoint } = context;
  if (context.damage !== undefined) throw logDamaged(folder, context.damage);
  let names = fileNames(resources.fileSystem, folder);
  if (names.includes(DAMAGE_MARK)) {
    const reason = readWhole(resources.fileSystem, `${folder}/${DAMAGE_MARK}`)?.toString() ?? '';
    throw logDamaged(folder, `marked as damaged (${reason})`);
  }
  removeLeftovers(context, names);
  if (await finishSwaps(context, names)) names = fileNames(resources.fileSystem, folder);
  const segments = withoutOrphans(context, openSegments(context, names));
  const hadSegments = segments.length > 0;
  if (!hadSegments) segments.push(createFirst(context));
  const firstOffset = segments[0]!.baseOffset;
  if (firstOffset > (context.logStartOffset ?? firstOffset)) {
    throw logDamaged(
      folder,
      `it begins at offset ${firstOffset}; ${context.logStartOffset} to ${firstOffset - 1} are missing`,
    );
  }
  let isCut = !hadSegments && offsetsOf(names, '.log').length > 0;
  if (wasClean) await openClean(context, segments);
  // A clean stop wrote down where the log ended: another end is damage, or it was not opened in the run before.
  const isEndKnown = wasClean && (recoveryPoint === undefined || endOf(segments) === recoveryPoint);
  if (!isEndKnown) isCut = (await verifyTail(context, segments)) || isCut;
  const heldAll = wasClean || (await replayJournal(context, segments));
  const logEndOffset = endOf(segments);
  if (logEndOffset < durableUpTo(context) && !isAllDeleted(context)) {
    const reason = `it ends at offset ${logEndOffset} but was durable up to ${durableUpTo(context)}`;
    throw logDamaged(folder, reason);
  }
  const logStartOffset = Math.max(context.logStartOffset ?? 0, segments[0]!.baseOffset);
  if (logStartOffset > logEndOffset) {
    restartAt(context, segments, logStartOffset);
    isCut = true;
  }
  const state = await recoverState(context, segments, endOf(segments));
  return {
    ...state,
    segments,
    logStartOffset,
    isUnsynced: hadSegments
      ? !wasClean || state.hasRemoved || isCut
      : !heldAll || isCut || logStartOffset > 0,
    isChanged: !heldAll || isCut || logEndOffset > Math.max(recoveryPoint ?? -1, segments[0]!.baseOffset),
    isCreated: !hadSegments,
  };
}

/** What an interrupted deletion or replacement left behind. */
function removeLeftovers({ resources, folder }: RecoveryContext, names: readonly string[]): void {
  for (const name of names) {
    if (name.endsWith(DELETED_SUFFIX) || name.endsWith('.tmp'))
      resources.fileSystem.unlinkSync(`${folder}/${name}`);
  }
}

function openSegments({ resources, folder, logger }: RecoveryContext, names: readonly string[]): Segment[] {
  return offsetsOf(names, '.log').map((baseOffset) => {
    const stat = resources.fileSystem.statSync(`${folder}/${offsetName(baseOffset)}.log`);
    return new Segment(folder, baseOffset, stat?.sizeBytes ?? 0, resources, logger);
  });
}

/** The power failed before the names of a new log's files were durable, and the first is not among those that survived. */
function withoutOrphans(context: RecoveryContext, segments: Segment[]): Segment[] {
  const { wasClean, recoveryPoint, logStartOffset, logger } = context;
  const first = segments[0]?.baseOffset ?? 0;
  const isFirstLost = logStartOffset !== undefined && first > logStartOffset;
  if (wasClean || !isFirstLost || recoveryPoint === undefined || !isAllDeleted(context)) return segments;
  logger.warn(
    { event: 'log_tail_cut', segment: segments[0]!.logPath, logEndOffset: logStartOffset },
    'the first segment of the log was never on stable storage; those after it are void',
  );
  removeAll(context, segments);
  return [];
}

function createFirst(context: RecoveryContext): Segment {
  const { folder, logStartOffset, resources, logger } = context;
  if (durableUpTo(context) > (logStartOffset ?? 0)) {
    const reason = `its log files are missing; it was durable up to offset ${durableUpTo(context)}`;
    throw logDamaged(folder, reason);
  }
  return Segment.create(folder, logStartOffset ?? 0, resources, logger);
}

/** The marker says that every byte is in place; only the end must be found. */
async function openClean(context: RecoveryContext, segments: readonly Segment[]): Promise<void> {
  const active = segments.at(-1)!;
  const { fault, position } = await active.load(context.config);
  if (fault !== undefined) {
    throw logDamaged(context.folder, `${active.logPath} is damaged at byte ${position}: ${fault}`);
  }
}

/** Walks from the recovery point to the end; cuts at the first bad batch. @returns whether it cut. */
async function verifyTail(context: RecoveryContext, segments: Segment[]): Promise<boolean> {
  const { config, folder, logger } = context;
  const recoveryPoint = context.recoveryPoint ?? 0;
  // One sealed right at the recovery point may have unsynced indexes.
  const first = Math.max(
    0,
    segments.findLastIndex((segment) => segment.baseOffset < recoveryPoint),
  );
  const check = new TailCheck();
  for (let i = first; i < segments.length; i++) {
    const segment = segments[i]!;
    check.begins(segment.baseOffset);
    const { fault, position } = await segment.verify(config, i === first ? recoveryPoint : 0, check.visit);
    const next = segments[i + 1];
    segment.isDirty = true;
    segment.isIndexSyncDue ||= next !== undefined;
    const expected = segment.nextOffset;
    const problem =
      fault ??
      (next !== undefined && next.baseOffset !== expected ? `offset ${expected} is missing` : undefined);
    if (problem === undefined) continue;
    if (mayNotCut(context, expected)) {
      throw logDamaged(folder, `${segment.logPath} is damaged at byte ${position}: ${problem}`);
    }
    logger.warn(
      { event: 'log_tail_cut', segment: segment.logPath, position, logEndOffset: expected, reason: problem },
      'the tail of the log was not written whole and is cut',
    );
    await segment.truncate(position, expected, config);
    for (const later of segments.splice(i + 1)) {
      for (const path of later.remove(DELETED_SUFFIX)) context.resources.fileSystem.unlinkSync(path);
    }
    return true;
  }
  return false;
}

/** With a lost checkpoint nobody knows what was durable, unless the journal holds all that follows. */
function mayNotCut(context: RecoveryContext, offset: number): boolean {
  const { recoveryPoint, replay, topicId, partition } = context;
  if (recoveryPoint !== undefined) return offset < durableUpTo(context) && !isAllDeleted(context);
  const first = replay?.entriesOf(topicId, partition).find(({ header }) => header.kind === 'batches');
  return first === undefined || first.header.baseOffset > offset;
}

/** Of what was durable nothing counts any more: the log goes on, or was about to, at or after the end of that. */
function isAllDeleted(context: RecoveryContext): boolean {
  const { logStartOffset } = context;
  return logStartOffset !== undefined && durableUpTo(context) <= logStartOffset;
}

/** Checksum, dense offsets, epochs that never go back, from one segment to the next either. */
class TailCheck {
  #baseOffset = 0;
  #expected: number | undefined;
  #lastEpoch = -1;
  /** Before the segment. */
  #epochBefore = -1;

  begins(baseOffset: number): void {
    this.#baseOffset = baseOffset;
    this.#expected = undefined;
    this.#epochBefore = this.#lastEpoch;
  }

  readonly visit: BatchVisitor = (batch: BatchView, position: number) => {
    // Also when an index led astray and the walk starts over.
    if (position === 0) {
      this.#expected = this.#baseOffset;
      this.#lastEpoch = this.#epochBefore;
    }
    if (this.#expected !== undefined && batch.baseOffset !== this.#expected) {
      return `base offset ${batch.baseOffset} where ${this.#expected} is due`;
    }
    if (batch.lastOffsetDelta < 0) return `last offset delta ${batch.lastOffsetDelta}`;
    if (batch.leaderEpoch < this.#lastEpoch) return `epoch ${batch.leaderEpoch} after ${this.#lastEpoch}`;
    if (!batch.isCrcValid()) return `the batch at offset ${batch.baseOffset} does not match its checksum`;
    this.#expected = batch.nextOffset;
    this.#lastEpoch = batch.leaderEpoch;
    return undefined;
  };
}
