/**
 * The segments of one log as one sequence of bytes: appending with rolls, syncing, cutting at either end.
 * Knows files and offsets; never epochs, producers or the journal.
 */
import type { Logger } from '@millrace/core';
import type { BatchView } from '@millrace/records';
import { diskErrorCode } from './file-system.ts';
import type { LogConfig } from './log-config.ts';
import { DELETED_SUFFIX } from './log-folder.ts';
import { endOf, faultAt, type LocatedBatch, locateBatch, segmentOf } from './log-locate.ts';
import { DamageFound } from './log-reader.ts';
import type { LogResources } from './log-resources.ts';
import { Segment } from './segment.ts';

export class SegmentList {
  readonly #folder: string;
  readonly #resources: LogResources;
  readonly #logger: Logger;
  #segments: Segment[];
  /** With data that was written since their last sync. */
  readonly #dirty = new Set<Segment>();
  /** Names were added or removed since the folder was last synced. */
  #isFolderDirty = false;
  #syncing: Promise<void> = Promise.resolve();
  #jitterMs = 0;
  /** Called with the log end offset before a new segment begins there. */
  onRoll: (endOffset: number) => void = () => {};
  /** Called for each batch once it is written, and before a roll that comes after it. */
  onAppended: (batch: BatchView) => void = () => {};

  constructor(folder: string, segments: Segment[], resources: LogResources, logger: Logger) {
    this.#folder = folder;
    this.#segments = segments;
    this.#resources = resources;
    this.#logger = logger;
    for (const segment of segments) if (segment.isDirty || segment.isIndexSyncDue) this.#dirty.add(segment);
  }

  get all(): readonly Segment[] {
    return this.#segments;
  }

  get active(): Segment {
    return this.#segments[this.#segments.length - 1]!;
  }

  get startOffset(): number {
    return this.#segments[0]!.baseOffset;
  }

  get endOffset(): number {
    return endOf(this.#segments);
  }

  get sizeBytes(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.sizeBytes, 0);
  }

  /** Taken anew for each segment, so that partitions created together do not roll together. */
  drawJitter(config: LogConfig): void {
    const { segmentJitterMs } = config;
    this.#jitterMs =
      segmentJitterMs === 0
        ? 0
        : this.#resources.random.uint32() % Math.min(segmentJitterMs, config.segmentMs);
  }

  /** Recovery may have found names that are not durable. */
  markFolderDirty(): void {
    this.#isFolderDirty = true;
  }

  /** @param bytes exactly `batches`, back to back. */
  append(bytes: Buffer, batches: readonly BatchView[], config: LogConfig): void {
    let [written, at] = [0, 0];
    let run = 0;
    for (let i = 0; i < batches.length; i++) {
      const { sizeBytes, lastOffset, maxTimestamp } = batches[i]!;
      if (this.active.isFullFor(at - written + sizeBytes, lastOffset, maxTimestamp, config, this.#jitterMs)) {
        this.#writeRun(bytes.subarray(written, at), batches.slice(run, i), config);
        [written, run] = [at, i];
        if (!this.active.isEmpty) this.roll(config);
      }
      at += sizeBytes;
    }
    this.#writeRun(
      written === 0 ? bytes : bytes.subarray(written),
      run === 0 ? batches : batches.slice(run),
      config,
    );
  }

  roll(config: LogConfig): void {
    const { endOffset } = this;
    this.onRoll(endOffset);
    this.active.seal();
    this.#dirty.add(this.active);
    this.#add(Segment.create(this.#folder, endOffset, this.#resources, this.#logger));
    this.drawJitter(config);
  }

