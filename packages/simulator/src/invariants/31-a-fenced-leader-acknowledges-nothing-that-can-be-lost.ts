/**
 * Invariant 31: a leader that was replaced completes no acks=all produce unless every replica that may lead has the batch:
 * it may have been committed before anybody heard of the replacement.
 */
import { describeBatch, sameBatch } from '../partition/partition-model.ts';
import type { PartitionInvariant } from '../partition/partition-observation.ts';

export const aFencedLeaderAcknowledgesNothingThatCanBeLost: PartitionInvariant = {
  number: 31,
  name: 'a-fenced-leader-acknowledges-nothing-that-can-be-lost',
  judge(_world, violated) {
    return {
      produced({ partition, brokerId, leaderEpoch }, { acks, answer }) {
        const { image } = partition;
        const isReplaced = leaderEpoch !== image.leaderEpoch;
        if (acks !== -1 || answer.failure !== undefined || !isReplaced) return;
        if (partition.isDeleted || partition.isLossDue || partition.isOutdated(leaderEpoch ?? -1)) return;
        const batch = partition.committed.at(answer.baseOffset);
        for (const id of [...image.isr, ...image.elr]) {
          const replica = partition.replicas.get(id);
          if (replica === undefined || replica.isOffline || image.offline.includes(id)) continue;
          if (
            batch === undefined ||
            batch.next <= replica.logStart ||
            sameBatch(replica.log.at(batch.base), batch)
          )
            continue;
          violated(
            `broker ${brokerId}, leader of epoch ${leaderEpoch}, acknowledges ${describeBatch(batch)} of ${partition.key}, which broker ${id} does not have`,
          );
        }
      },
    };
  },
};
