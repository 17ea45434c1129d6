/** Invariant 26: the high watermark does not move while the ISR is too small; and the leader's ISR is one that was decided. */
import type { PartitionInvariant } from '../partition/partition-observation.ts';

export const fewReplicasCommitNothing: PartitionInvariant = {
  number: 26,
  name: 'few-replicas-commit-nothing',
  judge(_world, violated) {
    return {
      committed({ partition, brokerId, isr, leaderPartitionEpoch }, highWatermark, fresh) {
        if (fresh.length === 0) return;
        if (isr.length < partition.minInSyncReplicas) {
          violated(
            `broker ${brokerId} commits up to ${highWatermark} of ${partition.key} with an ISR of ${isr}`,
          );
        }
        const decided = partition.isrs.get(leaderPartitionEpoch);
        if (decided !== undefined && String(decided) !== String(isr)) {
          violated(
            `broker ${brokerId} takes ${isr} for the ISR of partition epoch ${leaderPartitionEpoch} of ${partition.key}; it was ${decided}`,
          );
        }
      },
    };
  },
};
