/**
 * What one log has on disk, as one thing: batches in segments, leader epochs, producers, and the cached tail.
 * Knows nothing of durability modes, the journal or being offline: its caller decides what a failure means.
 */
import { lendMemory } from '@millrace/core';
import type { BatchView } from '@millrace/records';
import { trimBatches } from './batch-trim.ts';
import type { LogConfig } from './log-config.ts';
import type { LogOffsets } from './log-offsets.ts';
import { LogReader, type ReadRange } from './log-reader.ts';
import { type RecoveryContext, recoverLog } from './log-recovery.ts';
import { LogSideFiles } from './log-side-files.ts';
import { findMaxTimestamp, findTimestamp, type TimestampOffset } from './log-timestamps.ts';
import { syncPartitionFolder } from './partition-folder.ts';
import type { Segment } from './segment.ts';
import { SegmentList } from './segment-list.ts';
import { LogTail } from './tail-cache.ts';

/** A producer snapshot between rolls bounds what a restart must walk. */
const SNAPSHOT_INTERVAL_BYTES = 64 * 1024 * 1024;

export class LogContents {
  readonly segments: SegmentList;
  readonly side: LogSideFiles;
  /** As recovered. */
  readonly logStartOffset: number;
  readonly #context: RecoveryContext;
  readonly #reader: LogReader;
  readonly #tail: LogTail;
  #unsnapshottedBytes = 0;
  #appendMs = 0;
  /** Grows whenever bytes that readers may be looking at go away. */
  #generation = 0;
  /** The folder's name may not be durable yet. */
  #isFolderNew: boolean;
  #syncing: Promise<void> = Promise.resolve();

  private constructor(
    context: RecoveryContext,
    segments: SegmentList,
    side: LogSideFiles,
    logStartOffset: number,
  ) {
    this.#context = context;
    this.segments = segments;
    this.side = side;
    this.logStartOffset = logStartOffset;
    // A process that was killed may have made the folder and not synced it.
    this.#isFolderNew = context.isNew || !context.wasClean;
    this.#reader = new LogReader(
      () => segments.all,
      context.resources.checksReads,
      (offset) => side.epochs.epochAt(offset),
      context.resources,
    );
    this.#tail = new LogTail(context.resources.tailCache);
    segments.onRoll = () => this.takeSnapshot();
    segments.onAppended = (batch) => side.appended(batch, this.#appendMs);
    segments.drawJitter(context.config);
  }

  /** Whole, and on stable storage. @throws {MillraceError} LOG_DAMAGED; the disk's errors. */
  static async recover(context: RecoveryContext): Promise<LogContents> {
    const recovered = await recoverLog(context);
    const segments = new SegmentList(context.folder, recovered.segments, context.resources, context.logger);
    const side = new LogSideFiles(context, recovered);
    const contents = new LogContents(context, segments, side, recovered.logStartOffset);
    // An empty log has nothing to lose: it is synced with its first batches.
    if (recovered.isCreated || recovered.isUnsynced) segments.markFolderDirty();
    if (recovered.isUnsynced) {
      if (recovered.isChanged) side.writeEpochs();
      await contents.sync();
    }
    // Most partitions are idle: files are opened when somebody comes.
    segments.closeFiles();
    return contents;
  }

  get generation(): number {
    return this.#generation;
  }

  get endOffset(): number {
    return this.segments.endOffset;
  }

  /** No batch, deleted ones included: the next may begin anywhere. */
  get isBlank(): boolean {
    return this.segments.all.length === 1 && this.segments.active.isEmpty;
  }

  /** @param bytes exactly `views`, back to back. @param isReadSoon as a leader's are, by followers and consumers. */
  append(
    bytes: Buffer,
    views: readonly BatchView[],
    config: LogConfig,
    nowMs: number,
    isReadSoon: boolean,
  ): void {
    const { baseOffset } = views[0]!;
    const { space } = this.#context.resources;
    space.checkGrowth(this.#context.folder);
    this.#appendMs = nowMs;
    try {
      if (baseOffset < this.endOffset) this.segments.rebase(baseOffset);
      this.segments.append(bytes, views, config);
    } catch (error) {
      space.noticed(error);
      throw error;
    }
    if (isReadSoon) this.#tail.append(baseOffset, this.endOffset, bytes);
    else this.#tail.clear();
    this.#unsnapshottedBytes += bytes.length;
  }

  /** Undefined if the log was cut meanwhile: ask again. @throws {DamageFound} */
  async read(range: ReadRange, config: LogConfig): Promise<Buffer | undefined> {
    const cached = this.#readTail(range);
    if (cached !== undefined) return cached;
    const generation = this.#generation;
    const bytes = await this.#undisturbed(this.#reader.read(range, config));
    return generation === this.#generation ? bytes : undefined;
  }

  /** @throws {DamageFound} */
  async findTimestamp(
    timestampMs: number,
    startOffset: number,
    config: LogConfig,
  ): Promise<TimestampOffset | undefined> {
    return await this.#untilUndisturbed(() =>
      findTimestamp([...this.segments.all], config, timestampMs, startOffset),
    );
  }

