/**
 * Whose a partition's folder is: made for a new partition, kept for the one that it belongs to, moved aside if it is another
 * topic's. Never removes anything, and never takes a folder with durable records for a stray one.
 */
import type { Logger } from '@millrace/core';
import type { Checkpoints } from './checkpoints.ts';
import type { JournalReplay } from './journal-replay.ts';
import { DAMAGE_MARK, freeName, isEmptyFolder, STRAY_FOLDER_SUFFIX } from './log-folder.ts';
import type { LogResources } from './log-resources.ts';
import { createPartitionFolderSync, readTopicId } from './partition-folder.ts';
import type { PartitionId } from './partition-id.ts';

/** What tells of a folder besides itself. */
export interface FolderWitnesses {
  readonly resources: LogResources;
  readonly checkpoints: Checkpoints;
  readonly replay: JournalReplay | undefined;
  readonly logger: Logger;
}

export interface ClaimedFolder {
  readonly isNew: boolean;
  /** Why the log in it cannot be trusted, though it is this partition's. */
  readonly damage: string | undefined;
}

/** Makes sure that the folder belongs to this topic. */
export async function claimFolder(
  witnesses: FolderWitnesses,
  id: PartitionId,
  folder: string,
): Promise<ClaimedFolder> {
  const { fileSystem, files } = witnesses.resources;
  const { topic, partition, topicId } = id;
  if (fileSystem.statSync(folder) === undefined) return await createFolder(witnesses, id, folder);
  const found = readTopicId(fileSystem, folder);
  if (typeof found === 'object' && found.topicId === topicId) return { isNew: false, damage: undefined };
  if (typeof found === 'string') {
    if (wasDurable(witnesses, id, folder)) return { isNew: false, damage: `partition.metadata is ${found}` };
    if (isEmptyFolder(fileSystem, folder)) return await createFolder(witnesses, id, folder);
  }
  const aside = freeName(fileSystem, folder, STRAY_FOLDER_SUFFIX);
  files.forgetFolder(folder);
  fileSystem.renameSync(folder, aside);
  witnesses.logger.warn(
    { event: 'stray_folder', topic, partition, topicId, aside },
    'a folder of this name belongs to another topic, or nobody knows to which, and was moved aside',
  );
  return await createFolder(witnesses, id, folder);
}

function wasDurable(
  { resources, checkpoints, replay }: FolderWitnesses,
  { topic, partition, topicId }: PartitionId,
  folder: string,
): boolean {
  // The checkpoint may be older than the journal's beginning: what that leaves out is in the log alone.
  const journalStart = replay?.startOf(topicId, partition) ?? 0;
  return (
    (checkpoints.recoveryPoint(topic, partition) ?? 1) > 0 ||
    journalStart > 0 ||
    // Emptied for good: it must not begin again before where it goes on.
    (checkpoints.logStartOffset(topic, partition) ?? 0) > 0 ||
    // Found damaged by an earlier start, and the journal that told why may have been given up since.
    resources.fileSystem.statSync(`${folder}/${DAMAGE_MARK}`) !== undefined
  );
}

/** What the checkpoints say of an earlier partition of this name must be gone before the folder is there. */
async function createFolder(
  { resources, checkpoints }: FolderWitnesses,
  { topic, partition, topicId }: PartitionId,
  folder: string,
): Promise<ClaimedFolder> {
  checkpoints.forget(topic, partition);
  await checkpoints.whenForgotten(topic, partition);
  createPartitionFolderSync(resources.fileSystem, folder, topicId);
  return { isNew: true, damage: undefined };
}
