/**
 * One replica's log: ordered batches in segments, with the epochs and producers they came from. Appends are
 * synchronous into the page cache; what is durable is told by `flushedOffset`. Decides nothing about
 * replication, and never throws away what was acknowledged: damage takes the log offline instead.
 */
import { invariant, type Logger, MillraceError, type TopicId } from '@millrace/core';
import type { BatchView } from '@millrace/records';
import { trimBatches } from './batch-trim.ts';
import { FlushWaiters } from './flush-waiters.ts';
import { checkFollowerBatches, checkTimestamps, soleBatch } from './incoming-batches.ts';
import type { JournalClient } from './journal.ts';
import type { LogConfig } from './log-config.ts';
import { logDamaged } from './log-damage.ts';
import { DAMAGE_MARK, folderAside } from './log-folder.ts';
import { DamageFound, LogReader } from './log-reader.ts';
import { type RecoveryContext, recoverLog } from './log-recovery.ts';
import type { LogResources } from './log-resources.ts';
import { expiredSegments } from './log-retention.ts';
import { LogSideFiles } from './log-side-files.ts';
import { findMaxTimestamp, findTimestamp, type TimestampOffset } from './log-timestamps.ts';
import { createPartitionFolder, syncPartitionFolder } from './partition-folder.ts';
import { SegmentList } from './segment-list.ts';
import { storageFailure } from './storage-failure.ts';
import { LogTail } from './tail-cache.ts';
import { replaceWholeDurably } from './whole-file.ts';

export interface PartitionId {
  readonly topic: string;
  readonly partition: number;
  readonly topicId: TopicId;
}

export interface LeaderAppend {
  readonly baseOffset: number;
  readonly lastOffset: number;
  /** The batch was appended before; the offsets are those of the first time. */
  readonly duplicate: boolean;
  /** -1 unless the topic's timestamp type is 'append'. */
  readonly logAppendTimeMs: number;
}

export interface EpochEndOffset {
  readonly epoch: number;
  readonly endOffset: number;
}

const NOTHING = Buffer.alloc(0);
/** A producer snapshot in between rolls bounds what a restart must walk. */
const SNAPSHOT_INTERVAL_BYTES = 64 * 1024 * 1024;

export class PartitionLog implements JournalClient {
  readonly topic: string;
  readonly partition: number;
  readonly topicId: TopicId;
  readonly topicIdBytes: Buffer;
  /** Called once when the log goes offline after it was opened. */
  onOffline: ((error: MillraceError) => void) | undefined;
  /** @internal */
  onRepaired: (() => void) | undefined;
  readonly #folder: string;
  readonly #resources: LogResources;
  readonly #logger: Logger;
  readonly #tail: LogTail;
  readonly #waiters = new FlushWaiters();
  readonly #listeners: ((flushedOffset: number) => void)[] = [];
  #config: LogConfig;
  #context: RecoveryContext;
  #segments!: SegmentList;
  #side!: LogSideFiles;
  #reader!: LogReader;
  #offline: MillraceError | undefined;
  #logStartOffset = 0;
  #logEndOffset = 0;
  #flushedOffset = 0;
  #highWatermark = 0;
  #recoveryPoint: number;
  /** Bytes appended since the last producer snapshot. */
  #unsnapshottedBytes = 0;
  /** Grows whenever bytes that readers may be looking at go away. */
  #generation = 0;
  #isCutting = false;
  #syncing: Promise<void> = Promise.resolve();
  #isRepairing = false;
  #isDeleted = false;
  /** Its name may not be durable yet. */
  #isFolderNew: boolean;
  /** The journal may hold records of this log. */
  #isJournalled = false;
  /** Flushes do not count until the log itself was synced: it was not journalled before. */
  #isCatchingUp = false;

  private constructor(id: PartitionId, context: RecoveryContext) {
    this.topic = id.topic;
    this.partition = id.partition;
    this.topicId = id.topicId;
    this.topicIdBytes = Buffer.from(id.topicId, 'base64url');
    this.#context = context;
    this.#config = context.config;
    this.#folder = context.folder;
    this.#resources = context.resources;
    this.#logger = context.logger;
    this.#tail = new LogTail(context.resources.tailCache);
    this.#recoveryPoint = context.recoveryPoint ?? 0;
    this.#isFolderNew = context.isNew;
  }

