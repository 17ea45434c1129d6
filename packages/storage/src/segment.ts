/**
 * One segment: a `.log` with its two indexes. Appends go to the page cache; index entries stay in memory until
 * the segment is sealed, synced or closed, because recovery rebuilds what a crash loses of them. Knows nothing
 * of epochs, producers or durability.
 */
import type { Logger } from '@millrace/core';
import type { BatchView } from '@millrace/records';
import type { DiskFile } from './file-system.ts';
import type { LogConfig } from './log-config.ts';
import type { LogResources } from './log-resources.ts';
import { type BatchVisitor, readHeader, type ScanEnd, scanBatches } from './log-scan.ts';
import { OffsetIndex } from './offset-index.ts';
import { SegmentFiles } from './segment-files.ts';
import { type TimeEntry, TimeIndex } from './time-index.ts';
import { readWhole, syncFile, withFile } from './whole-file.ts';

/** Positions and relative offsets are int32. */
const RELATIVE_MAX = 2 ** 31 - 1;
/** A rebuilt index that cannot keep up with appends is given up. */
const CATCH_UPS_MAX = 100;

type SegmentResources = Pick<LogResources, 'fileSystem' | 'clock' | 'files'>;

interface Indexes {
  readonly offsets: OffsetIndex;
  readonly times: TimeIndex;
  offsetsOnDisk: number;
  timesOnDisk: number;
}

export class Segment {
  readonly baseOffset: number;
  readonly #files: SegmentFiles;
  readonly #resources: SegmentResources;
  readonly #logger: Logger;
  #indexes: Indexes | undefined;
  #loading: Promise<ScanEnd> | undefined;
  #bytesSinceIndexed = 0;
  #sizeBytes: number;
  /** Of the batch with the largest timestamp; undefined until known. */
  #newest: TimeEntry | undefined;
  #firstTimestamp: number | undefined;
  #nextOffset: number;
  /** Made with the first sync: until then the partition may stay empty for ever. */
  #hasIndexFiles = false;
  /** Stands in for timestamps that records lack. */
  readonly openedMs: number;
  /** Bytes were written since the last sync began. */
  isDirty = false;
  /** The index files must be on stable storage, too: nothing will look whether they are whole. */
  isIndexSyncDue = false;
  /** They may have been written since they were synced. */
  #areIndexFilesUnsynced = false;
  #areTimesKnown = false;
  /** Counts cuts, seals and removals. */
  #changes = 0;

  constructor(
    folder: string,
    baseOffset: number,
    sizeBytes: number,
    resources: SegmentResources,
    logger: Logger,
    suffix = '',
  ) {
    this.baseOffset = baseOffset;
    this.#files = new SegmentFiles(folder, baseOffset, resources, suffix);
    this.#sizeBytes = sizeBytes;
    this.#nextOffset = baseOffset;
    this.#resources = resources;
    this.#logger = logger;
    this.openedMs = resources.clock.wallMs();
    if (sizeBytes === 0) this.#indexes = noIndexes();
  }

  /** A new, empty segment with its files. */
  static create(
    folder: string,
    baseOffset: number,
    resources: SegmentResources,
    logger: Logger,
    suffix = '',
  ): Segment {
    const segment = new Segment(folder, baseOffset, 0, resources, logger, suffix);
    segment.#createFiles('.log');
    segment.isDirty = true;
    return segment;
  }

