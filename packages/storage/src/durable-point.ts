/** How far a log was on stable storage for certain: nothing below may be missing, or be anything else than it was. Reads only. */
import type { RecoveryContext } from './log-recovery.ts';

/**
 * Everything below was on stable storage in the log itself, and its epochs in their file. What voids a log's journal syncs
 * both first: the journal then begins higher than the recovery point that was written down, and rot between the two is no
 * torn tail (Q26).
 */
export function durableUpTo({ recoveryPoint, replay, topicId, partition }: RecoveryContext): number {
  return Math.max(recoveryPoint ?? 0, replay?.startOf(topicId, partition) ?? 0);
}
