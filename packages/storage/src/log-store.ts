/**
 * One data directory: its identity, its lock, its logs and what they share. Opening it never changes what it
 * cannot read, and never formats: `format` does, when somebody asks for it.
 */
import { type Clock, type Logger, MillraceError, type NodeId, type Random, type Timer } from '@millrace/core';
import { Checkpoints } from './checkpoints.ts';
import { claimFolder } from './claim-folder.ts';
import type { CompactionReport } from './compaction-pass.ts';
import { removeDeletedFolders } from './deleted-folders.ts';
import {
  checkFormatted,
  checkIdentity,
  type DirectoryIdentity,
  type ExpectedIdentity,
  formatDirectory,
  keepQuorumId,
  readIdentity,
} from './directory-identity.ts';
import { type DirectoryLock, type DiskSpace, diskErrorCode, type FileSystem } from './file-system.ts';
import { Journal } from './journal.ts';
import { JournalReplay } from './journal-replay.ts';
import { giveUpReplay } from './journal-surrender.ts';
import { LogCleaner } from './log-cleaner.ts';
import type { LogConfig } from './log-config.ts';
import { DELETED_FOLDER_SUFFIX, freeName, parseFolderName } from './log-folder.ts';
import type { RecoveryContext } from './log-recovery.ts';
import { type LogResources, readMemory } from './log-resources.ts';
import { OpenFiles } from './open-files.ts';
import { readTopicId } from './partition-folder.ts';
import type { PartitionId } from './partition-id.ts';
import { PartitionLog } from './partition-log.ts';
import { SpaceReserve } from './space-reserve.ts';
import type { StorageConfig } from './storage-config.ts';
import { storageFailure } from './storage-failure.ts';
import { formatCleanShutdown, parseCleanShutdown } from './text-files.ts';
import { Trash } from './trash.ts';
import { readWhole, replaceWholeDurably } from './whole-file.ts';

export interface LogStoreOptions {
  readonly path: string;
  readonly fileSystem: FileSystem;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly config: StorageConfig;
  readonly expected?: ExpectedIdentity;
}

const CLEAN_SHUTDOWN = '.kafka_cleanshutdown';
const JOURNAL = 'journal';
/** Logs closed at the same time. */
const CLOSE_CONCURRENCY = 8;

export class LogStore {
  readonly path: string;
  readonly clusterId: string;
  readonly nodeId: NodeId;
  readonly directoryId: string;
  #identity: DirectoryIdentity;
  /** From the marker of a clean shutdown, or -1. */
  readonly previousBrokerEpoch: number;
  readonly #options: LogStoreOptions;
  readonly #lock: DirectoryLock;
  readonly #wasClean: boolean;
  readonly #checkpoints: Checkpoints;
  readonly #resources: LogResources;
  readonly #journal: Journal;
  readonly #space: SpaceReserve;
  readonly #replay: JournalReplay | undefined;
  /** Files of the run before are kept for those that are not recovered yet. */
  #isReplayWanted: boolean;
  #areAllOpen = false;
  readonly #trash: Trash;
  readonly #cleaner: LogCleaner;
  readonly #logs = new Map<string, PartitionLog>();
  /** The last thing that is done to each folder name. */
  readonly #busy = new Map<string, Promise<void>>();
  readonly #timers = new Set<Timer>();
  #asking: Promise<DiskSpace> | undefined;
  #brokerEpoch = -1;
  #isCheckpointDue = false;
  #isClosed = false;
  /** Every log was closed as it should be. */
  #isWhole = true;

