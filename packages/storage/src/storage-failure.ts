/** What the disk said, as an error that every caller knows. */
import { MillraceError } from '@millrace/core';
import { diskErrorCode } from './file-system.ts';

/** DISK_FULL for want of space, KAFKA_STORAGE_ERROR for anything else. @param what failed, for people. */
export function storageFailure(what: string, cause: unknown): MillraceError {
  if (cause instanceof MillraceError) return cause;
  const diskCode = diskErrorCode(cause);
  const message = cause instanceof Error ? cause.message : String(cause);
  const isFull = diskCode === 'ENOSPC' || diskCode === 'EDQUOT';
  return new MillraceError(isFull ? 'DISK_FULL' : 'KAFKA_STORAGE_ERROR', `${what}: ${message}`, { cause });
}
