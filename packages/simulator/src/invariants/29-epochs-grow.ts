/** Invariant 29: the partition epoch grows by one with each change, the leader epoch never falls and grows with each new leader. */
import type { PartitionInvariant } from '../partition/partition-observation.ts';

export const epochsGrow: PartitionInvariant = {
  number: 29,
  name: 'epochs-grow',
  judge(_world, violated) {
    return {
      decided(partition, { before, after, changes }) {
        if (before === undefined) return;
        const steps = after.partitionEpoch - before.partitionEpoch;
        const isHigher = after.leaderEpoch > before.leaderEpoch;
        if (
          steps === changes &&
          steps >= 1 &&
          (isHigher || (after.leaderEpoch === before.leaderEpoch && after.leader === before.leader))
        )
          return;
        violated(
          `${partition.key} goes from partition epoch ${before.partitionEpoch}, leader ${before.leader} of epoch ${before.leaderEpoch} to ${after.partitionEpoch}, ${after.leader} of ${after.leaderEpoch}, by ${changes} changes`,
        );
      },
    };
  },
};
