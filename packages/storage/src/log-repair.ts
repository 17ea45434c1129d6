/** Sets a damaged log aside, for the operator, so that an empty one can take its place. Nothing of it is replayed later. */
import type { JournalClient } from './journal-entry.ts';
import type { LogContents } from './log-contents.ts';
import type { LogOffsets } from './log-offsets.ts';
import type { RecoveryContext } from './log-recovery.ts';
import { setFolderAside } from './partition-folder.ts';

export interface DamagedLog {
  readonly client: JournalClient;
  readonly context: RecoveryContext;
  /** Undefined if it could not even be opened. */
  readonly contents: LogContents | undefined;
  readonly offsets: LogOffsets;
}

/** @param startOffset where the new log begins. @returns where the damaged folder is, and what to open the new one with. */
export async function setLogAside(
  log: DamagedLog,
  startOffset: number,
): Promise<{ readonly aside: string; readonly context: RecoveryContext }> {
  const { client, context, contents, offsets } = log;
  const { journal, checkpoint } = context.resources;
  offsets.recoveryPoint = 0;
  offsets.firstDirty = 0;
  offsets.startMovedTo(startOffset);
  await checkpoint();
  await journal.reset(client, startOffset);
  await contents?.settled();
  const aside = await setFolderAside(context.resources, context.folder, context.topicId);
  const fresh = { wasClean: true, recoveryPoint: 0, replay: undefined, damage: undefined };
  return { aside, context: { ...context, ...fresh, logStartOffset: startOffset } };
}
