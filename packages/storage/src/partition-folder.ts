/** A partition's folder and the topic id in it. The name alone does not tell which topic of that name it was. */
import type { FileSystem } from './file-system.ts';
import { folderAside, PARTITION_METADATA } from './log-folder.ts';
import type { LogResources } from './log-resources.ts';
import { formatPartitionMetadata, parsePartitionMetadata } from './text-files.ts';
import { readWhole, syncFile, withFile } from './whole-file.ts';

/** Into the page cache; `syncPartitionFolder` makes it durable. */
export function createPartitionFolderSync(fileSystem: FileSystem, folder: string, topicId: string): void {
  fileSystem.mkdirSync(folder);
  // Written in place: the folder is new, and a torn file shows by its checksum.
  withFile(fileSystem, `${folder}/${PARTITION_METADATA}`, true, (file) => {
    if (file.sizeSync() > 0) file.truncateSync(0);
    file.writeSync([Buffer.from(formatPartitionMetadata(topicId, nameOf(folder)))], 0);
  });
}

/** Keeps a damaged folder for the operator and makes a new one in its place, durably. @returns where the old one is. */
export async function setFolderAside(
  { fileSystem, files }: Pick<LogResources, 'fileSystem' | 'files'>,
  folder: string,
  topicId: string,
): Promise<string> {
  const aside = folderAside(fileSystem, folder);
  files.forgetFolder(folder);
  fileSystem.renameSync(folder, aside);
  createPartitionFolderSync(fileSystem, folder, topicId);
  await syncPartitionFolder(fileSystem, folder);
  return aside;
}

export async function syncPartitionFolder(fileSystem: FileSystem, folder: string): Promise<void> {
  await syncFile(fileSystem, `${folder}/${PARTITION_METADATA}`);
  await fileSystem.syncDirectory(folder);
  await fileSystem.syncDirectory(folder.slice(0, folder.lastIndexOf('/')) || '/');
}

/** 'missing' if the folder has no such file, 'damaged' if it cannot be read. */
export function readTopicId(
  fileSystem: FileSystem,
  folder: string,
): { readonly topicId: string } | 'missing' | 'damaged' {
  const bytes = readWhole(fileSystem, `${folder}/${PARTITION_METADATA}`);
  if (bytes === undefined) return 'missing';
  const topicId = parsePartitionMetadata(bytes.toString(), nameOf(folder));
  return topicId === undefined ? 'damaged' : { topicId };
}

function nameOf(folder: string): string {
  return folder.slice(folder.lastIndexOf('/') + 1);
}
