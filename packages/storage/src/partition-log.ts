/**
 * One replica's log: ordered batches in segments, with the epochs and producers they came from. Appends are
 * synchronous into the page cache; what is durable is told by `flushedOffset`. Decides nothing about
 * replication, and never throws away what was acknowledged: damage takes the log offline instead.
 */
import { Deferred, invariant, type Logger, MillraceError, ownCopy, type TopicId } from '@millrace/core';
import type { BatchView } from '@millrace/records';
import {
  checkFollowerBatches,
  checkTimestamps,
  type LeaderAppend,
  soleBatch,
  withoutKnownGap,
} from './incoming-batches.ts';
import type { JournalClient } from './journal-entry.ts';
import type { EpochEndOffset } from './leader-epochs-state.ts';
import { LogCompaction } from './log-compaction.ts';
import type { LogConfig } from './log-config.ts';
import { LogContents, readBatches } from './log-contents.ts';
import { type CutTarget, cutAll, cutEmptyEpochs, cutEnd } from './log-cut.ts';
import { markDamaged, readFailure, removeOldDamage } from './log-damage.ts';
import { LogDurability } from './log-durability.ts';
import { LogFailures } from './log-failures.ts';
import { type KnownOffsets, LogOffsets } from './log-offsets.ts';
import { DamageFound, type ReadOptions } from './log-reader.ts';
import type { RecoveryContext } from './log-recovery.ts';
import { setLogAside } from './log-repair.ts';
import type { LogResources } from './log-resources.ts';
import { type Deletion, deleteBefore, deleteExpired } from './log-retention.ts';
import type { TimestampOffset } from './log-timestamps.ts';
import type { PartitionId } from './partition-id.ts';
import type { ProducerEntry } from './producer-state.ts';
import { storageFailure } from './storage-failure.ts';
import type { EpochStart } from './text-files.ts';

export class PartitionLog implements JournalClient {
  readonly topic: string;
  readonly partition: number;
  readonly topicId: TopicId;
  readonly topicIdBytes: Buffer;
  /** Called once when the log goes offline after it was opened. */
  onOffline: ((error: MillraceError) => void) | undefined;
  /** @internal */
  onRepaired: (() => void) | undefined;
  readonly #resources: LogResources;
  readonly #logger: Logger;
  readonly #offsets: LogOffsets;
  readonly #durability: LogDurability;
  readonly #failures: LogFailures;
  /** @internal */
  readonly compaction: LogCompaction;
  #context: RecoveryContext;
  /** Undefined while the log is damaged. */
  #contents: LogContents | undefined;
  #offline: MillraceError | undefined;
  /** A truncation under way; it never fails. */
  #cutting: Promise<void> | undefined;
  /** A repair under way; it never fails. */
  #repairing: Promise<void> | undefined;
  #isDeleted = false;
  readonly #rejectRead = (error: unknown): Promise<never> => Promise.reject(this.#failures.read(error));

