/**
 * What a disk that fails means for one log: which error callers get, whether the log goes offline with it, and whether a
 * restart may believe the files. Programmer errors pass through.
 */
import type { MillraceError } from '@millrace/core';
import type { LogContents } from './log-contents.ts';
import { markDamaged, markUnsynced, readFailure, type SyncFailure } from './log-damage.ts';
import { DamageFound } from './log-reader.ts';
import type { RecoveryContext } from './log-recovery.ts';
import { storageFailure } from './storage-failure.ts';

/** What failures need of their log. */
export interface FailingLog {
  readonly context: () => RecoveryContext;
  readonly isOffline: () => boolean;
  /** False of a log that is deleted or being repaired, and of contents it had before: those were moved aside. */
  readonly uses: (contents: LogContents | undefined) => boolean;
  readonly goOffline: (failure: MillraceError) => void;
}

export class LogFailures {
  readonly #log: FailingLog;

  constructor(log: FailingLog) {
    this.#log = log;
  }

  /** The log goes offline with damage only: whatever else could not be read may be readable soon. */
  read(error: unknown): MillraceError {
    const context = this.#log.context();
    const failure = readFailure(context.folder, error);
    if (failure.code === 'LOG_DAMAGED' && !this.#log.isOffline()) {
      void markDamaged(context, failure.message);
      this.#log.goOffline(failure);
    }
    return failure;
  }

  /** @returns undefined if it does not matter, because nobody uses those files any more. */
  async sync(contents: LogContents | undefined, error: unknown): Promise<SyncFailure | undefined> {
    if (!this.#log.uses(contents)) return undefined;
    const failed = await markUnsynced(this.#log.context(), error);
    this.#log.goOffline(failed.failure);
    return failed;
  }

  /** As LogContents.sync. Tried again after a failure it would succeed without the bytes (Q25): the log goes offline. */
  async syncContents(contents: LogContents): Promise<void> {
    await contents.sync().catch(async (error: unknown) => {
      throw (await this.sync(contents, error))?.failure ?? error;
    });
  }

  /** A swap of segments that failed half-way is as a sync that failed: nobody knows which of their names are durable. */
  async cleaning(contents: LogContents | undefined, error: unknown): Promise<MillraceError> {
    if (error instanceof DamageFound) return this.read(error);
    const failed = await this.sync(contents, error);
    return failed?.failure ?? storageFailure(`${this.#log.context().folder} cannot be cleaned`, error);
  }

  /** A failed write leaves the end of a file unknown, so the log goes offline with it. */
  guard<T>(write: () => T): T {
    try {
      return write();
    } catch (error) {
      if (error instanceof Error && !('code' in error)) throw error;
      const failure = storageFailure(`${this.#log.context().folder} cannot be written`, error);
      this.#log.goOffline(failure);
      throw failure;
    }
  }
}
