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

/**
 * Whether a write found no room, and nothing else is wrong. A sync that says so may have lost what was written before
 * (file systems that allocate late), and so may whatever does not say which call it was.
 */
export function isWantOfSpace(error: unknown): boolean {
  const { syscall } = error as { readonly syscall?: unknown };
  const isWrite = typeof syscall === 'string' && !syscall.includes('sync');
  return isWrite && storageFailure('', error).code === 'DISK_FULL';
}
