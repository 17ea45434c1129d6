/** Where a reader's log parts from ours, judged by the epoch of its last record. Rules Q13, P17; source: KIP-101, KIP-279, KIP-595. */
import type { EpochEndOffset, PartitionLog } from '@millrace/storage';

/**
 * Undefined if the log up to `fetchOffset`, whose last record is of `lastFetchedEpoch`, is a prefix of ours.
 * Else the largest epoch of ours that is at most `lastFetchedEpoch`, and where it ends: the reader cuts there.
 */
export function divergence(
  log: PartitionLog,
  lastFetchedEpoch: number,
  fetchOffset: number,
): EpochEndOffset | undefined {
  const end = log.endOffsetForEpoch(lastFetchedEpoch);
  if (end.epoch === lastFetchedEpoch && end.endOffset >= fetchOffset) return undefined;
  // An epoch newer than all of ours: what it shares with us ends where we end.
  return end.epoch === -1 ? { epoch: log.lastEpoch, endOffset: log.logEndOffset } : end;
}
