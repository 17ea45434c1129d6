/** Logs that lost what was durable: the error that says so, and the mark that keeps a restart from believing them. */
import { type Logger, MillraceError } from '@millrace/core';
import { DAMAGE_MARK, damagedFolders } from './log-folder.ts';
import { DamageFound } from './log-reader.ts';
import type { RecoveryContext } from './log-recovery.ts';
import type { LogResources } from './log-resources.ts';
import { isWantOfSpace, storageFailure } from './storage-failure.ts';
import { replaceWholeDurably } from './whole-file.ts';

export function logDamaged(folder: string, reason: string, cause?: unknown): MillraceError {
  return new MillraceError(
    'LOG_DAMAGED',
    `${folder}: ${reason}; the files are left as they are and the replica is offline until it is repaired from another one`,
    { cause },
  );
}

/** Why a log cannot be read. Programmer errors pass through. */
export function readFailure(folder: string, error: unknown): MillraceError {
  if (error instanceof DamageFound) return logDamaged(folder, error.message);
  if (error instanceof Error && !('code' in error)) throw error;
  return storageFailure(`${folder} cannot be read`, error);
}

/** @returns whether the mark is durable. */
export async function markDamaged(
  { folder, resources, logger }: Pick<RecoveryContext, 'folder' | 'resources' | 'logger'>,
  reason: string,
): Promise<boolean> {
  try {
    await replaceWholeDurably(resources.fileSystem, `${folder}/${DAMAGE_MARK}`, reason);
    return true;
  } catch (error) {
    logger.error({ event: 'damage_mark_failed', err: error }, 'a damaged log could not be marked');
    return false;
  }
}

export interface SyncFailure {
  readonly failure: MillraceError;
  /** As of `markDamaged`. */
  readonly isMarked: boolean;
}

/** What the kernel still has of files that failed to sync is unknown, so a restart must not believe them either. Rule Q25. */
export async function markUnsynced(
  context: Pick<RecoveryContext, 'folder' | 'resources' | 'logger'>,
  cause: unknown,
): Promise<SyncFailure> {
  const failure = storageFailure(`${context.folder} cannot be synced`, cause);
  context.resources.space.noticed(cause);
  // A disk that had no room for one more write has kept all that was written before: its logs come back with a restart.
  const isMarked = !isWantOfSpace(cause) && (await markDamaged(context, failure.message));
  return { failure, isMarked };
}

/** Who has not looked at a damaged log by the next damage will not: a disk that breaks often must not fill. */
export function removeOldDamage(folder: string, resources: LogResources, logger: Logger): void {
  const found = damagedFolders(resources.fileSystem, folder);
  const removed = found.slice(0, Math.max(0, found.length - resources.damagedFoldersMax));
  if (removed.length === 0) return;
  resources.removeLater(removed, 0);
  logger.warn({ event: 'damaged_logs_removed', removed }, 'older damaged logs of the partition are removed');
}
