/**
 * Brings a log level with the journal after an unclean stop: what the journal holds and the log lost is
 * appended again, what differs is replaced, and what neither has is damage.
 */
import { type BatchView, splitBatches } from '@millrace/records';
import type { ReplayEntry } from './journal-replay.ts';
import { logDamaged } from './log-damage.ts';
import { DELETED_SUFFIX } from './log-folder.ts';
import { endOf, locateBatch, segmentOf } from './log-locate.ts';
import type { RecoveryContext } from './log-recovery.ts';
import { Segment } from './segment.ts';

/** @returns whether the log already held everything. @throws {MillraceError} LOG_DAMAGED */
export async function replayJournal(context: RecoveryContext, segments: Segment[]): Promise<boolean> {
  const { replay, topicId, partition, config, folder } = context;
  if (replay === undefined) return true;
  const entries = replay.entriesOf(topicId, partition);
  const isUnaffected = entries[0]?.header.kind === 'reset' && entries[0].isAfterHole;
  // A log without durability may have had it when the records were written.
  const mayBeAffected = config.durability === 'fsync' || entries.length > 0;
  if (replay.hole !== undefined && mayBeAffected && !isUnaffected) {
    throw logDamaged(folder, `the journal may have held records of it, but ${replay.hole}`);
  }
  const session = new ReplaySession(context, segments);
  for (const entry of entries) {
    const { kind, baseOffset } = entry.header;
    // Nothing after it was promised before the log was synced up to it.
    if (kind === 'start' && session.isMissingBefore(baseOffset)) break;
    if (kind === 'batches') await session.apply(entry);
  }
  session.report();
  return session.appended === 0;
}

class ReplaySession {
  readonly #context: RecoveryContext;
  readonly #segments: Segment[];
  appended = 0;
  /** Where the next entry most likely lies in the log. */
  #cursor: { readonly segment: Segment; readonly position: number; readonly offset: number } | undefined;

  constructor(context: RecoveryContext, segments: Segment[]) {
    this.#context = context;
    this.#segments = segments;
  }

