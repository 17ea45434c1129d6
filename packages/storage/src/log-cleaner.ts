/**
 * Cleans the compacted logs of one data directory, one after another, the dirtiest first; rests when none needs it. A log
 * that cannot be cleaned is left alone for a while and keeps nobody else from their turn.
 */
import type { Clock, Logger, Timer } from '@millrace/core';
import { CleanerPace } from './cleaner-pace.ts';
import type { CleanerMemory, CompactionReport } from './compaction-pass.ts';
import { type DirtyRange, dirtiest } from './compaction-state.ts';
import type { PartitionLog } from './partition-log.ts';
import type { StorageConfig } from './storage-config.ts';

export interface LogCleanerOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly config: StorageConfig;
  readonly logs: () => Iterable<PartitionLog>;
}

/** How long a log that failed is left alone, in back-offs. */
const FAILED_ROUNDS = 20;

export class LogCleaner {
  readonly #options: LogCleanerOptions;
  readonly #memory: CleanerMemory;
  #timer: Timer | undefined;
  readonly #paces = new Set<CleanerPace>();
  #round: Promise<void> = Promise.resolve();
  /** Rounds of rest that are left for logs that failed. */
  readonly #failed = new Map<PartitionLog, number>();
  #isClosed = false;

  constructor(options: LogCleanerOptions) {
    const { config } = options;
    this.#options = options;
    this.#memory = {
      dedupeBytes: config['log.cleaner.dedupe.buffer.size'],
      loadFactor: config['log.cleaner.io.buffer.load.factor'],
      chunkBytes: config['log.cleaner.io.buffer.size'],
    };
  }

  start(): void {
    if (this.#options.config['log.cleaner.enable']) this.#schedule();
  }

  /** Cleans this log now, due or not. Undefined if there is nothing to clean, or it ended early. @throws {MillraceError} */
  async clean(log: PartitionLog): Promise<CompactionReport | undefined> {
    const { clock, config } = this.#options;
    const pace = new CleanerPace(clock, config['log.cleaner.io.max.bytes.per.second']);
    this.#paces.add(pace);
    try {
      return this.#isClosed ? undefined : await log.compaction.run(this.#memory, pace, clock.wallMs());
    } finally {
      this.#paces.delete(pace);
    }
  }

  /** Resolves when no file is touched any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    for (const pace of this.#paces) pace.stop();
    await this.#round;
  }

  #schedule(): void {
    if (this.#isClosed) return;
    this.#timer = this.#options.clock.schedule(this.#options.config['log.cleaner.backoff.ms'], () => {
      this.#round = this.#cleanAll().then(() => this.#schedule());
    });
  }

  /** Until nothing needs it. */
  async #cleanAll(): Promise<void> {
    for (const [log, rounds] of this.#failed) {
      if (rounds > 1) this.#failed.set(log, rounds - 1);
      else this.#failed.delete(log);
    }
    const seen = new Set<PartitionLog>();
    for (let next = await this.#dirtiest(seen); next !== undefined; next = await this.#dirtiest(seen)) {
      if (this.#isClosed) return;
      // What ended early, or is dirty again already, has its next turn after the rest.
      seen.add(next);
      await this.#tryClean(next);
    }
  }

  async #dirtiest(seen: ReadonlySet<PartitionLog>): Promise<PartitionLog | undefined> {
    const candidates: { readonly log: PartitionLog; readonly range: DirtyRange }[] = [];
    for (const log of [...this.#options.logs()]) {
      if (!log.config.isCompacted || seen.has(log) || this.#failed.has(log)) continue;
      const range = await log.compaction.range(this.#options.clock.wallMs()).catch(() => undefined);
      if (range?.isDue) candidates.push({ log, range });
    }
    return dirtiest(candidates)?.log;
  }

  async #tryClean(log: PartitionLog): Promise<void> {
    try {
      await this.clean(log);
    } catch (error) {
      this.#failed.set(log, FAILED_ROUNDS);
      const { topic, partition } = log;
      this.#options.logger.warn(
        { event: 'compaction_failed', topic, partition, err: error },
        'a log could not be compacted; it is left as it is for now',
      );
    }
  }
}