  /** @throws {DamageFound} */
  async findMaxTimestamp(config: LogConfig): Promise<TimestampOffset | undefined> {
    return await this.#untilUndisturbed(() => findMaxTimestamp([...this.segments.all], config));
  }

  /** Undefined if bytes that it may have looked at went away meanwhile. */
  async #undisturbed<T>(work: Promise<T | undefined>): Promise<T | undefined> {
    const generation = this.#generation;
    try {
      return await work;
    } catch (error) {
      if (generation === this.#generation) throw error;
      return undefined;
    }
  }

  /** Again, as long as bytes that it may have looked at went away meanwhile. */
  async #untilUndisturbed<T>(work: () => Promise<T | undefined>): Promise<T | undefined> {
    for (;;) {
      const generation = this.#generation;
      const found = await this.#undisturbed(work());
      if (generation === this.#generation) return found;
    }
  }

  /** Bytes go away: readers start over. */
  disturbReaders(): void {
    this.#generation++;
    this.#reader.forget();
  }

  /** Puts a cleaned segment in the place of those it was written from. @returns their files, renamed. */
  replace(old: readonly Segment[], cleaned: Segment, endOffset: number): string[] {
    const removed = this.segments.replace(old, cleaned);
    this.#tail.dropBefore(endOffset);
    this.disturbReaders();
    return removed;
  }

  forgetTail(): void {
    this.#tail.clear();
  }

  /** What was written before the call is on stable storage when it resolves, whoever else is syncing. */
  sync(): Promise<void> {
    this.#syncing = this.#syncing.catch(() => undefined).then(() => this.#syncNow());
    return this.#syncing;
  }

  /** Before the folder gets another name: what works on by paths would write into the next log of this one. */
  async settled(cutting?: Promise<void>): Promise<void> {
    await cutting;
    await this.#syncing.catch(() => undefined);
    this.disturbReaders();
    this.close();
  }

  /** Before a checkpoint tells of the log: without its folder it would be another log's of the same name. */
  async syncFolder(): Promise<void> {
    if (!this.#isFolderNew) return;
    await syncPartitionFolder(this.#context.resources.fileSystem, this.#context.folder);
    this.#isFolderNew = false;
  }

  /** Producer state as of the log end, unless that is on disk already. */
  takeSnapshot(): void {
    this.side.takeSnapshot(this.endOffset, this.segments.all);
    this.#unsnapshottedBytes = 0;
  }

  /** Before the last sync of a clean stop: nobody will look for what is missing. */
  finish(): void {
    this.takeSnapshot();
    this.segments.finish();
  }

  close(): void {
    this.#tail.clear();
    this.segments.closeFiles();
  }

  async #syncNow(): Promise<void> {
    if (this.#unsnapshottedBytes >= SNAPSHOT_INTERVAL_BYTES) this.takeSnapshot();
    await this.syncFolder();
    await this.segments.sync();
    await this.side.sync();
  }

  #readTail(range: ReadRange): Buffer | undefined {
    const { lent } = range;
    const found = this.#tail.read(range.fromOffset, range.maxBytes, range.upTo, lent !== undefined);
    if (found === undefined) return undefined;
    const { bytes, firstBytes } = found;
    if (lent !== undefined) lendMemory(bytes, lent);
    const trimmed = trimBatches(bytes.subarray(0, firstBytes), range);
    if (trimmed.end < firstBytes || firstBytes === bytes.length) return trimmed.bytes;
    return bytes.subarray(trimmed.start);
  }
}

/**
 * As `PartitionLog.read`: whoever cuts or replaces what is being read makes it begin again.
 *
 * @param online what the log has now. @throws what it throws; {MillraceError} OFFSET_OUT_OF_RANGE; {DamageFound}
 */
export async function readBatches(
  online: () => LogContents,
  offsets: LogOffsets,
  { fromOffset, upTo, ...limits }: ReadRange,
  config: LogConfig,
): Promise<Buffer> {
  for (;;) {
    const contents = online();
    offsets.checkReadable(fromOffset);
    const range = { fromOffset, upTo: Math.min(upTo, offsets.logEnd), ...limits };
    if (fromOffset >= range.upTo) return Buffer.alloc(0);
    const bytes = await contents.read(range, config);
    if (bytes !== undefined) return bytes;
  }
}