  /** Opens or recovers what lies in the folder. A damaged log comes back offline. @internal */
  static async open(id: PartitionId, context: RecoveryContext, highWatermark: number): Promise<PartitionLog> {
    invariant(Buffer.from(id.topicId, 'base64url').length === 16, 'topic id', { ...id });
    const log = new PartitionLog(id, context);
    log.#isJournalled = context.replay !== undefined;
    try {
      await log.#recover();
      log.#highWatermark = Math.min(Math.max(highWatermark, log.#logStartOffset), log.#logEndOffset);
    } catch (error) {
      log.#offline =
        error instanceof DamageFound
          ? logDamaged(context.folder, error.message)
          : failureOf(error, context.folder);
      log.#logger.error({ event: 'log_offline', err: log.#offline }, 'a log cannot be opened and is offline');
      if (log.isDamaged) await log.#markDamaged(log.#offline.message);
    }
    return log;
  }

  /** Why the log takes no more requests; undefined while it works. */
  get offline(): MillraceError | undefined {
    return this.#offline;
  }

  get config(): LogConfig {
    return this.#config;
  }

  get logStartOffset(): number {
    return this.#logStartOffset;
  }

  get logEndOffset(): number {
    return this.#logEndOffset;
  }

  /** Everything below is durable in the sense of the topic's durability. Equals logEndOffset for page-cache. */
  get flushedOffset(): number {
    return this.#flushedOffset;
  }

  /** Epoch of the last batch or of the last assigned leadership; -1 for none. */
  get lastEpoch(): number {
    return this.#side?.epochs.lastEpoch ?? -1;
  }

  get highWatermark(): number {
    return this.#highWatermark;
  }

  get sizeBytes(): number {
    return this.#segments?.sizeBytes ?? 0;
  }

  /** Everything below is on stable storage in the log itself. @internal */
  get recoveryPoint(): number {
    return this.#recoveryPoint;
  }

