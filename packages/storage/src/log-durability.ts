/**
 * How one log's appends become durable: through the node's journal, or by being written at all. The only place
 * that knows the topic's durability mode and what happens when it changes.
 */
import { MillraceError } from '@millrace/core';
import type { Journal } from './journal.ts';
import type { JournalClient } from './journal-entry.ts';
import type { LogConfig } from './log-config.ts';
import type { LogOffsets } from './log-offsets.ts';

export interface LogDurabilityOptions {
  readonly client: JournalClient;
  readonly journal: Journal;
  readonly offsets: LogOffsets;
  readonly durability: LogConfig['durability'];
  /** The journal holds records of an earlier run. */
  readonly isJournalled: boolean;
  /** Writes down durably how far the log is on stable storage. */
  readonly checkpoint: () => Promise<void>;
  readonly isOffline: () => boolean;
}

export class LogDurability {
  readonly #client: JournalClient;
  readonly #journal: Journal;
  readonly #offsets: LogOffsets;
  readonly #checkpoint: () => Promise<void>;
  readonly #isOffline: () => boolean;
  #isDurable: boolean;
  #isJournalled: boolean;
  /** Flushes do not count until the log itself was synced: it was not journalled before. */
  #isCatchingUp = false;
  /** Catching up failed although the log is online: it is tried again. */
  #hasStalled = false;
  /** Counts changes of the mode. */
  #modes = 0;

  constructor(options: LogDurabilityOptions) {
    const { client, journal, offsets, durability, isJournalled, checkpoint, isOffline } = options;
    this.#client = client;
    this.#journal = journal;
    this.#offsets = offsets;
    this.#checkpoint = checkpoint;
    this.#isOffline = isOffline;
    this.#isDurable = durability === 'fsync';
    this.#isJournalled = isJournalled;
  }

  /** The journal, if it may hold records of this log. */
  get usedJournal(): Journal | undefined {
    return this.#isJournalled ? this.#journal : undefined;
  }

  /** Before an append. @throws {MillraceError} NODE_OVERLOADED; why the journal failed. */
  checkRoom(): void {
    if (!this.#isDurable) return;
    if (this.#journal.failure !== undefined) throw this.#journal.failure;
    if (this.#journal.isFull) {
      throw new MillraceError('NODE_OVERLOADED', 'too many durable appends wait for the disk');
    }
  }

  /** @param batches as they stand in the log's page cache; held as long as they are looked at. */
  appended(baseOffset: number, batches: Buffer): void {
    const { logEnd } = this.#offsets;
    if (!this.#isDurable) {
      this.#offsets.flushedTo(logEnd);
      return;
    }
    this.#isJournalled = true;
    this.retry();
    this.#journal.append(this.#client, baseOffset, logEnd - 1, batches);
  }

  /** @returns false if the log must write the epoch down itself. */
  epochAssigned(epoch: number, startOffset: number): boolean {
    if (!this.#isDurable) return false;
    this.#isJournalled = true;
    this.#journal.assignEpoch(this.#client, epoch, startOffset);
    return true;
  }

  journalFlushed(nextOffset: number): void {
    if (this.#isDurable && !this.#isCatchingUp) this.#offsets.flushedTo(nextOffset);
  }

  setMode(durability: LogConfig['durability']): void {
    const wasDurable = this.#isDurable;
    this.#isDurable = durability === 'fsync';
    if (wasDurable === this.#isDurable) return;
    this.#modes++;
    if (this.#isDurable) {
      void this.#catchUp();
      return;
    }
    this.#offsets.flushedTo(this.#offsets.logEnd);
    // What was promised before stays promised, whatever becomes of the journal.
    void this.#sync();
  }

  /** Now and then: what could not be written down before may be by now. */
  retry(): void {
    if (this.#hasStalled && this.#isDurable && !this.#isOffline()) void this.#catchUp();
  }

  /** Puts what was not journalled on stable storage, and writes that down: what is journalled follows it. */
  async #catchUp(): Promise<void> {
    const mode = this.#modes;
    this.#isCatchingUp = true;
    this.#hasStalled = false;
    this.#isJournalled = true;
    this.#journal.start(this.#client, this.#offsets.logEnd);
    const isSynced = await this.#sync();
    if (mode !== this.#modes) return;
    this.#hasStalled = !isSynced;
    if (!isSynced) return;
    this.#isCatchingUp = false;
    const { logEnd } = this.#offsets;
    // Whatever was journalled meanwhile may have been flushed unnoticed.
    await this.#journal.flush().then(
      () => {
        if (mode === this.#modes) this.#offsets.flushedTo(logEnd);
      },
      () => undefined,
    );
  }

  async #sync(): Promise<boolean> {
    try {
      await this.#client.syncForJournal();
      await this.#checkpoint();
      return !this.#isOffline();
    } catch {
      // A log that cannot be synced went offline; one that cannot be written down keeps its producers waiting, and tries again.
      return false;
    }
  }
}
