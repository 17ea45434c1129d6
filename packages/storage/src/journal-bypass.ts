/**
 * What is large is not written twice: where a round holds much of one log, that log syncs its own files, and the
 * journal only notes how far. A restart believes such a note as it believes a recovery point: a log that ends before it
 * is damaged. What a log could not sync is never left out: it is journalled like everything else.
 */
import type { Logger } from '@millrace/core';
import { entryBytes, type JournalClient, type JournalEntry, offsetEntry } from './journal-entry.ts';

export interface JournalBypassOptions {
  /** Least that a round must hold of a log. */
  readonly bytesMin: number;
  /** Written past the journal between two checkpoints: what a restart has to verify. */
  readonly uncheckedBytesMax: number;
  readonly checkpoint: () => Promise<void>;
  readonly logger: Logger;
}

/** Each log syncs files of its own: many of them together are slower than the journal. */
const LOGS_MAX = 4;

interface LogShare {
  readonly client: JournalClient;
  bytes: number;
  nextOffset: number;
  hasOnlyAppends: boolean;
}

export class JournalBypass {
  readonly #options: JournalBypassOptions;
  #uncheckedBytes = 0;
  #checkpointing: Promise<void> | undefined;
  #isStopped = false;

  constructor(options: JournalBypassOptions) {
    this.#options = options;
  }

  /** What is left of a round for the journal, once the logs that go past it are on stable storage. Never fails. */
  async remainder(round: readonly JournalEntry[]): Promise<readonly JournalEntry[]> {
    const shares = this.#isStopped ? [] : largeShares(round, this.#options.bytesMin);
    if (shares.length === 0) return round;
    const synced = new Map<JournalClient, JournalEntry>();
    const trySync = async ({ client, bytes, nextOffset }: LogShare): Promise<void> => {
      const end = await client.syncForJournal().catch(() => undefined);
      if (end === undefined || end < nextOffset) return;
      // What the journal held of the log before is void: all below is in the log itself.
      synced.set(client, offsetEntry(client, 'reset', nextOffset));
      this.#uncheckedBytes += bytes;
    };
    await Promise.all(shares.map(trySync));
    this.#checkpointIfDue();
    return [...round.filter(({ client }) => !synced.has(client)), ...synced.values()];
  }

  /** Before logs are closed: from then on nobody can sync them. */
  stop(): void {
    this.#isStopped = true;
  }

  async close(): Promise<void> {
    await this.#checkpointing;
  }

  #checkpointIfDue(): void {
    const { uncheckedBytesMax, checkpoint, logger } = this.#options;
    if (this.#checkpointing !== undefined || this.#uncheckedBytes < uncheckedBytesMax) return;
    this.#uncheckedBytes = 0;
    this.#checkpointing = checkpoint()
      .catch((error: unknown) => {
        logger.warn({ event: 'checkpoint_failed', err: error }, 'a checkpoint failed');
      })
      .finally(() => {
        this.#checkpointing = undefined;
      });
  }
}

/** Logs with enough in the round to be worth a sync of their own, largest first. */
function largeShares(round: readonly JournalEntry[], bytesMin: number): LogShare[] {
  const shares = new Map<JournalClient, LogShare>();
  for (const entry of round) {
    const { client, kind, lastOffset } = entry;
    let share = shares.get(client);
    if (share === undefined) {
      share = { client, bytes: 0, nextOffset: 0, hasOnlyAppends: true };
      shares.set(client, share);
    }
    share.bytes += entryBytes(entry);
    if (kind === 'batches') share.nextOffset = lastOffset + 1;
    // What voids or begins a log's journal keeps its place among the appends.
    else if (kind !== 'epoch') share.hasOnlyAppends = false;
  }
  return [...shares.values()]
    .filter(({ bytes, hasOnlyAppends }) => hasOnlyAppends && bytes >= bytesMin)
    .sort((a, b) => b.bytes - a.bytes)
    .slice(0, LOGS_MAX);
}
