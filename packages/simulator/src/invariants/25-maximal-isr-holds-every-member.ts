/** Invariant 25: a leader that is up to date waits for every member of the controller's ISR. */
import type { PartitionInvariant } from '../partition/partition-observation.ts';

export const maximalIsrHoldsEveryMember: PartitionInvariant = {
  number: 25,
  name: 'maximal-isr-holds-every-member',
  judge(_world, violated) {
    return {
      stepped({ partition, brokerId, leaderEpoch, maximalIsr }) {
        const { image } = partition;
        const isCurrent = leaderEpoch === image.leaderEpoch && image.leader === brokerId;
        if (!isCurrent || image.isr.length < partition.minInSyncReplicas) return;
        const missing = [...image.isr, ...image.elr].filter((id) => !maximalIsr.includes(id));
        if (missing.length > 0) {
          violated(
            `leader ${brokerId} of ${partition.key} waits for ${maximalIsr}; the controller has ${image.isr} and ${image.elr}`,
          );
        }
      },
    };
  },
};