  get logPath(): string {
    return this.#files.path('.log');
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** After the last batch that was appended or walked; only true of a loaded segment. */
  get nextOffset(): number {
    return this.#nextOffset;
  }

  get isEmpty(): boolean {
    return this.#sizeBytes === 0;
  }

  /** Valid until the caller yields; see `hold` for longer. */
  file(): DiskFile {
    return this.#files.log().disk;
  }

  /** Runs `use` while the file cannot be closed. */
  async withFile<T>(use: (file: DiskFile) => Promise<T>): Promise<T> {
    return await this.#files.withLog(use);
  }

  /** Whether `bytes` more, whose last offset is `lastOffset`, need a new segment. */
  isFullFor(
    bytes: number,
    lastOffset: number,
    timestamp: number,
    config: LogConfig,
    jitterMs: number,
  ): boolean {
    if (this.isEmpty) return lastOffset - this.baseOffset > RELATIVE_MAX;
    const limitBytes = Math.min(config.segmentBytes, RELATIVE_MAX);
    if (this.#sizeBytes + bytes > limitBytes || lastOffset - this.baseOffset > RELATIVE_MAX) return true;
    const { offsets, times } = this.#loaded();
    const entriesMax = config.segmentIndexBytes;
    if ((offsets.count + 1) * OffsetIndex.entryBytes > entriesMax) return true;
    if ((times.count + 1) * TimeIndex.entryBytes > entriesMax) return true;
    return this.#ageMs(timestamp) > config.segmentMs - jitterMs;
  }

  /** Whether time alone asks for a new segment. */
  isOverdue(nowMs: number, config: LogConfig, jitterMs: number): boolean {
    return !this.isEmpty && nowMs - (this.#firstTimestamp ?? this.openedMs) > config.segmentMs - jitterMs;
  }

  /** Writes whole batches at the end. After a throw nothing is known of what follows `sizeBytes` in the file. */
  write(bytes: Buffer): void {
    this.isDirty = true;
    this.file().writeSync([bytes], this.#sizeBytes);
  }

  /** Counts a batch that `write` wrote, in order, and indexes it if it is due. */
  added(batch: BatchView, indexIntervalBytes: number): void {
    this.#index(this.#loaded(), batch, this.#sizeBytes, indexIntervalBytes);
    this.#sizeBytes += batch.sizeBytes;
  }

  /** No more appends: the time index gets its last entry, both indexes go to disk. */
  seal(): void {
    this.#changes++;
    const { times } = this.#loaded();
    if (this.#newest !== undefined) times.append(this.#newest.timestamp, this.#newest.relativeOffset);
    this.writeIndexes();
    this.isIndexSyncDue = true;
  }

  /** Index entries of the page cache's data, to the page cache. */
  writeIndexes(): void {
    const indexes = this.#indexes;
    if (indexes === undefined || this.isRemoved) return;
    const { offsets, times } = indexes;
    if (!this.#hasIndexFiles) this.#createFiles('.index', '.timeindex');
    this.#hasIndexFiles = true;
    indexes.offsetsOnDisk = this.#extend('.index', OffsetIndex.entryBytes, indexes.offsetsOnDisk, offsets);
    indexes.timesOnDisk = this.#extend('.timeindex', TimeIndex.entryBytes, indexes.timesOnDisk, times);
  }

  /** As `seal`, of a segment that goes on after a restart. @returns whether its files need a sync. */
  finishIndexes(): boolean {
    if (this.isEmpty) return false;
    this.writeIndexes();
    this.isIndexSyncDue ||= this.#areIndexFilesUnsynced;
    return this.isIndexSyncDue;
  }

  /** Resolves when all that was written before is on stable storage. */
  async sync(): Promise<void> {
    this.isDirty = false;
    try {
      await this.withFile((file) => file.datasync());
      if (this.isIndexSyncDue) await this.#syncIndexFiles();
    } catch (error) {
      this.isDirty = true;
      throw error;
    }
  }

  /**
   * Makes the indexes usable: from disk if they are sound, else from the log, with one line. Batches after the
   * last index entry are walked.
   */
  async load(config: LogConfig): Promise<ScanEnd> {
    this.#files.checkThere();
    if (this.#loading !== undefined) return await this.#loading;
    if (this.#indexes !== undefined) return { position: this.#sizeBytes, fault: undefined };
    this.#loading = this.#load(config).finally(() => {
      this.#loading = undefined;
    });
    return await this.#loading;
  }

  async #load(config: LogConfig): Promise<ScanEnd> {
    const what = this.#readIndexFiles();
    if (what !== undefined) return await this.rebuild(config, what);
    this.#distrustTimes();
    const end = await this.#walk(config);
    return end.fault !== undefined && this.#loaded().offsets.count > 0
      ? await this.rebuild(config, 'the offset index')
      : end;
  }

  /**
   * As `load`, after an unclean stop: every batch from `trustedBelow` on, and some before it, goes through
   * `check`, and index entries from there on are found anew. The caller cuts what lies after the end.
   */
  async verify(config: LogConfig, trustedBelow: number, check: BatchVisitor): Promise<ScanEnd> {
    this.#resetIndexes();
    this.#areIndexFilesUnsynced = true;
    if (trustedBelow > this.baseOffset) {
      const what = this.#readIndexFiles();
      if (what !== undefined) this.#logRebuilt(what);
      const onDisk = this.#encodedIndexes();
      this.#distrustFrom(trustedBelow - this.baseOffset);
      const end = await this.#walk(config, check);
      if (end.fault === undefined || this.#loaded().offsets.count === 0) {
        if (!this.#encodedIndexes().equals(onDisk)) this.#rewriteIndexFiles();
        return end;
      }
      this.#logRebuilt('the offset index');
      this.#resetIndexes();
    }
    return await this.#walk(config, check);
  }

  /**
   * Both indexes from the log alone, beside those in use: the log may grow meanwhile, and nobody may see its end move.
   * Changes nothing if the segment is cut, sealed or removed meanwhile. @param what was missing or wrong, for people.
   */
  async rebuild(config: LogConfig, what: string): Promise<ScanEnd> {
    this.#logRebuilt(what);
    const [isInUse, changes] = [this.#indexes !== undefined && this.#loading === undefined, this.#changes];
    const fresh = new Segment(this.#files.folder, this.baseOffset, 0, this.#resources, this.#logger);
    let end: ScanEnd = { position: 0, fault: undefined };
    for (let i = 0; i < CATCH_UPS_MAX && fresh.#sizeBytes < this.#sizeBytes; i++) {
      fresh.#sizeBytes = this.#sizeBytes;
      end = await fresh.#walk(config);
      if (changes !== this.#changes || (isInUse && end.fault !== undefined)) return end;
    }
    if (fresh.#sizeBytes < this.#sizeBytes) return end;
    this.#indexes = fresh.#indexes;
    this.#newest = fresh.#newest;
    this.#firstTimestamp = fresh.#firstTimestamp;
    this.#bytesSinceIndexed = fresh.#bytesSinceIndexed;
    if (!isInUse) this.#nextOffset = fresh.#nextOffset;
    this.#rewriteIndexFiles();
    await this.#syncIndexFiles();
    return end;
  }

  get isLoaded(): boolean {
    return this.#indexes !== undefined;
  }

  /** Frees the memory of a sealed segment's indexes. */
  unload(): void {
    if (this.isEmpty || this.#loading !== undefined) return;
    this.writeIndexes();
    this.#indexes = undefined;
  }

  /** A position at or before the batch that holds `offset`; 0 at worst. */
  positionBefore(offset: number): number {
    return this.#indexes?.offsets.positionBefore(offset - this.baseOffset) ?? 0;
  }

  /** Where the search for the first record at or after `timestamp` may begin. */
  positionBeforeTime(timestamp: number): number {
    const before = this.#indexes?.times.before(timestamp);
    return before === undefined ? 0 : this.positionBefore(this.baseOffset + before.relativeOffset);
  }

  /** Of a batch that, like all before it, is older than `timestamp`: its newest record and its last offset. */
  timeBefore(timestamp: number): { readonly timestamp: number; readonly offset: number } | undefined {
    const before = this.#indexes?.times.before(timestamp);
    return before && { timestamp: before.timestamp, offset: this.baseOffset + before.relativeOffset };
  }

  /** The largest timestamp and the last offset of the batch that holds it; undefined if no batch has one. */
  get newest(): { readonly timestamp: number; readonly offset: number } | undefined {
    const newest = this.#newest;
    return newest && { timestamp: newest.timestamp, offset: this.baseOffset + newest.relativeOffset };
  }

  /** Of the first batch that has a time; -1 if none is known to. */
  get oldestTimestamp(): number {
    return this.#firstTimestamp ?? -1;
  }

  /** Cuts the log at `position`, the end of a whole batch; everything kept is before `nextOffset`. */
  async truncate(position: number, nextOffset: number, config: LogConfig): Promise<void> {
    this.isDirty = true;
    this.#changes++;
    const file = this.file();
    if (file.sizeSync() > position) file.truncateSync(position);
    this.#sizeBytes = position;
    if (position === 0) {
      this.#resetIndexes();
    } else {
      const { offsets, times } = this.#loaded();
      offsets.truncate(position);
      times.truncate(nextOffset - this.baseOffset);
      this.#newest = times.last;
      await this.#walk(config);
      this.#changes++;
    }
    this.#rewriteIndexFiles();
  }

  /** Renames the files so that they are gone after a restart; returns their new names. */
  remove(suffix: string): string[] {
    this.#changes++;
    return this.#files.remove(suffix);
  }

  /** Gives the files of a segment that is not in use yet another suffix. */
  rename(suffix: string): void {
    this.#changes++;
    this.#files.rename(suffix);
  }

  /** The files of a segment that nobody uses go at once. */
  unlink(): void {
    this.#files.unlink();
  }

  /** Reads of it end with ENOENT, unless they have its file already. */
  get isRemoved(): boolean {
    return this.#files.isRemoved;
  }

  #ageMs(timestamp: number): number {
    const now = this.#resources.clock.wallMs();
    return this.#firstTimestamp !== undefined && timestamp >= 0
      ? timestamp - this.#firstTimestamp
      : now - this.openedMs;
  }

  #loaded(): Indexes {
    if (this.#indexes === undefined) throw new Error(`the indexes of ${this.#files.stem} are not loaded`);
    return this.#indexes;
  }

  #resetIndexes(): void {
    this.#indexes = noIndexes();
    this.#newest = undefined;
    this.#firstTimestamp = undefined;
    this.#nextOffset = this.baseOffset;
    this.#bytesSinceIndexed = 0;
  }

  /** The files of an unclean stop may each have lost their end: batches after the last entry of either are walked. */
  #distrustFrom(relativeOffset: number): void {
    const { offsets, times } = this.#loaded();
    times.truncate(relativeOffset);
    const newest = times.last;
    const known = Math.min(relativeOffset - 1, newest?.relativeOffset ?? 0);
    offsets.truncate(offsets.positionBefore(Math.max(known, 0)) + 1);
    this.#newest = newest;
  }

  /** A time index that was cut short is as sound as one of records that are out of order: once, batches tell. */
  #distrustTimes(): void {
    const { offsets, times } = this.#loaded();
    if (this.#areTimesKnown || times.count >= offsets.count) return;
    this.#areTimesKnown = true;
    const onDisk = offsets.count;
    offsets.truncate(offsets.positionBefore(times.last?.relativeOffset ?? 0) + 1);
    if (offsets.count < onDisk) this.#loaded().offsetsOnDisk = offsets.count;
  }

  #index(indexes: Indexes, batch: BatchView, position: number, indexIntervalBytes: number): void {
    const relativeOffset = batch.lastOffset - this.baseOffset;
    // Of a batch that lost its records the time is that of none.
    const timestamp = batch.recordCount === 0 ? -1 : batch.maxTimestamp;
    if (timestamp >= 0) this.#firstTimestamp ??= timestamp;
    if (timestamp > (this.#newest?.timestamp ?? -1)) this.#newest = { timestamp, relativeOffset };
    if (this.#bytesSinceIndexed > indexIntervalBytes) {
      indexes.offsets.append(relativeOffset, position);
      if (this.#newest !== undefined)
        indexes.times.append(this.#newest.timestamp, this.#newest.relativeOffset);
      this.#bytesSinceIndexed = 0;
    }
    this.#bytesSinceIndexed += batch.sizeBytes;
    this.#nextOffset = batch.nextOffset;
  }

  /** Indexes what lies after the last entry, as appending it did. Nothing may be appended meanwhile. */
  async #walk(config: LogConfig, check?: BatchVisitor): Promise<ScanEnd> {
    if (this.isEmpty) return { position: 0, fault: undefined };
    const indexes = this.#loaded();
    const start = indexes.offsets.lastPosition;
    let isIndexed = indexes.offsets.count > 0;
    this.#bytesSinceIndexed = 0;
    return await this.withFile(async (file) => {
      if (start > 0) await this.#readFirstTimestamp(file);
      return await scanBatches(file, start, this.#sizeBytes, (batch, position) => {
        const fault = check?.(batch, position);
        if (fault !== undefined) return fault;
        // The batch of the last entry has its entry already.
        const intervalBytes = isIndexed ? Number.MAX_SAFE_INTEGER : config.indexIntervalBytes;
        this.#index(indexes, batch, position, intervalBytes);
        isIndexed = false;
        return undefined;
      });
    });
  }

  async #readFirstTimestamp(file: DiskFile): Promise<void> {
    const first = await readHeader(file, 0);
    if (first !== undefined && first.maxTimestamp >= 0) this.#firstTimestamp = first.maxTimestamp;
  }

  /** @returns what is missing or damaged; undefined if both indexes were read. */
  #readIndexFiles(): string | undefined {
    const offsetBytes = readWhole(this.#resources.fileSystem, this.#files.path('.index'));
    const timeBytes = readWhole(this.#resources.fileSystem, this.#files.path('.timeindex'));
    const offsets = offsetBytes && OffsetIndex.decode(offsetBytes, this.#sizeBytes);
    const times = timeBytes && TimeIndex.decode(timeBytes);
    if (offsets === undefined) return 'the offset index';
    if (times === undefined) return 'the time index';
    this.#indexes = { offsets, times, offsetsOnDisk: offsets.count, timesOnDisk: times.count };
    this.#newest = times.last;
    this.#hasIndexFiles = true;
    return undefined;
  }

  #logRebuilt(what: string): void {
    this.#logger.warn(
      { event: 'index_rebuilt', segment: this.#files.stem },
      `${what} is missing or damaged: it is rebuilt from the log`,
    );
  }

  #extend(ending: string, entryBytes: number, from: number, index: OffsetIndex | TimeIndex): number {
    if (index.count <= from) return index.count;
    this.#areIndexFilesUnsynced = true;
    withFile(this.#resources.fileSystem, this.#files.path(ending), true, (file) => {
      file.writeSync([index.encode(from)], from * entryBytes);
    });
    return index.count;
  }

  /** Empty ones; closed again, since most partitions are idle. */
  #createFiles(...endings: readonly string[]): void {
    this.#areIndexFilesUnsynced = true;
    for (const ending of endings) {
      withFile(this.#resources.fileSystem, this.#files.path(ending), true, (file) => {
        if (file.sizeSync() > 0) file.truncateSync(0);
      });
    }
  }

  /** Entries that are gone from memory must not reappear from disk. */
  #rewriteIndexFiles(): void {
    const indexes = this.#loaded();
    indexes.offsetsOnDisk = 0;
    indexes.timesOnDisk = 0;
    this.#hasIndexFiles = false;
    this.writeIndexes();
    this.isIndexSyncDue = true;
  }

  async #syncIndexFiles(): Promise<void> {
    this.isIndexSyncDue = false;
    this.#areIndexFilesUnsynced = false;
    try {
      for (const ending of ['.index', '.timeindex']) {
        await syncFile(this.#resources.fileSystem, this.#files.path(ending));
      }
    } catch (error) {
      this.isIndexSyncDue = true;
      this.#areIndexFilesUnsynced = true;
      throw error;
    }
  }

  #encodedIndexes(): Buffer {
    const { offsets, times } = this.#loaded();
    return Buffer.concat([offsets.encode(), times.encode()]);
  }
}

function noIndexes(): Indexes {
  return { offsets: new OffsetIndex(), times: new TimeIndex(), offsetsOnDisk: 0, timesOnDisk: 0 };
}
