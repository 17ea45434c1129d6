/** Invariant 22: what a consumer was given below the high watermark is committed, and what is committed never changes. */
import { splitBatches } from '@millrace/records';
import { describeBatch, modelBatch, sameBatch } from '../partition/partition-model.ts';
import type { PartitionInvariant } from '../partition/partition-observation.ts';

export const whatWasReadStays: PartitionInvariant = {
  number: 22,
  name: 'what-was-read-stays',
  judge(_world, violated) {
    return {
      committed({ partition, brokerId, log, leaderEpoch }, highWatermark) {
        const { committed } = partition;
        const last = Math.min(highWatermark, committed.end) - 1;
        const ours = log.at(last);
        const theirs = committed.at(last);
        if (ours === undefined || theirs === undefined || sameBatch(ours, theirs)) return;
        violated(
          `broker ${brokerId} commits ${describeBatch(ours)} in epoch ${leaderEpoch} of ${partition.key} where ${describeBatch(theirs)} is committed`,
        );
      },
      served(replica, partition, { records, currentLeaderEpoch }) {
        if (records.length === 0 || partition.isDeleted || partition.isOutdated(currentLeaderEpoch)) return;
        for (const view of splitBatches(records)) {
          const batch = modelBatch(view);
          const known = partition.committed.at(batch.base);
          // Older than the model's log only if it began later: after a loss at the beginning.
          if (known === undefined && batch.next <= partition.committed.start) continue;
          // Given up lawfully, and still served by a leader that has not heard of it.
          if (batch.epoch < partition.lossEpoch) continue;
          if (!sameBatch(known, batch)) {
            violated(
              `broker ${replica?.brokerId} serves ${describeBatch(batch)} of ${partition.key} where ${describeBatch(known)} is committed`,
            );
          }
        }
      },
    };
  },
};