  isRollOverdue(nowMs: number, config: LogConfig): boolean {
    return this.active.isOverdue(nowMs, config, this.#jitterMs);
  }

  /** Everything written before the call is on stable storage when it resolves, whoever else is syncing. */
  sync(): Promise<void> {
    this.#syncing = this.#syncing.catch(() => undefined).then(() => this.#syncNow());
    return this.#syncing;
  }

  async #syncNow(): Promise<void> {
    for (const segment of [...this.#dirty]) {
      this.#dirty.delete(segment);
      try {
        segment.writeIndexes();
        await segment.sync();
      } catch (error) {
        if (!this.#segments.includes(segment) && diskErrorCode(error) === 'ENOENT') continue;
        this.#dirty.add(segment);
        throw error;
      }
    }
    if (!this.#isFolderDirty) return;
    this.#isFolderDirty = false;
    await this.#resources.fileSystem.syncDirectory(this.#folder);
  }

  /** Where `truncateTo` would end the log: before the batch that holds `offset`. */
  async endIfCutAt(offset: number, config: LogConfig): Promise<number> {
    const target = segmentOf(this.#segments, offset) ?? this.#segments[0]!;
    return (await this.#firstCut(target, offset, config))?.baseOffset ?? Math.min(offset, target.nextOffset);
  }

  /** What a cut removes first; undefined if the segment ends there. @throws {DamageFound} a damaged offset would stay for ever. */
  async #firstCut(target: Segment, offset: number, config: LogConfig): Promise<LocatedBatch | undefined> {
    await target.load(config);
    const found = await locateBatch(target, offset);
    if (found !== undefined) return await this.#soundCut(target, found);
    if (offset < target.baseOffset || offset >= target.nextOffset) return undefined;
    // The index may have led past it.
    await target.rebuild(config, 'the offset index');
    const missed = await locateBatch(target, offset);
    if (missed === undefined) throw new DamageFound(`${target.logPath}: no batch holds offset ${offset}`);
    return await this.#soundCut(target, missed);
  }

  /** @throws {DamageFound} rather than cut what another replica, or the journal, may lack. */
  async #soundCut(target: Segment, found: LocatedBatch): Promise<LocatedBatch> {
    const fault = await faultAt(target, found);
    if (fault !== undefined) throw new DamageFound(`${target.logPath}: ${fault}`);
    return found;
  }

  /** Cuts off the batch that holds `offset` and all that follow. Durable when it resolves. */
  async truncateTo(offset: number, config: LogConfig): Promise<void> {
    const target = segmentOf(this.#segments, offset) ?? this.#segments[0]!;
    const found = await this.#firstCut(target, offset, config);
    const later = this.#segments.splice(this.#segments.indexOf(target) + 1);
    for (const segment of later.reverse()) this.#discard(segment);
    if (found !== undefined) await target.truncate(found.position, found.baseOffset, config);
    this.#dirty.add(target);
    await this.sync();
  }

  /** Nothing is left and the log goes on at `startOffset`. Durable when it resolves. */
  async replaceAll(startOffset: number): Promise<void> {
    // Newest first: a crash on the way leaves a log that is shorter, but without a hole.
    for (const segment of [...this.#segments].reverse()) this.#discard(segment);
    this.#segments = [];
    this.#add(Segment.create(this.#folder, startOffset, this.#resources, this.#logger));
    await this.sync();
  }

  /** For an empty log whose first batch begins before the offset that was asked for. */
  rebase(startOffset: number): void {
    this.#discard(this.active);
    this.#segments = [];
    this.#add(Segment.create(this.#folder, startOffset, this.#resources, this.#logger));
  }

  /** @returns the files, renamed, for a later removal. */
  deleteFirst(count: number): string[] {
    const removed: string[] = [];
    for (const segment of this.#segments.splice(0, count)) {
      this.#dirty.delete(segment);
      removed.push(...segment.remove(DELETED_SUFFIX));
    }
    this.#isFolderDirty = true;
    return removed;
  }

  /** Puts one segment in the place of neighbours. @returns their files, renamed, for a later removal. */
  replace(old: readonly Segment[], cleaned: Segment): string[] {
    const at = this.#segments.indexOf(old[0]!);
    this.#segments.splice(at, old.length, cleaned);
    const removed: string[] = [];
    for (const segment of old) {
      this.#dirty.delete(segment);
      removed.push(...segment.remove(DELETED_SUFFIX));
    }
    return removed;
  }

  /** The next sync covers the active segment's indexes, too. */
  finish(): void {
    if (this.active.finishIndexes()) this.#dirty.add(this.active);
  }

  closeFiles(): void {
    for (const segment of this.#segments) this.#resources.files.forget(segment.logPath);
  }

  #writeRun(bytes: Buffer, batches: readonly BatchView[], config: LogConfig): void {
    if (bytes.length === 0) return;
    const { active } = this;
    this.#dirty.add(active);
    active.write(bytes);
    for (const batch of batches) {
      active.added(batch, config.indexIntervalBytes);
      this.onAppended(batch);
    }
  }

  #add(segment: Segment): void {
    this.#segments.push(segment);
    this.#dirty.add(segment);
    this.#isFolderDirty = true;
  }

  #discard(segment: Segment): void {
    this.#dirty.delete(segment);
    for (const path of segment.remove(DELETED_SUFFIX)) this.#resources.fileSystem.unlinkSync(path);
    this.#isFolderDirty = true;
  }
}