  async apply(entry: ReplayEntry): Promise<void> {
    const { baseOffset, lastOffset } = entry.header;
    if (lastOffset < this.#trustedBelow) return;
    const end = endOf(this.#segments);
    if (!entry.isReadable) {
      if (lastOffset < end) return;
      throw this.#damaged(
        `offsets ${baseOffset} to ${lastOffset} are damaged in the journal and not in the log`,
      );
    }
    const payload = this.#context.replay!.read(entry);
    if (lastOffset < end && (await this.#isInLog(baseOffset, payload))) return;
    for (const batch of splitBatches(payload)) await this.#applyBatch(batch);
  }

  /** The log ends before `offset`, and not because the rest was deleted. */
  isMissingBefore(offset: number): boolean {
    return offset > Math.max(endOf(this.#segments), this.#context.logStartOffset ?? 0);
  }

  report(): void {
    if (this.appended === 0) return;
    const { logger } = this.#context;
    logger.info(
      { event: 'journal_replayed', batches: this.appended, logEndOffset: endOf(this.#segments) },
      'batches that the log had lost were restored from the journal',
    );
  }

  /** Offsets below need not be compared: they were on stable storage in the log, or are deleted. */
  get #trustedBelow(): number {
    return Math.max(
      this.#context.recoveryPoint ?? 0,
      this.#context.logStartOffset ?? 0,
      this.#segments[0]!.baseOffset,
    );
  }

  async #applyBatch(batch: BatchView): Promise<void> {
    const { baseOffset, lastOffset } = batch;
    const end = endOf(this.#segments);
    if (lastOffset < this.#trustedBelow) return;
    if (lastOffset < end && (await this.#isInLog(baseOffset, batch.bytes))) return;
    if (baseOffset < end) await this.#makeRoomFor(batch, end);
    if (this.isMissingBefore(baseOffset)) {
      throw this.#damaged(`offsets ${endOf(this.#segments)} to ${baseOffset - 1} are missing`);
    }
    if (baseOffset > end) restartAt(this.#context, this.#segments, baseOffset);
    this.#append(batch);
  }

  /** The log differs from the journal, or is empty and begins inside the batch. */
  async #makeRoomFor({ baseOffset }: BatchView, end: number): Promise<void> {
    const { recoveryPoint, config, folder, resources, logger } = this.#context;
    const active = this.#segments.at(-1)!;
    if (this.#segments.length === 1 && active.isEmpty) {
      for (const path of active.remove('.deleted')) resources.fileSystem.unlinkSync(path);
      this.#segments[0] = Segment.create(folder, baseOffset, resources, logger);
      return;
    }
    if (baseOffset < (recoveryPoint ?? 0)) {
      throw this.#damaged(`offset ${baseOffset} differs from the journal below the recovery point`);
    }
    logger.warn(
      { event: 'log_differs_from_journal', from: baseOffset, logEndOffset: end },
      'the tail of the log differs from the journal and is replaced by it',
    );
    this.#cursor = undefined;
    while (this.#segments.length > 1 && this.#segments.at(-1)!.baseOffset >= baseOffset) {
      for (const path of this.#segments.pop()!.remove('.deleted')) resources.fileSystem.unlinkSync(path);
    }
    const last = this.#segments.at(-1)!;
    await last.load(config);
    const found = await locateBatch(last, baseOffset);
    if (found !== undefined) await last.truncate(found.position, found.baseOffset, config);
  }

  #append(batch: BatchView): void {
    const { config, folder, resources, logger } = this.#context;
    let active = this.#segments.at(-1)!;
    if (active.isFullFor(batch.sizeBytes, batch.lastOffset, batch.maxTimestamp, config, 0)) {
      active.seal();
      active = Segment.create(folder, batch.baseOffset, resources, logger);
      this.#segments.push(active);
    }
    active.write(batch.bytes);
    active.added(batch, config.indexIntervalBytes);
    this.appended++;
  }

  /** Whether exactly these bytes stand at `offset`. May say no for a run that spans segments. */
  async #isInLog(offset: number, bytes: Buffer): Promise<boolean> {
    const found = await this.#locate(offset);
    if (found === undefined) return false;
    const { segment, position } = found;
    const there = Buffer.allocUnsafe(bytes.length);
    const count = await segment.withFile((file) => file.read(there, position));
    if (count < bytes.length || !there.equals(bytes)) return false;
    const last = splitBatches(bytes).at(-1)!;
    this.#cursor = { segment, position: position + bytes.length, offset: last.nextOffset };
    return true;
  }

  async #locate(offset: number): Promise<{ segment: Segment; position: number } | undefined> {
    const cursor = this.#cursor;
    if (cursor?.offset === offset && cursor.position < cursor.segment.sizeBytes) return cursor;
    const segment = segmentOf(this.#segments, offset);
    if (segment === undefined) return undefined;
    await segment.load(this.#context.config);
    const found = await locateBatch(segment, offset);
    return found?.baseOffset === offset ? { segment, position: found.position } : undefined;
  }

  #damaged(reason: string): Error {
    return logDamaged(this.#context.folder, reason);
  }
}

/** All that the log holds was deleted, as is what it lacks before `offset`: it goes on there. */
export function restartAt(context: RecoveryContext, segments: Segment[], offset: number): void {
  const { folder, resources, logger } = context;
  removeAll(context, segments);
  segments.splice(0, segments.length, Segment.create(folder, offset, resources, logger));
  logger.warn(
    { event: 'log_restarted', logStartOffset: offset },
    'the log ends before its start offset: it goes on, empty, from there',
  );
}

/** Newest first: a crash on the way leaves a log without a hole. */
export function removeAll({ resources }: RecoveryContext, segments: readonly Segment[]): void {
  for (const segment of segments.toReversed()) {
    for (const path of segment.remove(DELETED_SUFFIX)) resources.fileSystem.unlinkSync(path);
  }
}
