/** Invariant 23: what acks=all acknowledged is committed, and flushed on min.insync.replicas replicas of the ISR or ELR. */
import { describeBatch, sameBatch } from '../partition/partition-model.ts';
import type { PartitionInvariant } from '../partition/partition-observation.ts';

export const acknowledgedIsReplicated: PartitionInvariant = {
  number: 23,
  name: 'acknowledged-is-replicated',
  judge(_world, violated) {
    return {
      produced({ partition, brokerId, log, leaderEpoch }, { acks, answer, batch }) {
        if (acks !== -1 || answer.failure !== undefined || partition.isDeleted) return;
        if (partition.isOutdated(leaderEpoch ?? partition.image.leaderEpoch)) return;
        const { baseOffset } = answer;
        const known = partition.committed.at(baseOffset);
        if (known === undefined && baseOffset < partition.logStartMax) return;
        if (
          known?.base !== baseOffset ||
          known.baseSequence !== batch.baseSequence ||
          known.producerId !== batch.producerId
        ) {
          violated(
            `broker ${brokerId} acknowledges ${describeBatch({ ...batch, base: baseOffset, next: baseOffset + 1 })} of ${partition.key} where ${describeBatch(known)} is committed`,
          );
        }
        if (!sameBatch(log.at(baseOffset), known) && baseOffset >= log.start) {
          violated(
            `broker ${brokerId} acknowledges what it does not have: ${describeBatch(known)} of ${partition.key}`,
          );
        }
      },
      committed({ partition, brokerId }, _highWatermark, fresh) {
        const last = fresh.at(-1);
        if (last === undefined || partition.isDeleted) return;
        let holders = 0;
        for (const replica of partition.replicas.values()) {
          // Committed again after a lawful loss, it may be deleted where it was led. The last deleted record is of the same
          // epoch: below it there was nothing else.
          const { logStart } = replica;
          const isDeleted =
            partition.lossEpoch !== -1 &&
            logStart >= last.next &&
            replica.epochAt(logStart - 1) === last.epoch;
          const holds = !replica.isOffline && (isDeleted || sameBatch(replica.log.at(last.base), last));
          if (holds && replica.flushedNow() >= last.next) holders += 1;
        }
        // A holder may have died since it said so; what it had on its disk it still has.
        const absent = partition.image.replicas.filter(
          (id) => partition.replicas.get(id)?.isOffline !== false,
        ).length;
        if (holders + absent >= partition.minInSyncReplicas) return;
        violated(
          `broker ${brokerId} commits ${describeBatch(last)} of ${partition.key} with ${holders} flushed copies`,
        );
      },
    };
  },
};
