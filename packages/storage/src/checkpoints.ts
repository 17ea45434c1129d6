/**
 * The four offset checkpoints of a data directory. Entries of partitions that are not open stay as they
 * were read. Recovery points, log start offsets and what is cleaned are written durably; high watermarks are only a hint.
 */
import type { Logger } from '@millrace/core';
import type { FileSystem } from './file-system.ts';
import { storageFailure } from './storage-failure.ts';
import { formatOffsets, type PartitionOffset, parseOffsets } from './text-files.ts';
import { readWhole, replaceWhole, replaceWholeDurably, syncFile } from './whole-file.ts';

/** What an open log contributes. */
export interface CheckpointSource {
  readonly topic: string;
  readonly partition: number;
  readonly recoveryPoint: number;
  readonly logStartOffset: number;
  readonly highWatermark: number;
  readonly firstDirtyOffset: number;
  readonly isUnknown: boolean;
}

const RECOVERY_POINTS = 'recovery-point-offset-checkpoint';
const LOG_STARTS = 'log-start-offset-checkpoint';
const HIGH_WATERMARKS = 'replication-offset-checkpoint';
const CLEANED = 'cleaner-offset-checkpoint';

/**
 * Log start offsets stand in the file of recovery points once more, as entries of topics that cannot be: a damaged
 * file must not bring back what was deleted.
 */
const START_MARK = '/';

type Offsets = Map<string, PartitionOffset>;

