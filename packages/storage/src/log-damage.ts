/** Logs that lost what was durable: the error that says so, and the mark that keeps a restart from believing them. */
import { MillraceError } from '@millrace/core';
import { DAMAGE_MARK } from './log-folder.ts';
import { DamageFound } from './log-reader.ts';
import type { RecoveryContext } from './log-recovery.ts';
import { storageFailure } from './storage-failure.ts';
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
