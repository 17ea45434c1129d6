/** The one error of logs that lost what was durable, and what is found missing is never silently cut away. */
import { MillraceError } from '@millrace/core';

export function logDamaged(folder: string, reason: string, cause?: unknown): MillraceError {
  return new MillraceError(
    'LOG_DAMAGED',
    `${folder}: ${reason}; the files are left as they are and the replica is offline until it is repaired from another one`,
    { cause },
  );
}
