/**
 * Compaction of one log: tells whether it is due, runs one cleaning at a time, and ends it when the log is cut, closed or
 * deleted. Before anything is removed the log is on stable storage up to where it is cleaned, and says so.
 */
import type { MillraceError } from '@millrace/core';
import { type CleanerPace, CleaningEnded } from './cleaner-pace.ts';
import { type CleanerMemory, CompactionPass, type CompactionReport } from './compaction-pass.ts';
import { type DirtyRange, dirtyRange, type SealedSegment } from './compaction-state.ts';
import { diskErrorCode } from './file-system.ts';
import { FileTurns } from './file-turns.ts';
import type { LogConfig } from './log-config.ts';
import type { LogContents } from './log-contents.ts';
import type { LogOffsets } from './log-offsets.ts';
import { DamageFound } from './log-reader.ts';
import type { RecoveryContext } from './log-recovery.ts';
import type { Segment } from './segment.ts';
import { storageFailure } from './storage-failure.ts';

/** What compaction needs of its log. */
export interface CompactedLog {
  readonly context: Pick<RecoveryContext, 'folder' | 'resources' | 'logger'>;
  readonly offsets: LogOffsets;
  readonly config: () => LogConfig;
  /** Undefined while the log is offline, closed or being cut. */
  readonly contents: () => LogContents | undefined;
  /** Puts everything on stable storage; the recovery point tells how far it got. */
  readonly sync: () => Promise<void>;
  /** Cleaning met damage, or a swap failed half-way: the log goes offline. */
  readonly failed: (error: unknown) => Promise<MillraceError>;
}

export class LogCompaction {
  readonly #log: CompactedLog;
  /** Of what removes or renames files: swaps, deletions, cuts. */
  readonly turns = new FileTurns();
  #running: { readonly pace: CleanerPace; readonly ended: Promise<unknown> } | undefined;
  /** As far as this process has seen: a log that was not cleaned since the start tells with its next cleaning. */
  #deleteHorizonMs = Number.POSITIVE_INFINITY;

  constructor(log: CompactedLog) {
    this.#log = log;
  }

  /** Undefined if the log is not compacted, or cannot be now. */
  async range(nowMs: number): Promise<DirtyRange | undefined> {
    const contents = this.#log.contents();
    if (contents === undefined || !this.#log.config().isCompacted || this.#running !== undefined)
      return undefined;
    return await this.#range(contents, nowMs);
  }

  /** Undefined if it came to nothing, or ended early: then it is tried again from where it began. @throws {MillraceError} */
  async run(memory: CleanerMemory, pace: CleanerPace, nowMs: number): Promise<CompactionReport | undefined> {
    if (this.#running !== undefined) return undefined;
    const work = this.#run(memory, pace, nowMs);
    const running = { pace, ended: work.catch(() => undefined) };
    this.#running = running;
    try {
      return await work;
    } catch (error) {
      if (error instanceof CleaningEnded) return undefined;
      throw error;
    } finally {
      this.#running = undefined;
    }
  }

  /** Resolves when no cleaning touches the files any more. */
  async stop(): Promise<void> {
    const running = this.#running;
    running?.pace.stop();
    await running?.ended;
    await this.turns.settled();
  }

  async #run(memory: CleanerMemory, pace: CleanerPace, nowMs: number): Promise<CompactionReport | undefined> {
    const log = this.#log;
    const { offsets, context } = log;
    const { resources, logger, folder } = context;
    const contents = log.contents();
    if (contents === undefined) return undefined;
    const config = log.config();
    const range = await this.#range(contents, nowMs);
    const { logStart } = offsets;
    if (
      range.to <= Math.max(contents.segments.startOffset, logStart) ||
      !(await this.#secure(contents, range.to))
    )
      return undefined;
    const pass = new CompactionPass(
      {
        folder,
        resources,
        logger,
        contents,
        config,
        logStartOffset: logStart,
        isEnded: () => log.contents() !== contents || !log.config().isCompacted,
        exclusively: (work) => this.turns.run(work),
        failed: log.failed,
      },
      range,
      memory,
      pace,
      nowMs,
    );
    const report = await pass.run().catch(async (error: unknown) => {
      if (error instanceof DamageFound) throw await log.failed(error);
      throw diskErrorCode(error) === undefined ? error : storageFailure(`${folder} cannot be cleaned`, error);
    });
    if (log.contents() !== contents) return undefined;
    this.#deleteHorizonMs = report.deleteHorizonMs;
    offsets.firstDirty = Math.max(offsets.firstDirty, report.to);
    await resources.checkpoint();
    const { bytesBefore, bytesAfter, recordsBefore, recordsAfter, from, to, keys } = report;
    logger.info(
      { event: 'log_compacted', from, to, keys, recordsBefore, recordsAfter, bytesBefore, bytesAfter },
      'the log was compacted',
    );
    return report;
  }

  /** Records that make others out of date must outlive them. */
  async #secure(contents: LogContents, to: number): Promise<boolean> {
    const { offsets, context, sync } = this.#log;
    const isThere = (): boolean => this.#log.contents() === contents;
    if (!isThere()) return false;
    await sync();
    if (!isThere() || offsets.recoveryPoint < to) return false;
    await context.resources.checkpoint();
    return isThere();
  }

  async #range(contents: LogContents, nowMs: number): Promise<DirtyRange> {
    const { offsets } = this.#log;
    const config = this.#log.config();
    const segments = await sealedSegments(contents, offsets.logStart, config);
    return dirtyRange(segments, config, {
      firstDirtyOffset: offsets.firstDirty,
      upTo: Math.min(contents.segments.active.baseOffset, offsets.highWatermark, offsets.flushed),
      deleteHorizonMs: this.#deleteHorizonMs,
      nowMs,
    });
  }
}

async function sealedSegments(
  contents: LogContents,
  logStartOffset: number,
  config: LogConfig,
): Promise<SealedSegment[]> {
  const all = [...contents.segments.all];
  const needsTimes = config.minCompactionLagMs > 0 || config.maxCompactionLagMs < Number.MAX_SAFE_INTEGER;
  const sealed: SealedSegment[] = [];
  for (const [i, segment] of all.slice(0, -1).entries()) {
    const { baseOffset, sizeBytes } = segment;
    const endOffset = all[i + 1]!.baseOffset;
    if (endOffset <= logStartOffset) continue;
    if (needsTimes) await learnTimes(segment, config);
    const { oldestTimestamp, newest, openedMs } = segment;
    const newestTimestamp = newest?.timestamp ?? openedMs;
    sealed.push({
      baseOffset,
      endOffset,
      sizeBytes,
      oldestTimestamp,
      newestTimestamp,
    });
  }
  return sealed;
}

async function learnTimes(segment: Segment, config: LogConfig): Promise<void> {
  if (segment.isEmpty || segment.isLoaded || segment.isRemoved || segment.oldestTimestamp >= 0) return;
  await segment.load(config);
  segment.unload();
}