  /** Kept for the checkpoint and as the bound of retention. Never beyond the log's end. */
  setHighWatermark(offset: number): void {
    const bounded = Math.min(Math.max(offset, this.#logStartOffset), this.#logEndOffset);
    if (bounded === this.#highWatermark) return;
    this.#highWatermark = bounded;
    this.#resources.checkpointLater();
  }

  /**
   * Gives one batch its offsets and epoch, in place, and appends it to the page cache. The buffer belongs to
   * the log afterwards: it is cached and journalled as it is, and must not be changed or reused.
   *
   * @param batch one whole batch that passed `checkBatch`.
   * @throws {MillraceError} as ProducerState.check; MESSAGE_TOO_LARGE, INVALID_RECORD, NODE_OVERLOADED; DISK_FULL or
   * KAFKA_STORAGE_ERROR, after which the log is offline.
   */
  appendAsLeader(batch: Buffer, leaderEpoch: number): LeaderAppend {
    this.#checkWritable();
    const view = soleBatch(batch, this.#config.maxMessageBytes);
    const { epochs, producers } = this.#side;
    if (leaderEpoch < epochs.lastEpoch) {
      throw new MillraceError(
        'FENCED_LEADER_EPOCH',
        `epoch ${leaderEpoch} is older than ${epochs.lastEpoch}`,
      );
    }
    const nowMs = this.#resources.clock.wallMs();
    checkTimestamps(view, this.#config, nowMs);
    const earlier = producers?.check(view);
    if (earlier !== undefined) {
      const { baseOffset, lastOffset, timestamp } = earlier;
      const logAppendTimeMs = this.#config.timestampType === 'append' ? timestamp : -1;
      return { baseOffset, lastOffset, duplicate: true, logAppendTimeMs };
    }
    this.#checkJournalRoom();
    const baseOffset = this.#logEndOffset;
    view.assignOffsets(baseOffset, leaderEpoch);
    const isAppendTime = this.#config.timestampType === 'append';
    if (isAppendTime) view.setLogAppendTime(nowMs);
    this.#append(batch, [view], nowMs);
    return {
      baseOffset,
      lastOffset: view.lastOffset,
      duplicate: false,
      logAppendTimeMs: isAppendTime ? nowMs : -1,
    };
  }

  /**
   * Appends batches as the leader gave them; all or none. The buffer belongs to the log afterwards.
   *
   * @throws {MillraceError} CORRUPT_MESSAGE for a wrong checksum, a gap or an epoch that goes back; NODE_OVERLOADED;
   * DISK_FULL or KAFKA_STORAGE_ERROR, after which the log is offline.
   */
  appendAsFollower(batches: Buffer): { readonly lastOffset: number } {
    this.#checkWritable();
    const isEmpty = this.#segments.active.isEmpty && this.#segments.all.length === 1;
    const views = checkFollowerBatches(batches, this.#logEndOffset, this.lastEpoch, isEmpty);
    if (views.length === 0) return { lastOffset: this.#logEndOffset - 1 };
    this.#checkJournalRoom();
    const last = views[views.length - 1]!;
    const sizeBytes = views.reduce((sum, view) => sum + view.sizeBytes, 0);
    if (views[0]!.baseOffset < this.#logEndOffset) this.#segments.rebase(views[0]!.baseOffset);
    const whole = sizeBytes === batches.length ? batches : batches.subarray(0, sizeBytes);
    this.#append(whole, views, this.#resources.clock.wallMs());
    return { lastOffset: last.lastOffset };
  }

  /** `listener` is called whenever flushedOffset has grown: once a group commit, or in each page-cache append. */
  onFlushed(listener: (flushedOffset: number) => void): void {
    this.#listeners.push(listener);
  }

  /** Resolves when flushedOffset >= `offset`. @throws {MillraceError} why the log went offline before. */
  async whenFlushed(offset: number): Promise<void> {
    if (this.#flushedOffset >= offset) return;
    this.#checkOnline();
    await this.#waiters.add(offset);
  }

  /**
   * Whole batches from the one that holds `fromOffset` on, ending at or before `upTo`. The result may share
   * memory with a cache: never change it.
   *
   * @param maxBytes soft limit: with `minOneBatch` the first batch comes even if it alone is larger. Source: KIP-74.
   * @throws {MillraceError} OFFSET_OUT_OF_RANGE unless logStartOffset <= fromOffset <= logEndOffset; LOG_DAMAGED.
   */
  async read(fromOffset: number, maxBytes: number, upTo: number, minOneBatch = true): Promise<Buffer> {
    for (;;) {
      this.#checkOnline();
      if (fromOffset < this.#logStartOffset || fromOffset > this.#logEndOffset) {
        throw new MillraceError(
          'OFFSET_OUT_OF_RANGE',
          `offset ${fromOffset} is not within ${this.#logStartOffset} to ${this.#logEndOffset}`,
        );
      }
      const range = { fromOffset, maxBytes, upTo: Math.min(upTo, this.#logEndOffset), minOneBatch };
      if (fromOffset >= range.upTo) return NOTHING;
      const cached = this.#readTail(range);
      if (cached !== undefined) return cached;
      const generation = this.#generation;
      try {
        const bytes = await this.#reader.read(range, this.#config);
        if (generation === this.#generation) return bytes;
      } catch (error) {
        if (generation === this.#generation) throw this.#readFailed(error);
      }
    }
  }

  /** Where the largest epoch that is at most `epoch` ends here; {-1, -1} if `epoch` is newer than any. Rule P2. */
  endOffsetForEpoch(epoch: number): EpochEndOffset {
    return this.#side?.epochs.endOffsetFor(epoch, this.#logEndOffset) ?? { epoch: -1, endOffset: -1 };
  }

  /** The leader epoch of the batch that holds `offset`; -1 if unknown. */
  epochAt(offset: number): number {
    return this.#side?.epochs.epochAt(offset) ?? -1;
  }

  /** A new leader notes its epoch before it uses it. Durable before anything that is appended after it. */
  assignEpoch(epoch: number, startOffset: number): void {
    this.#checkOnline();
    this.#guard(() => {
      if (!this.#side.assignEpoch(epoch, startOffset)) return;
      if (this.#isDurable) {
        this.#isJournalled = true;
        this.#resources.journal.assignEpoch(this, epoch, startOffset);
      } else {
        this.#side.writeEpochs();
      }
    });
  }

  /** Cuts the log so that it ends at `offset`, or before it if that lies inside a batch. Durable when it resolves. */
  async truncateTo(offset: number): Promise<void> {
    this.#checkWritable();
    if (offset >= this.#logEndOffset) {
      await this.#forgetEmptyEpochs();
      return;
    }
    if (offset < this.#segments.startOffset) {
      await this.truncateFullyAndStartAt(offset);
      return;
    }
    await this.#cut(async () => {
      if (offset < this.#recoveryPoint) {
        // Written down first: a shorter log below it would pass for damage.
        this.#recoveryPoint = offset;
        await this.#resources.checkpoint();
      }
      await this.#segments.truncateTo(offset, this.#config);
      this.#endMovedTo(this.#segments.endOffset);
      if (this.#isJournalled) await this.#resources.journal.reset(this, this.#logEndOffset);
      await this.#side.truncated(this.#logEndOffset, this.#segments.all);
      await this.#side.sync();
      this.#recoveryPoint = this.#logEndOffset;
    });
    this.#logger.info({ event: 'log_truncated', logEndOffset: this.#logEndOffset }, 'the log was truncated');
  }

  /** An epoch that this log began and wrote nothing in may be all that it has ahead of its leader. */
  async #forgetEmptyEpochs(): Promise<void> {
    if (!this.#side.forgetEmptyEpochs(this.#logEndOffset)) return;
    await this.#cut(async () => {
      await this.#syncFiles();
      // The journal would begin the epoch again; what else it holds is in the log itself by now.
      if (this.#isJournalled) await this.#resources.journal.reset(this, this.#logEndOffset);
      if (this.#isDurable) this.#advance(this.#logEndOffset);
    });
  }

  /** Throws everything away; the log goes on at `offset`. Durable when it resolves. */
  async truncateFullyAndStartAt(offset: number): Promise<void> {
    this.#checkWritable();
    await this.#cut(async () => {
      this.#recoveryPoint = 0;
      this.#logStartOffset = offset;
      await this.#resources.checkpoint();
      // First, so that what the journal holds is not held against a log half removed.
      if (this.#isJournalled) await this.#resources.journal.reset(this, offset);
      await this.#segments.replaceAll(offset);
      this.#side.cleared();
      this.#endMovedTo(offset);
      this.#flushedOffset = offset;
      this.#highWatermark = offset;
      this.#recoveryPoint = offset;
      await this.#resources.checkpoint();
    });
    this.#logger.info(
      { event: 'log_restarted', logStartOffset: offset },
      'the log was emptied and goes on at an offset',
    );
  }

  /** Moves a damaged log's folder aside, for the operator, starts empty at `startOffset` and comes back online. */
  async resetForRepair(startOffset: number): Promise<void> {
    const { fileSystem, journal } = this.#resources;
    this.#isRepairing = true;
    this.#recoveryPoint = 0;
    this.#logStartOffset = startOffset;
    await this.#resources.checkpoint();
    await journal.reset(this, startOffset);
    this.#segments?.closeFiles();
    const aside = folderAside(fileSystem, this.#folder);
    fileSystem.renameSync(this.#folder, aside);
    await createPartitionFolder(fileSystem, this.#folder, this.topicId);
    this.#context = {
      ...this.#context,
      wasClean: true,
      recoveryPoint: 0,
      logStartOffset: startOffset,
      replay: undefined,
    };
    this.#generation++;
    this.#tail.clear();
    await this.#recover();
    this.#isRepairing = false;
    this.#offline = undefined;
    this.#highWatermark = startOffset;
    this.#logger.warn(
      { event: 'log_reset_for_repair', damaged: aside, logStartOffset: startOffset },
      'the damaged log was moved aside; the replica starts empty and fetches from the leader',
    );
    this.onRepaired?.();
  }

  /** The first record whose timestamp is at least `timestampMs`; undefined if all are older. */
  async offsetForTimestamp(timestampMs: number): Promise<TimestampOffset | undefined> {
    this.#checkOnline();
    return await findTimestamp(this.#segments.all, this.#config, timestampMs, this.#logStartOffset);
  }

  /** The first record with the largest timestamp; undefined for a log without timestamps. */
  async maxTimestampOffset(): Promise<TimestampOffset | undefined> {
    this.#checkOnline();
    return await findMaxTimestamp(this.#segments.all, this.#config);
  }

  /** Moves logStartOffset up to `offset`, durably, and deletes segments that lie before it. @throws OFFSET_OUT_OF_RANGE */
  async deleteRecordsBefore(offset: number): Promise<void> {
    this.#checkOnline();
    if (offset > this.#highWatermark) {
      throw new MillraceError(
        'OFFSET_OUT_OF_RANGE',
        `offset ${offset} is above the high watermark ${this.#highWatermark}`,
      );
    }
    if (offset <= this.#logStartOffset) return;
    this.#startMovedTo(offset);
    await this.#resources.checkpoint();
    await this.#deleteExpired({ ...this.#config, retentionMs: -1, retentionBytes: -1 }, 0);
  }

  setConfig(config: LogConfig): void {
    const becomesDurable = config.durability === 'fsync' && this.#config.durability === 'page-cache';
    this.#config = config;
    this.#context = { ...this.#context, config };
    if (becomesDurable && this.#offline === undefined) void this.#catchUp();
    if (config.durability === 'page-cache' && this.#offline === undefined) this.#advance(this.#logEndOffset);
  }

  /** Rolls and deletes by time and size. */
  async cleanUp(nowMs: number): Promise<void> {
    if (this.#offline !== undefined || this.#isCutting) return;
    this.#side.producers?.expire(nowMs, this.#config.producerIdExpirationMs);
    if (this.#segments.isRollOverdue(nowMs, this.#config))
      this.#guard(() => this.#segments.roll(this.#config));
    await this.#deleteExpired(this.#config, nowMs);
  }

  /**
   * Puts everything on stable storage in the log itself. If that fails the log goes offline and is marked.
   *
   * @throws {MillraceError} if it cannot even be marked: then the journal must keep what it has. @internal
   */
  async sync(): Promise<void> {
    const [endOffset, generation] = [this.#logEndOffset, this.#generation];
    try {
      if (this.#unsnapshottedBytes >= SNAPSHOT_INTERVAL_BYTES) this.#takeSnapshot();
      await this.#syncFiles();
    } catch (error) {
      const failure = storageFailure(`${this.#folder} cannot be synced`, error);
      // What the kernel still has of the file is unknown, so a restart must not believe it either.
      const isMarked = await this.#markDamaged(failure.message);
      this.goOffline(failure);
      if (!isMarked) throw failure;
      return;
    }
    if (generation === this.#generation && !this.#isCutting) this.#recoveryPoint = endOffset;
  }

  /** @internal */
  async syncForJournal(): Promise<void> {
    if (this.isDamaged || this.#isDeleted || this.#segments === undefined) return;
    invariant(this.#offline?.code !== 'CLOSED', 'a closed log cannot be synced', { folder: this.#folder });
    await this.sync();
  }

  /** @internal */
  journalFlushed(nextOffset: number): void {
    if (!this.#isCatchingUp && this.#isDurable) this.#advance(Math.min(nextOffset, this.#logEndOffset));
  }

  /** @internal */
  goOffline(error: MillraceError): void {
    if (this.#offline !== undefined) return;
    this.#offline = error;
    this.#tail.clear();
    this.#logger.error({ event: 'log_offline', err: error }, 'a log went offline');
    this.#waiters.failed(error);
    this.onOffline?.(error);
  }

  /** Leaves everything as a restart wants it. @internal */
  async close(isClean: boolean): Promise<void> {
    if (isClean && this.#offline === undefined) {
      this.#takeSnapshot();
      // A failure took the log offline, which the store sees.
      await this.sync().catch(() => undefined);
    }
    this.#tail.clear();
    this.#segments?.closeFiles();
    if (this.#offline === undefined) {
      this.#offline = new MillraceError('CLOSED', 'the log is closed');
      this.#waiters.failed(this.#offline);
    }
  }

  /** The log is deleted: what the journal holds of it is void. @internal */
  async retire(): Promise<void> {
    this.#isDeleted = true;
    if (this.#offline === undefined) {
      this.#offline = new MillraceError('UNKNOWN_TOPIC_OR_PARTITION', 'the partition is deleted here');
      this.#waiters.failed(this.#offline);
    }
    this.#tail.clear();
    this.#segments?.closeFiles();
    if (this.#isJournalled && this.#resources.journal.failure === undefined) {
      await this.#resources.journal.reset(this, 0);
    }
  }

  /** What it says of itself is not to be written down. @internal */
  get isDamaged(): boolean {
    return this.#offline?.code === 'LOG_DAMAGED' && !this.#isRepairing;
  }

  get #isDurable(): boolean {
    return this.#config.durability === 'fsync';
  }

  async #recover(): Promise<void> {
    const recovered = await recoverLog(this.#context);
    this.#segments = new SegmentList(this.#folder, recovered.segments, this.#resources, this.#logger);
    this.#side = new LogSideFiles(this.#context, recovered);
    this.#segments.drawJitter(this.#config);
    this.#segments.onRoll = () => this.#takeSnapshot();
    this.#reader = new LogReader(() => this.#segments.all, this.#resources.checksReads);
    this.#logStartOffset = recovered.logStartOffset;
    this.#logEndOffset = this.#segments.endOffset;
    // An empty log has nothing to lose: it is synced with its first batches.
    if (recovered.isCreated || recovered.isUnsynced) this.#segments.markAllDirty();
    if (recovered.isUnsynced) {
      this.#side.writeEpochs();
      await this.#syncFiles();
    }
    this.#recoveryPoint = this.#logEndOffset;
    this.#flushedOffset = this.#logEndOffset;
    // Most partitions are idle: files are opened when somebody comes.
    this.#segments.closeFiles();
  }

  /** One after the other: a second call must not pass for done while the first still waits for the disk. */
  #syncFiles(): Promise<void> {
    this.#syncing = this.#syncing.catch(() => undefined).then(() => this.#syncFilesNow());
    return this.#syncing;
  }

  async #syncFilesNow(): Promise<void> {
    if (this.#isFolderNew) {
      this.#isFolderNew = false;
      await syncPartitionFolder(this.#resources.fileSystem, this.#folder);
    }
    await this.#segments.sync();
    await this.#side.sync();
  }

  #append(bytes: Buffer, views: readonly BatchView[], nowMs: number): void {
    this.#guard(() => {
      this.#segments.append(bytes, views, this.#config);
      for (const view of views) this.#side.appended(view, nowMs);
    });
    const baseOffset = views[0]!.baseOffset;
    const { lastOffset } = views[views.length - 1]!;
    this.#unsnapshottedBytes += bytes.length;
    this.#logEndOffset = lastOffset + 1;
    this.#tail.append(baseOffset, lastOffset + 1, bytes);
    if (this.#isDurable) {
      this.#isJournalled = true;
      this.#resources.journal.append(this, baseOffset, lastOffset, bytes);
    } else {
      this.#advance(lastOffset + 1);
    }
  }

  #advance(flushedOffset: number): void {
    if (flushedOffset <= this.#flushedOffset) return;
    this.#flushedOffset = flushedOffset;
    this.#waiters.flushed(flushedOffset);
    for (const listener of this.#listeners) listener(flushedOffset);
  }

  /** The log was not journalled until now: what it holds must be synced before later flushes count. */
  async #catchUp(): Promise<void> {
    this.#isCatchingUp = true;
    await this.sync().catch(() => undefined);
    this.#isCatchingUp = false;
    if (this.#offline !== undefined) return;
    // Whatever was journalled meanwhile may have been flushed unnoticed.
    await this.#resources.journal.flush().then(
      () => this.#advance(this.#logEndOffset),
      () => undefined,
    );
  }

  #readTail(range: {
    fromOffset: number;
    maxBytes: number;
    upTo: number;
    minOneBatch: boolean;
  }): Buffer | undefined {
    const runs = this.#tail.read(range.fromOffset, range.maxBytes, range.upTo);
    if (runs === undefined || runs.length === 0) return undefined;
    const [first, ...rest] = runs as [Buffer, ...Buffer[]];
    const trimmed = trimBatches(first, range);
    if (trimmed.end < first.length || rest.length === 0) return trimmed.bytes;
    return Buffer.concat([trimmed.bytes, ...rest]);
  }

  #readFailed(error: unknown): MillraceError {
    if (!(error instanceof DamageFound)) return failureOf(error, this.#folder);
    const damage = logDamaged(this.#folder, error.message);
    void this.#markDamaged(error.message);
    this.goOffline(damage);
    return damage;
  }

  /** So that a restart knows, too. */
  async #markDamaged(reason: string): Promise<boolean> {
    try {
      await replaceWholeDurably(this.#resources.fileSystem, `${this.#folder}/${DAMAGE_MARK}`, reason);
      return true;
    } catch (error) {
      this.#logger.error({ event: 'damage_mark_failed', err: error }, 'a damaged log could not be marked');
      return false;
    }
  }

  async #deleteExpired(config: LogConfig, nowMs: number): Promise<void> {
    const generation = this.#generation;
    const limits = {
      logStartOffset: this.#logStartOffset,
      highWatermark: this.#highWatermark,
      endOffset: this.#logEndOffset,
      nowMs,
    };
    const count = await expiredSegments(this.#segments.all, config, limits);
    if (count === 0 || generation !== this.#generation || this.#offline !== undefined) return;
    if (count === this.#segments.all.length) this.#guard(() => this.#segments.roll(this.#config));
    const firstKept = this.#segments.all[count]!.baseOffset;
    if (firstKept > this.#logStartOffset) {
      // Written down before the files go: later it tells a deletion from a loss.
      this.#startMovedTo(firstKept);
      await this.#resources.checkpoint();
      if (generation !== this.#generation || this.offline !== undefined) return;
    }
    this.#guard(() => {
      const removed = this.#segments.deleteFirst(count);
      this.#generation++;
      this.#reader.forget();
      this.#side.startMoved(this.#logStartOffset, this.#segments.startOffset);
      this.#resources.removeLater(removed, this.#config.fileDeleteDelayMs);
    });
  }

  #startMovedTo(offset: number): void {
    this.#logStartOffset = offset;
    this.#highWatermark = Math.max(this.#highWatermark, offset);
    this.#side.startMoved(offset, this.#segments.startOffset);
    this.#resources.checkpointLater();
  }

  #endMovedTo(offset: number): void {
    this.#logEndOffset = offset;
    this.#flushedOffset = Math.min(this.#flushedOffset, offset);
    this.#highWatermark = Math.min(this.#highWatermark, offset);
    this.#waiters.failed(
      new MillraceError('NOT_LEADER_OR_FOLLOWER', 'the append was truncated away'),
      offset,
    );
  }

  /** Runs a truncation: readers start over, and nothing is appended meanwhile. */
  async #cut(work: () => Promise<void>): Promise<void> {
    this.#isCutting = true;
    this.#tail.clear();
    this.#reader.forget();
    this.#generation++;
    try {
      await work();
    } catch (error) {
      const failure = storageFailure(`${this.#folder} cannot be truncated`, error);
      this.goOffline(failure);
      throw failure;
    } finally {
      this.#isCutting = false;
      this.#reader.forget();
      this.#generation++;
    }
  }

  #takeSnapshot(): void {
    this.#side.takeSnapshot(this.#segments.endOffset, this.#segments.all);
    this.#unsnapshottedBytes = 0;
  }

  /** A failed write leaves the end of a file unknown, so the log goes offline with it. */
  #guard(write: () => void): void {
    try {
      write();
    } catch (error) {
      if (error instanceof Error && !('code' in error)) throw error;
      const failure = storageFailure(`${this.#folder} cannot be written`, error);
      this.goOffline(failure);
      throw failure;
    }
  }

  #checkOnline(): void {
    if (this.#offline !== undefined) throw this.#offline;
  }

  #checkWritable(): void {
    this.#checkOnline();
    invariant(!this.#isCutting, 'the log is being truncated', {
      topic: this.topic,
      partition: this.partition,
    });
  }

  #checkJournalRoom(): void {
    const { journal } = this.#resources;
    if (!this.#isDurable) return;
    if (journal.failure !== undefined) throw journal.failure;
    if (journal.isFull)
      throw new MillraceError('NODE_OVERLOADED', 'too many durable appends wait for the disk');
  }
}

/** Programmer errors pass through. */
function failureOf(error: unknown, folder: string): MillraceError {
  if (error instanceof Error && !('code' in error)) throw error;
  return storageFailure(`${folder} cannot be read`, error);
}