  private constructor(
    options: LogStoreOptions,
    lock: DirectoryLock,
    meta: DirectoryIdentity,
    marker: number | undefined,
  ) {
    const { path, fileSystem, clock, random, logger, config } = options;
    this.path = path;
    this.clusterId = meta.clusterId;
    this.nodeId = meta.nodeId;
    this.directoryId = meta.directoryId;
    this.#identity = meta;
    this.previousBrokerEpoch = marker ?? -1;
    this.#options = options;
    this.#lock = lock;
    this.#wasClean = marker !== undefined;
    this.#checkpoints = new Checkpoints(fileSystem, path, () => this.#logs.values(), logger);
    const names = new Set(fileSystem.readdirSync(path).map(({ name }) => name));
    this.#checkpoints.forgetUnless((name) => names.has(name));
    const sizeBytes = config['log.dir.reserve.bytes'];
    this.#space = new SpaceReserve({ fileSystem, directory: path, sizeBytes, clock, logger });
    this.#journal = new Journal({
      fileSystem,
      directory: `${path}/${JOURNAL}`,
      fileBytes: config['journal.file.bytes'],
      maxBytes: config['journal.max.bytes'],
      queueBytes: config['journal.queue.bytes'],
      roundBytes: config['journal.round.bytes'],
      bypassBytes: config['journal.bypass.bytes'],
      checkpoint: () => this.#checkpoints.write(),
      giveUpReplay: () => this.#giveUpReplay(),
      onFailure: (error) => this.#journalFailed(error),
      space: this.#space,
      clock,
      logger,
    });
    this.#replay = this.#wasClean ? undefined : JournalReplay.scan(fileSystem, `${path}/${JOURNAL}`, logger);
    this.#isReplayWanted = this.#replay?.isEmpty === false || this.#replay?.hole !== undefined;
    this.#journal.files.adopt(this.#isReplayWanted);
    this.#trash = new Trash(fileSystem, clock, logger);
    this.#resources = {
      fileSystem,
      clock,
      random,
      files: new OpenFiles(fileSystem, config['open.files.max']),
      ...readMemory(config, clock),
      journal: this.#journal,
      space: this.#space,
      producerIdsMax: config['producer.ids.max'],
      checksReads: config['read.check.crcs'],
      damagedFoldersMax: config['damaged.logs.kept.max'],
      checkpoint: () => this.#checkpoints.write(),
      checkpointLater: () => this.#checkpointLater(),
      removeLater: (paths, delayMs) => this.#trash.add(paths, delayMs),
    };
    this.#cleaner = new LogCleaner({ clock, logger, config, logs: () => this.#logs.values() });
    this.#cleaner.start();
    this.#scheduleCleanUp();
  }

  /** As `formatDirectory`. */
  static async format(fileSystem: FileSystem, path: string, identity: DirectoryIdentity): Promise<void> {
    await formatDirectory(fileSystem, path, identity);
  }

  /** As `readIdentity`. */
  static readIdentity(fileSystem: FileSystem, path: string): DirectoryIdentity | undefined {
    return readIdentity(fileSystem, path);
  }

  /** @throws {MillraceError} NOT_FORMATTED, DIRECTORY_LOCKED, INCONSISTENT_CLUSTER_ID; KAFKA_STORAGE_ERROR if it cannot be read. */
  static async open(options: LogStoreOptions): Promise<LogStore> {
    const { fileSystem, path } = options;
    checkFormatted(fileSystem, path);
    const lock = await fileSystem.lock(path);
    try {
      const meta = checkIdentity(fileSystem, path, options.expected);
      const marker = readWhole(fileSystem, `${path}/${CLEAN_SHUTDOWN}`);
      if (marker !== undefined) fileSystem.unlinkSync(`${path}/${CLEAN_SHUTDOWN}`);
      fileSystem.mkdirSync(`${path}/${JOURNAL}`);
      // The marker is gone, and whatever a killed process made here is there for good.
      await fileSystem.syncDirectory(path);
      removeDeletedFolders(fileSystem, path, options.logger);
      const store = new LogStore(options, lock, meta, marker && parseCleanShutdown(marker.toString()));
      // Logs that know of no journal do not void what it holds when they are cut.
      await store.#journal.files.releaseVoid();
      return store;
    } catch (error) {
      await lock.release();
      throw storageFailure(`${path} cannot be opened`, error);
    }
  }

  /** The metadata quorum of the broker whose store this is; empty while unknown. */
  get quorumId(): string {
    return this.#identity.quorumId ?? '';
  }

  /** Once, with an id that is not empty. As `keepQuorumId` of directory-identity.ts; CLOSED. */
  async keepQuorumId(quorumId: string): Promise<void> {
    if (this.#isClosed) throw new MillraceError('CLOSED', 'the store is closed');
    this.#identity = await keepQuorumId(this.#options.fileSystem, this.path, this.#identity, quorumId);
  }

  /** Of its disk. One that hangs is asked once, however often this is called. @throws {MillraceError} KAFKA_STORAGE_ERROR */
  space(): Promise<DiskSpace> {
    this.#asking ??= this.#options.fileSystem
      .space(this.path)
      .catch((error: unknown) => this.#refuse(error, 'measured'))
      .finally(() => {
        this.#asking = undefined;
      });
    return this.#asking;
  }

  /** What failed for all of the directory and not for one log: nothing more is made durable here until the node restarts. */
  get failure(): MillraceError | undefined {
    return this.#journal.failure ?? this.#space.failure;
  }

  /** Bytes of durable appends that wait for the disk; the bound is journal.queue.bytes. */
  get journalBacklogBytes(): number {
    return this.#journal.backlogBytes;
  }

  /** Durable appends may soon be refused with NODE_OVERLOADED. */
  get isJournalNearlyFull(): boolean {
    return this.#journal.isNearlyFull;
  }

  /** What lies on disk, open or not. */
  listPartitions(): PartitionId[] {
    const { fileSystem } = this.#options;
    const found: PartitionId[] = [];
    for (const { name, isDirectory } of fileSystem.readdirSync(this.path)) {
      const id = isDirectory ? parseFolderName(name) : undefined;
      const read = id && readTopicId(fileSystem, `${this.path}/${name}`);
      if (id !== undefined && typeof read === 'object') found.push({ ...id, topicId: read.topicId });
    }
    return found;
  }

  /** Creates or recovers a log; a damaged one comes back with `offline` set. @throws {MillraceError} DISK_FULL, KAFKA_STORAGE_ERROR */
  async openPartition(id: PartitionId, config: LogConfig): Promise<PartitionLog> {
    const key = `${id.topic}-${id.partition}`;
    try {
      return await this.#serially(key, () => this.#openPartition(key, id, config));
    } catch (error) {
      return this.#refuse(error, 'opened', key);
    }
  }

  /** What the disk said, as an error that callers know. Programmer errors pass through. */
  #refuse(error: unknown, what: string, key?: string): never {
    if (diskErrorCode(error) === undefined) throw error;
    throw storageFailure(`${this.path}${key === undefined ? '' : `/${key}`} cannot be ${what}`, error);
  }

  /** What is done to one folder name is done in the order of the calls. */
  async #serially<T>(key: string, operation: () => Promise<T>): Promise<T> {
    const running = (this.#busy.get(key) ?? Promise.resolve()).then(operation);
    const settled = running.then(
      () => undefined,
      () => undefined,
    );
    this.#busy.set(key, settled);
    try {
      return await running;
    } finally {
      if (this.#busy.get(key) === settled) this.#busy.delete(key);
    }
  }

  async #openPartition(key: string, id: PartitionId, config: LogConfig): Promise<PartitionLog> {
    const { topic, partition, topicId } = id;
    if (this.#isClosed) throw new MillraceError('CLOSED', 'the store is closed');
    const open = this.#logs.get(key);
    if (open !== undefined && open.topicId === topicId) return open;
    if (open !== undefined) await this.#deletePartition(key, open);
    const folder = `${this.path}/${key}`;
    const { logger } = this.#options;
    const witnesses = {
      resources: this.#resources,
      checkpoints: this.#checkpoints,
      replay: this.#replay,
      logger,
    };
    const found = await claimFolder(witnesses, id, folder);
    const context: RecoveryContext = {
      folder,
      topicId,
      partition,
      config,
      resources: this.#resources,
      logger: logger.child({ topic, partition }),
      wasClean: this.#wasClean,
      recoveryPoint: found.isNew ? 0 : this.#checkpoints.recoveryPoint(topic, partition),
      logStartOffset: found.isNew ? 0 : this.#checkpoints.logStartOffset(topic, partition),
      replay: this.#replay,
      ...found,
    };
    const log = await PartitionLog.open(id, context, {
      highWatermark: this.#checkpoints.highWatermark(topic, partition),
      firstDirtyOffset: found.isNew ? 0 : this.#checkpoints.firstDirtyOffset(topic, partition),
    });
    this.#logs.set(key, log);
    if (this.#journal.failure !== undefined && config.durability === 'fsync')
      log.goOffline(this.#journal.failure);
    if (log.offline === undefined) this.#settle(topicId, partition);
    log.onRepaired = () => this.#settle(topicId, partition);
    return log;
  }

  /** The folder is renamed at once and removed later. Nothing of it is replayed after a restart. @throws {MillraceError} DISK_FULL, KAFKA_STORAGE_ERROR */
  async deletePartition(log: PartitionLog): Promise<void> {
    const key = `${log.topic}-${log.partition}`;
    try {
      await this.#serially(key, () => this.#deletePartition(key, log));
    } catch (error) {
      this.#refuse(error, 'deleted', key);
    }
  }

  async #deletePartition(key: string, log: PartitionLog): Promise<void> {
    // Deleted before: the folder of this name, if there is one, is another log's.
    if (this.#logs.get(key) !== log) return;
    const { topic, partition, topicId } = log;
    const folder = `${this.path}/${key}`;
    await log.retire();
    this.#logs.delete(key);
    this.#journal.files.forget(log);
    this.#checkpoints.forget(topic, partition);
    this.#settle(topicId, partition);
    const deleted = freeName(this.#options.fileSystem, `${folder}.${topicId}`, DELETED_FOLDER_SUFFIX);
    this.#resources.files.forgetFolder(folder);
    this.#options.fileSystem.renameSync(folder, deleted);
    this.#trash.add([deleted], log.config.fileDeleteDelayMs);
    this.#checkpointLater();
  }

  /** Call when every partition that metadata assigns to this node is open: journal entries of others are dropped. */
  forgetUnopened(): void {
    this.#areAllOpen = true;
    if ([...this.#logs.values()].some((log) => log.offline !== undefined)) return;
    this.#replay?.forgetAll();
    if (this.#replay !== undefined && !this.#isReplayWanted) this.#writeCheckpoints(() => {});
    this.#releaseReplayed();
  }

  /**
   * Makes the file that keeps room for what shares the disk with the logs, once the node serves: it is written beside
   * other work. Resolves when it is there, or when it is known that it cannot be.
   */
  keepReserve(): Promise<void> {
    return this.#space.keep();
  }

  /** Compacts this log now, dirty enough or not. Undefined if nothing can be cleaned, or it ended early. @throws {MillraceError} */
  async compact(log: PartitionLog): Promise<CompactionReport | undefined> {
    return await this.#cleaner.clean(log);
  }

  /** The epoch that a clean shutdown writes down. */
  setBrokerEpoch(epoch: number): void {
    this.#brokerEpoch = epoch;
  }

  /** Everything appended so far is on stable storage afterwards, in the logs that are not offline then. @throws {MillraceError} DISK_FULL, KAFKA_STORAGE_ERROR */
  async flush(): Promise<void> {
    for (const log of this.#logs.values()) await log.syncForJournal();
    await this.#checkpoints.write();
  }

  /** @param clean false leaves the directory as a kill would, but for what is written already. */
  async close({ clean }: { readonly clean: boolean }): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const timer of this.#timers) timer.cancel();
    this.#trash.close();
    await this.#cleaner.close();
    // A log that is opened meanwhile would not be closed, and the marker would vouch for it.
    await Promise.all(this.#busy.values());
    await this.#space.close();
    try {
      await this.#journal.flush().catch(() => undefined);
      await this.#journal.stopSyncing();
      await this.#closeLogs(clean);
      if (clean) await this.#writeMarker();
      await this.#journal.close();
    } catch (error) {
      this.#refuse(error, 'closed');
    } finally {
      this.#resources.readAheadRoom.close();
      this.#resources.files.close();
      await this.#lock.release();
    }
  }

  async #closeLogs(clean: boolean): Promise<void> {
    const isWhole = [...this.#logs.values()].every((log) => log.offline === undefined);
    this.#isWhole = isWhole && this.#journal.failure === undefined;
    const logs = [...this.#logs.values()].values();
    const closeNext = async (): Promise<void> => {
      for (const log of logs) {
        await log.close(clean);
        if (log.offline?.code !== 'NODE_NOT_SERVING') this.#isWhole = false;
      }
    };
    await Promise.all(Array.from({ length: CLOSE_CONCURRENCY }, closeNext));
    if (!clean) return;
    await this.#checkpoints.write();
    this.#checkpoints.writeHighWatermarks();
  }

  /** Only if every log is as it should be, and nothing of the run before is still wanted from the journal. */
  async #writeMarker(): Promise<void> {
    const { fileSystem } = this.#options;
    if (!this.#isWhole || this.#isReplayWanted) return;
    await replaceWholeDurably(
      fileSystem,
      `${this.path}/${CLEAN_SHUTDOWN}`,
      formatCleanShutdown(this.#brokerEpoch === -1 ? this.previousBrokerEpoch : this.#brokerEpoch),
    );
  }

  /** The journal of the run before is not needed for this partition any more. */
  #settle(topicId: string, partition: number): void {
    this.#replay?.forget(topicId, partition);
    if (this.#replay?.isEmpty) this.#releaseReplayed();
  }

  #releaseReplayed(): void {
    if (!this.#isReplayWanted) return;
    if (this.#replay?.hole !== undefined && [...this.#logs.values()].some((log) => log.isUnknown)) return;
    this.#isReplayWanted = false;
    // The logs are synced, but only the checkpoint says so to the next start.
    this.#writeCheckpoints(() => this.#journal.files.releaseReplayed());
  }

  async #giveUpReplay(): Promise<boolean> {
    if (!this.#isReplayWanted) return true;
    if (this.#replay === undefined || !this.#areAllOpen) return false;
    const { path, logger } = this.#options;
    if (!(await giveUpReplay(this.#replay, path, this.#logs.values(), this.#resources, logger))) return false;
    this.#isReplayWanted = false;
    return true;
  }

  /** What recovery made durable must not pass for a torn tail at the next start. */
  #writeCheckpoints(written: () => void): void {
    this.#checkpoints.write().then(written).catch(this.#checkpointFailed);
  }

  readonly #checkpointFailed = (error: unknown): void =>
    this.#options.logger.warn({ event: 'checkpoint_failed', err: error }, 'a checkpoint failed');

  /** Nothing can become durable any more; what is promised without that goes on. */
  #journalFailed(error: MillraceError): void {
    const durable = [...this.#logs.values()].filter((log) => log.config.durability === 'fsync');
    this.#options.logger.error(
      { event: 'journal_failed', err: error, logs: durable.length },
      'the journal cannot be written: durable logs of this directory are offline until the node restarts',
    );
    for (const log of durable) log.goOffline(error);
  }

  #checkpointLater(): void {
    if (this.#isCheckpointDue || this.#isClosed) return;
    this.#isCheckpointDue = true;
    this.#schedule(this.#options.config['checkpoint.interval.ms'], () => {
      this.#isCheckpointDue = false;
      try {
        this.#checkpoints.writeHighWatermarks();
      } catch (error) {
        this.#checkpointFailed(error);
      }
    });
  }

  #scheduleCleanUp(): void {
    this.#schedule(this.#options.config['log.retention.check.interval.ms'], () => {
      this.#cleanUp().then(
        () => this.#scheduleCleanUp(),
        (error: unknown) => {
          this.#options.logger.error(
            { event: 'clean_up_failed', err: error },
            'logs could not be cleaned up',
          );
          this.#scheduleCleanUp();
        },
      );
    });
  }

  async #cleanUp(): Promise<void> {
    for (const log of [...this.#logs.values()]) {
      if (this.#isClosed) return;
      await log.cleanUp(this.#options.clock.wallMs());
    }
  }

  #schedule(delayMs: number, callback: () => void): void {
    if (this.#isClosed) return;
    const timer = this.#options.clock.schedule(delayMs, () => {
      this.#timers.delete(timer);
      callback();
    });
    this.#timers.add(timer);
  }
}