export class Checkpoints {
  readonly #fileSystem: FileSystem;
  readonly #directory: string;
  readonly #sources: () => Iterable<CheckpointSource>;
  readonly #recoveryPoints: Offsets;
  readonly #logStarts: Offsets;
  readonly #highWatermarks: Offsets;
  /** A log without a line was never cleaned, or nobody knows: it is cleaned from its beginning. */
  readonly #cleaned: Offsets;
  #cleanedOnDisk: string;
  /** False if recovery points existed and cannot be read. */
  readonly areRecoveryPointsKnown: boolean;
  /** False if they existed and are gone or cannot be read. */
  readonly areLogStartsKnown: boolean;
  /** Partitions whose lines may still be on disk: one that takes such a name would inherit them. */
  #forgotten = new Set<string>();
  /** Those of them that the write under way removes. */
  #leaving: ReadonlySet<string> = new Set();
  #writing: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(
    fileSystem: FileSystem,
    directory: string,
    sources: () => Iterable<CheckpointSource>,
    logger: Logger,
  ) {
    this.#fileSystem = fileSystem;
    this.#directory = directory;
    this.#sources = sources;
    const read = (name: string): Offsets | undefined => {
      const bytes = readWhole(fileSystem, `${directory}/${name}`);
      const entries = bytes === undefined ? [] : parseOffsets(bytes.toString());
      if (entries === undefined) {
        logger.warn({ event: 'checkpoint_damaged', name }, 'a checkpoint is damaged and is written anew');
      }
      return entries && new Map(entries.map((entry) => [keyOf(entry), entry]));
    };
    const recoveryPoints = read(RECOVERY_POINTS);
    this.areRecoveryPointsKnown = recoveryPoints !== undefined;
    this.#recoveryPoints = recoveryPoints ?? new Map();
    const copies = takeStarts(this.#recoveryPoints);
    // Written before the recovery points: where neither is, no log start was ever moved.
    const isThere = (name: string): boolean => fileSystem.statSync(this.#path(name)) !== undefined;
    const areRecoveryPointsThere = isThere(RECOVERY_POINTS);
    const areLogStartsLost = !isThere(LOG_STARTS) && areRecoveryPointsThere;
    if (areLogStartsLost)
      logger.warn({ event: 'checkpoint_missing', name: LOG_STARTS }, 'a checkpoint is gone');
    const copy = areRecoveryPointsThere && recoveryPoints !== undefined ? copies : undefined;
    const logStarts = areLogStartsLost ? copy : (read(LOG_STARTS) ?? copy);
    this.areLogStartsKnown = logStarts !== undefined;
    this.#logStarts = logStarts ?? new Map();
    this.#highWatermarks = read(HIGH_WATERMARKS) ?? new Map();
    const cleaned = read(CLEANED);
    this.#cleaned = cleaned ?? new Map();
    this.#cleanedOnDisk = cleaned === undefined ? '' : format(cleaned);
  }

  /** Undefined if nobody knows: the checkpoint was lost. */
  recoveryPoint(topic: string, partition: number): number | undefined {
    const known = this.#recoveryPoints.get(keyOf({ topic, partition }))?.offset;
    return known ?? (this.areRecoveryPointsKnown ? 0 : undefined);
  }

  /** Undefined if nobody knows. */
  logStartOffset(topic: string, partition: number): number | undefined {
    return (
      this.#logStarts.get(keyOf({ topic, partition }))?.offset ?? (this.areLogStartsKnown ? 0 : undefined)
    );
  }

  highWatermark(topic: string, partition: number): number {
    return this.#highWatermarks.get(keyOf({ topic, partition }))?.offset ?? 0;
  }

  firstDirtyOffset(topic: string, partition: number): number {
    return this.#cleaned.get(keyOf({ topic, partition }))?.offset ?? 0;
  }

  /** The partition is gone, or another one has its name. On disk its lines stay until `whenForgotten`. */
  forget(topic: string, partition: number): void {
    this.#forget(keyOf({ topic, partition }));
  }

  /** Forgets everything but the partitions `isThere` knows by their "topic-partition". */
  forgetUnless(isThere: (name: string) => boolean): void {
    for (const offsets of this.#all) {
      for (const key of offsets.keys()) if (!isThere(key)) this.#forget(key);
    }
  }

  /** Resolves when no line of a forgotten partition of this name is on disk. Calls that come together share one write. */
  async whenForgotten(topic: string, partition: number): Promise<void> {
    const key = keyOf({ topic, partition });
    if (this.#forgotten.has(key)) await this.write();
    else if (this.#leaving.has(key)) await this.#writing;
  }

  /** What the logs say at some moment after the call is durable. Calls that come together share one write. */
  write(): Promise<void> {
    if (this.#writing === undefined) {
      this.#writing = this.#writeNow().finally(() => {
        this.#writing = undefined;
      });
      return this.#writing;
    }
    this.#next ??= this.#writing
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined;
        return this.write();
      });
    return this.#next;
  }

  /** Page cache only. */
  writeHighWatermarks(): void {
    this.#collect();
    replaceWhole(this.#fileSystem, this.#path(HIGH_WATERMARKS), format(this.#highWatermarks));
  }

  async #writeNow(): Promise<void> {
    this.#leaving = this.#forgotten;
    this.#forgotten = new Set();
    try {
      this.#collect();
      await replaceWholeDurably(this.#fileSystem, this.#path(LOG_STARTS), format(this.#logStarts));
      const starts = [...this.#logStarts.values()].map((start) => ({
        ...start,
        topic: START_MARK + start.topic,
      }));
      const recoveryPoints = formatOffsets([...this.#recoveryPoints.values(), ...starts]);
      await replaceWholeDurably(this.#fileSystem, this.#path(RECOVERY_POINTS), recoveryPoints);
      await this.#writeCleaned();
      if (this.#leaving.size > 0) await this.#syncHighWatermarks();
    } catch (error) {
      for (const key of this.#leaving) this.#forgotten.add(key);
      throw storageFailure('the checkpoints cannot be written', error);
    } finally {
      this.#leaving = new Set();
    }
  }

  /** Rarely anything new. */
  async #writeCleaned(): Promise<void> {
    const cleaned = format(this.#cleaned);
    if (cleaned === this.#cleanedOnDisk) return;
    this.#cleanedOnDisk = '';
    await replaceWholeDurably(this.#fileSystem, this.#path(CLEANED), cleaned);
    this.#cleanedOnDisk = cleaned;
  }

  /** A torn file is only a lost hint, so it may be replaced before its contents are durable. */
  async #syncHighWatermarks(): Promise<void> {
    this.writeHighWatermarks();
    await syncFile(this.#fileSystem, this.#path(HIGH_WATERMARKS));
    await this.#fileSystem.syncDirectory(this.#directory);
  }

  get #all(): readonly Offsets[] {
    return [this.#recoveryPoints, this.#logStarts, this.#highWatermarks, this.#cleaned];
  }

  #forget(key: string): void {
    for (const offsets of this.#all) if (offsets.delete(key)) this.#forgotten.add(key);
  }

  #collect(): void {
    for (const source of this.#sources()) {
      const { topic, partition, recoveryPoint, logStartOffset, highWatermark } = source;
      if (source.isUnknown) continue;
      const key = keyOf(source);
      this.#recoveryPoints.set(key, { topic, partition, offset: recoveryPoint });
      this.#highWatermarks.set(key, { topic, partition, offset: highWatermark });
      if (logStartOffset > 0) this.#logStarts.set(key, { topic, partition, offset: logStartOffset });
      else this.#logStarts.delete(key);
      const { firstDirtyOffset } = source;
      if (firstDirtyOffset > 0) this.#cleaned.set(key, { topic, partition, offset: firstDirtyOffset });
      else this.#cleaned.delete(key);
    }
  }

  #path(name: string): string {
    return `${this.#directory}/${name}`;
  }
}

function keyOf({ topic, partition }: { readonly topic: string; readonly partition: number }): string {
  return `${topic}-${partition}`;
}

/** Takes the log start offsets out of what the file of recovery points held. */
function takeStarts(recoveryPoints: Offsets): Offsets {
  const starts: Offsets = new Map();
  for (const [key, { topic, partition, offset }] of recoveryPoints) {
    if (!topic.startsWith(START_MARK)) continue;
    recoveryPoints.delete(key);
    const start = { topic: topic.slice(START_MARK.length), partition, offset };
    starts.set(keyOf(start), start);
  }
  return starts;
}

function format(offsets: Offsets): string {
  return formatOffsets([...offsets.values()]);
}
