/** Folders of partitions that were deleted: renamed at once, they go when somebody has the time, at the next start at the latest. */
import type { Logger } from '@millrace/core';
import type { FileSystem } from './file-system.ts';
import { DELETED_FOLDER_SUFFIX } from './log-folder.ts';

/** What a deletion left, of partitions that nobody will ask for again. */
export function removeDeletedFolders(fileSystem: FileSystem, directory: string, logger: Logger): void {
  for (const { name, isDirectory } of fileSystem.readdirSync(directory)) {
    if (!isDirectory || !name.endsWith(DELETED_FOLDER_SUFFIX)) continue;
    logger.info({ event: 'deleted_folder_removed', name }, 'a deleted partition is removed');
    fileSystem.removeSync(`${directory}/${name}`);
  }
}