  private constructor(id: PartitionId, context: RecoveryContext) {
    this.topic = id.topic;
    this.partition = id.partition;
    this.topicId = id.topicId;
    this.topicIdBytes = ownCopy(Buffer.from(id.topicId, 'base64url'));
    invariant(this.topicIdBytes.length === 16, 'a topic id is 16 bytes', { ...id });
    this.#context = context;
    this.#resources = context.resources;
    this.#logger = context.logger;
    this.#offsets = new LogOffsets(context.recoveryPoint ?? 0);
    this.#durability = new LogDurability({
      client: this,
      journal: context.resources.journal,
      offsets: this.#offsets,
      durability: context.config.durability,
      isJournalled: context.replay !== undefined,
      checkpoint: () => context.resources.checkpoint(),
      isOffline: () => this.#offline !== undefined,
    });
    this.#failures = new LogFailures({
      context: () => this.#context,
      isOffline: () => this.#offline !== undefined,
      uses: (contents) => !this.#isDeleted && this.#repairing === undefined && contents === this.#contents,
      goOffline: (failure) => this.goOffline(failure),
    });
    this.compaction = new LogCompaction({
      context,
      offsets: this.#offsets,
      config: () => this.config,
      contents: () =>
        this.#offline === undefined && this.#cutting === undefined ? this.#contents : undefined,
      sync: async () => void (await this.syncForJournal()),
      failed: (error) => this.#failures.cleaning(this.#contents, error),
    });
  }

  /** Opens or recovers what lies in the folder. A damaged log comes back offline. @internal */
  static async open(id: PartitionId, context: RecoveryContext, known: KnownOffsets): Promise<PartitionLog> {
    const log = new PartitionLog(id, context);
    try {
      await log.#recover(known);
    } catch (error) {
      const failure = readFailure(context.folder, error);
      log.#offline = failure;
      log.#logger.error({ event: 'log_offline', err: failure }, 'a log cannot be opened and is offline');
      if (failure.code === 'LOG_DAMAGED') await markDamaged(context, failure.message);
    }
    return log;
  }

  /** Why the log takes no more requests; undefined while it works. */
  get offline(): MillraceError | undefined {
    return this.#offline;
  }

  get config(): LogConfig {
    return this.#context.config;
  }

  get logStartOffset(): number {
    return this.#offsets.logStart;
  }

  get logEndOffset(): number {
    return this.#offsets.logEnd;
  }

  /** Everything below is durable in the sense of the topic's durability. Equals logEndOffset for page-cache. */
  get flushedOffset(): number {
    return this.#offsets.flushed;
  }

  /** Epoch of the last batch or of the last assigned leadership; -1 for none. */
  get lastEpoch(): number {
    return this.#contents?.side.epochs.lastEpoch ?? -1;
  }

  get highWatermark(): number {
    return this.#offsets.highWatermark;
  }

  /** Where the part begins that compaction has not seen. */
  get firstDirtyOffset(): number {
    return this.#offsets.firstDirty;
  }

  get sizeBytes(): number {
    return this.#contents?.segments.sizeBytes ?? 0;
  }

  /** Everything below is on stable storage in the log itself. @internal */
  get recoveryPoint(): number {
    return this.#offsets.recoveryPoint;
  }

  /** Damaged, or its disk failed while it was opened: what it says of itself is not to be written down. @internal */
  get isUnknown(): boolean {
    return (
      (this.#contents === undefined || this.#offline?.code === 'LOG_DAMAGED') && this.#repairing === undefined
    );
  }

  /** Kept for the checkpoint and as the bound of retention. Never beyond the log's end. */
  setHighWatermark(offset: number): void {
    if (this.#offsets.setHighWatermark(offset)) this.#resources.checkpointLater();
  }

  /**
   * Gives one batch its offsets and epoch, in place, and appends it to the page cache. The journal may look at it
   * afterwards, as it is: it must not be changed, and holds its memory for as long.
   * @param batch one whole batch that passed `checkBatch`.
   * @param mayBeginAnywhere what is not known of its producer does not count as missing, though the log is whole.
   * @throws {MillraceError} as ProducerState.check; MESSAGE_TOO_LARGE, INVALID_RECORD, INVALID_TIMESTAMP,
   * NODE_OVERLOADED; DISK_FULL or KAFKA_STORAGE_ERROR, after which the log is offline.
   */
  appendAsLeader(batch: Buffer, leaderEpoch: number, mayBeginAnywhere = false): LeaderAppend {
    const { side } = this.#writable();
    const { config } = this;
    const view = soleBatch(batch, config.maxMessageBytes);
    const { lastEpoch } = side.epochs;
    if (leaderEpoch < lastEpoch) {
      throw new MillraceError('FENCED_LEADER_EPOCH', `epoch ${leaderEpoch} is older than ${lastEpoch}`);
    }
    const nowMs = this.#resources.clock.wallMs();
    checkTimestamps(view, config, nowMs);
    const isAppendTime = config.timestampType === 'append';
    const earlier = side.checkProducer(view, this.#offsets.logStart, mayBeginAnywhere);
    if (earlier !== undefined) {
      const { baseOffset, lastOffset, timestamp } = earlier;
      return { baseOffset, lastOffset, duplicate: true, logAppendTimeMs: isAppendTime ? timestamp : -1 };
    }
    this.#durability.checkRoom();
    const baseOffset = this.#offsets.logEnd;
    view.assignOffsets(baseOffset, leaderEpoch);
    if (isAppendTime) view.setLogAppendTime(nowMs);
    this.#append(batch, [view], nowMs, true);
    const logAppendTimeMs = isAppendTime ? nowMs : -1;
    return { baseOffset, lastOffset: view.lastOffset, duplicate: false, logAppendTimeMs };
  }

  /**
   * Appends batches as the leader gave them; all or none. The journal may look at them afterwards.
   * @throws {MillraceError} CORRUPT_MESSAGE for a wrong checksum, a gap or an epoch that goes back; NODE_OVERLOADED;
   * DISK_FULL or KAFKA_STORAGE_ERROR, after which the log is offline.
   */
  appendAsFollower(fetched: Buffer): { readonly lastOffset: number } {
    const contents = this.#writable();
    const { logEnd } = this.#offsets;
    const batches = contents.isBlank ? fetched : withoutKnownGap(fetched, logEnd);
    const views = checkFollowerBatches(batches, logEnd, this.lastEpoch, contents.isBlank);
    const last = views.at(-1);
    if (last === undefined) return { lastOffset: logEnd - 1 };
    this.#durability.checkRoom();
    const sizeBytes = views.reduce((sum, view) => sum + view.sizeBytes, 0);
    const whole = sizeBytes === batches.length ? batches : batches.subarray(0, sizeBytes);
    this.#append(whole, views, this.#resources.clock.wallMs(), false);
    return { lastOffset: last.lastOffset };
  }

  /** `listener` is called whenever flushedOffset has grown: once a group commit, or in each page-cache append. */
  onFlushed(listener: (flushedOffset: number) => void): void {
    this.#offsets.onFlushed(listener);
  }

  /** Resolves when flushedOffset >= `offset`. @throws {MillraceError} why the log went offline before. */
  async whenFlushed(offset: number): Promise<void> {
    if (this.#offsets.flushed >= offset) return;
    this.#online();
    await this.#offsets.whenFlushed(offset);
  }

  /**
   * Whole batches from the one that holds `fromOffset` on, ending at or before `upTo`. Never change the result.
   * @param maxBytes soft, unless `minOneBatch` is false.
   * @throws {MillraceError} OFFSET_OUT_OF_RANGE unless logStartOffset <= fromOffset <= logEndOffset; LOG_DAMAGED.
   */
  async read(fromOffset: number, maxBytes: number, upTo: number, options?: ReadOptions): Promise<Buffer> {
    const range = { minOneBatch: true, ...options, fromOffset, maxBytes, upTo };
    const online = (): LogContents => this.#online();
    return await readBatches(online, this.#offsets, range, this.config).catch(this.#rejectRead);
  }

  /** Where the largest epoch that is at most `epoch` ends here; {-1, -1} if `epoch` is newer than any. Rule P2. */
  endOffsetForEpoch(epoch: number): EpochEndOffset {
    return this.#contents?.side.epochs.endOffsetFor(epoch, this.logEndOffset) ?? { epoch: -1, endOffset: -1 };
  }

  /** Idempotent producers that are remembered, in order of last use. Not to be changed. */
  producers(): Iterable<ProducerEntry> {
    return this.#contents?.side.producers?.entries() ?? [];
  }

  /** The leader epoch of the batch that holds `offset`, also right before the log start; -1 if unknown. */
  epochAt(offset: number): number {
    return this.#contents?.side.epochs.epochAt(offset) ?? -1;
  }

  /** Where each leader epoch begins in this log, oldest first. */
  get epochStarts(): readonly EpochStart[] {
    return this.#contents?.side.epochs.entries ?? [];
  }

  /** A new leader notes its epoch before it uses it. Durable before anything that is appended after it. */
  assignEpoch(epoch: number, startOffset: number): void {
    const { side } = this.#online();
    this.#failures.guard(() => {
      if (!side.assignEpoch(epoch, startOffset)) return;
      if (!this.#durability.epochAssigned(epoch, startOffset)) side.writeEpochs();
    });
  }

  /** Cuts the log so that it ends at `offset`, or before it if that lies inside a batch. Durable when it resolves. */
  async truncateTo(offset: number): Promise<void> {
    const { segments, side } = this.#writable();
    if (offset < segments.startOffset) {
      await this.truncateFullyAndStartAt(offset);
    } else if (offset < this.#offsets.logEnd) {
      await this.#cut((target) => cutEnd(target, offset));
    } else if (this.#failures.guard(() => side.forgetEmptyEpochs(this.#offsets.logEnd))) {
      await this.#cut(cutEmptyEpochs);
    }
  }

  /** Throws everything away; the log goes on at `offset`. Durable when it resolves. */
  async truncateFullyAndStartAt(offset: number): Promise<void> {
    this.#writable();
    await this.#cut((target) => cutAll(target, offset));
  }

  /** Moves a damaged log's folder aside, for the operator, starts empty at `startOffset` and comes back online. */
  async resetForRepair(startOffset: number): Promise<void> {
    const ended = new Deferred<void>();
    this.#repairing = ended.promise;
    try {
      await this.#startOver(startOffset).catch(this.#rejectRead);
    } finally {
      this.#repairing = undefined;
      ended.resolve();
    }
    this.onRepaired?.();
  }

  /** The first record whose timestamp is at least `timestampMs`; undefined if all are older. */
  async offsetForTimestamp(timestampMs: number): Promise<TimestampOffset | undefined> {
    const { logStart } = this.#offsets;
    return await this.#online().findTimestamp(timestampMs, logStart, this.config).catch(this.#rejectRead);
  }

  /** The first record with the largest timestamp; undefined for a log without timestamps. */
  async maxTimestampOffset(): Promise<TimestampOffset | undefined> {
    return await this.#online().findMaxTimestamp(this.config).catch(this.#rejectRead);
  }

  /** Moves logStartOffset up to `offset`, durably, and deletes segments that lie before it. @throws OFFSET_OUT_OF_RANGE */
  async deleteRecordsBefore(offset: number): Promise<void> {
    const contents = this.#online();
    if (!this.#offsets.mayStartAt(offset)) return;
    await this.#failures.syncContents(contents);
    await this.#cutting;
    if (this.#online() !== contents) return await this.deleteRecordsBefore(offset);
    const keepsAll = { ...this.config, retentionMs: -1, retentionBytes: -1 };
    await deleteBefore(this.#deletion(contents, keepsAll, 0), offset);
  }

  setConfig(config: LogConfig): void {
    this.#context = { ...this.#context, config };
    if (this.#offline === undefined) this.#durability.setMode(config.durability);
  }

  /** Rolls and deletes by time and size. */
  async cleanUp(nowMs: number): Promise<void> {
    const contents = this.#contents;
    if (contents === undefined || this.#offline !== undefined || this.#cutting !== undefined) return;
    this.#durability.retry();
    const { segments, side } = contents;
    side.producers?.expire(nowMs, this.config.producerIdExpirationMs);
    if (segments.isRollOverdue(nowMs, this.config)) this.#failures.guard(() => segments.roll(this.config));
    await deleteExpired(this.#deletion(contents, this.config, nowMs));
  }

  /**
   * As JournalClient. If it fails the log goes offline and is marked.
   * @throws {MillraceError} if it cannot even be marked: then the journal must keep what it has. @internal
   */
  async syncForJournal(): Promise<number | undefined> {
    const contents = this.#contents;
    if (contents === undefined || this.isUnknown || this.#isDeleted) return undefined;
    invariant(this.#offline?.code !== 'NODE_NOT_SERVING', 'a closed log is synced', { topic: this.topic });
    const [{ logEnd }, { generation }] = [this.#offsets, contents];
    try {
      await contents.sync();
    } catch (error) {
      const failed = await this.#failures.sync(contents, error);
      if (failed?.isMarked === false) throw failed.failure;
      return undefined;
    }
    const isWhole = generation === contents.generation && this.#cutting === undefined;
    if (isWhole) this.#offsets.recoveryPoint = logEnd;
    return isWhole && this.#offline === undefined ? logEnd : undefined;
  }

  journalFlushed(nextOffset: number): void {
    this.#durability.journalFlushed(nextOffset);
  }

  /** @internal */
  goOffline(error: MillraceError): void {
    if (this.#offline !== undefined) return;
    this.#offline = error;
    this.#contents?.forgetTail();
    this.#logger.error(
      { event: 'log_offline', code: error.code, reason: error.message },
      'a log went offline',
    );
    this.#offsets.failWaiters(error);
    this.onOffline?.(error);
  }

  /** Leaves everything as a restart wants it. @internal */
  async close(isClean: boolean): Promise<void> {
    // What is half cut would be marked clean with the producers, and their sequences, of what was cut (P20).
    await Promise.all([this.#cutting, this.#repairing]);
    await this.compaction.stop();
    if (isClean && this.#offline === undefined) {
      this.#failures.guard(() => this.#contents?.finish());
      await this.syncForJournal().catch(() => undefined);
    }
    this.#end(new MillraceError('NODE_NOT_SERVING', 'the log is closed'));
  }

  /** The log is deleted: what the journal holds of it is void. @internal */
  async retire(): Promise<void> {
    // A repair makes its folder anew: that of the next topic of this name must not be there yet.
    await this.#repairing;
    await this.compaction.stop();
    this.#isDeleted = true;
    this.#end(new MillraceError('UNKNOWN_TOPIC_OR_PARTITION', 'the partition is deleted here'));
    await this.#contents?.settled(this.#cutting);
    const journal = this.#durability.usedJournal;
    if (journal?.failure === undefined) await journal?.reset(this, 0);
  }

  async #startOver(startOffset: number): Promise<void> {
    await this.compaction.stop();
    const damaged = {
      client: this,
      context: this.#context,
      contents: this.#contents,
      offsets: this.#offsets,
    };
    const { aside, context } = await setLogAside(damaged, startOffset);
    this.#context = context;
    await this.#recover({ highWatermark: startOffset, firstDirtyOffset: 0 });
    this.#offline = undefined;
    this.#logger.warn(
      { event: 'log_reset_for_repair', damaged: aside, logStartOffset: startOffset },
      'the damaged log was moved aside; the replica starts empty and fetches from the leader',
    );
    removeOldDamage(context.folder, this.#resources, this.#logger);
  }

  async #recover(known: KnownOffsets): Promise<void> {
    const contents = await LogContents.recover(this.#context);
    this.#offsets.opened(contents.logStartOffset, contents.endOffset, known);
    this.#contents = contents;
  }

  #append(bytes: Buffer, views: readonly BatchView[], nowMs: number, isReadSoon: boolean): void {
    const contents = this.#contents!;
    this.#failures.guard(() => contents.append(bytes, views, this.config, nowMs, isReadSoon));
    this.#offsets.appendedTo(contents.endOffset);
    this.#durability.appended(views[0]!.baseOffset, bytes);
  }

  #deletion(contents: LogContents, config: LogConfig, nowMs: number): Deletion {
    return {
      contents,
      offsets: this.#offsets,
      config,
      nowMs,
      resources: this.#resources,
      turns: this.compaction.turns,
      isStopped: () => this.#cutting !== undefined || this.offline !== undefined,
      write: (work) => this.#failures.guard(work),
      sync: () => this.#failures.syncContents(contents),
    };
  }

  /** Runs a truncation: readers start over, and nothing is appended meanwhile. */
  async #cut(work: (target: CutTarget) => Promise<void>): Promise<void> {
    const contents = this.#contents!;
    const ended = new Deferred<void>();
    this.#cutting = ended.promise;
    contents.forgetTail();
    contents.disturbReaders();
    try {
      const target: CutTarget = {
        client: this,
        contents,
        offsets: this.#offsets,
        config: this.config,
        journal: this.#durability.usedJournal,
        checkpoint: this.#resources.checkpoint,
        logger: this.#logger,
      };
      await this.compaction.turns.run(() => work(target));
    } catch (error) {
      if (error instanceof DamageFound) throw this.#failures.read(error);
      const failure = storageFailure(`${this.#context.folder} cannot be truncated`, error);
      this.goOffline(failure);
      throw failure;
    } finally {
      this.#cutting = undefined;
      ended.resolve();
      contents.disturbReaders();
    }
  }

  #end(reason: MillraceError): void {
    this.#contents?.close();
    if (this.#offline !== undefined) return;
    this.#offline = reason;
    this.#offsets.failWaiters(reason);
  }

  #online(): LogContents {
    if (this.#offline !== undefined) throw this.#offline;
    return this.#contents!;
  }

  #writable(): LogContents {
    const contents = this.#online();
    invariant(this.#cutting === undefined, 'the log is being truncated', { folder: this.#context.folder });
    return contents;
  }
}
