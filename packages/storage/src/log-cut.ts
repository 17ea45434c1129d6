/**
 * Cutting a log's end so that no crash on the way looks like damage, and none brings back what was cut. The
 * order of durable steps is the whole point here; each says why it comes where it does.
 */
import type { Logger } from '@millrace/core';
import type { Journal } from './journal.ts';
import type { JournalClient } from './journal-entry.ts';
import type { LogConfig } from './log-config.ts';
import type { LogContents } from './log-contents.ts';
import type { LogOffsets } from './log-offsets.ts';

export interface CutTarget {
  readonly client: JournalClient;
  readonly contents: LogContents;
  readonly offsets: LogOffsets;
  readonly config: LogConfig;
  /** The journal may hold records of the log; undefined if it cannot. */
  readonly journal: Journal | undefined;
  readonly checkpoint: () => Promise<void>;
  readonly logger: Logger;
}

/** The log ends at `offset` afterwards, or before it if that lies inside a batch; never before it starts. */
export async function cutEnd(target: CutTarget, offset: number): Promise<void> {
  const { client, contents, offsets, config, journal, checkpoint, logger } = target;
  const end = await contents.segments.endIfCutAt(offset, config);
  // The batch that holds the cut may hold the log start, too: nothing that counts would be left.
  if (end < offsets.logStart) return await cutAll(target, offsets.logStart);
  if (end < offsets.recoveryPoint) {
    // Written down first: a log that ends below its recovery point passes for damaged.
    offsets.recoveryPoint = end;
    // What comes there next was never cleaned, whatever stood there before.
    offsets.firstDirty = Math.min(offsets.firstDirty, end);
    await checkpoint();
  }
  // What the journal holds below the cut must be on stable storage, names included, before it is void.
  await contents.sync();
  // Before the cut: replayed onto a log that is cut already, what is left of the journal may begin after its end.
  await journal?.reset(client, end);
  await contents.segments.truncateTo(offset, config);
  offsets.endMovedTo(contents.endOffset);
  await contents.side.truncated(offsets.logEnd, contents.segments.all);
  await contents.side.sync();
  offsets.recoveryPoint = offsets.logEnd;
  logger.info({ event: 'log_truncated', logEndOffset: offsets.logEnd }, 'the log was truncated');
}

/** Nothing is left and the log goes on at `offset`. */
export async function cutAll(
  { client, contents, offsets, journal, checkpoint, logger }: CutTarget,
  offset: number,
): Promise<void> {
  // Before anything tells of a log that begins later: a folder that is lost then is damage.
  await contents.syncFolder();
  offsets.recoveryPoint = 0;
  offsets.firstDirty = 0;
  // Up before the files go, else those that are missing would pass for lost; down only once the new one is there.
  if (offset > offsets.logStart) offsets.emptying(offset);
  await checkpoint();
  // Before the files go: replayed onto what is left of them, the journal would find a hole.
  await journal?.reset(client, offset);
  await contents.segments.replaceAll(offset);
  contents.side.cleared();
  // With the folder's own name: the recovery point is about to say that there is one.
  await contents.sync();
  offsets.restartedAt(offset);
  await checkpoint();
  logger.info(
    { event: 'log_restarted', logStartOffset: offset },
    'the log was emptied and goes on at an offset',
  );
}

/** Drops leaderships that began at the log's end and wrote nothing: they may be all that it has ahead of its leader. */
export async function cutEmptyEpochs({ client, contents, offsets, journal }: CutTarget): Promise<void> {
  await contents.sync();
  // The journal would begin them again; what else it holds is in the log itself by now.
  await journal?.reset(client, offsets.logEnd);
  offsets.flushedTo(offsets.logEnd);
}
