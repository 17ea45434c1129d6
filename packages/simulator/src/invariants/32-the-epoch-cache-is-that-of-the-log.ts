/** Invariant 32: the cache of leader epochs strictly increases, in epochs and in offsets, and is what the log's own batches say. */
import type { ModelBatch, ReplicaModel } from '../partition/partition-model.ts';
import type { PartitionInvariant } from '../partition/partition-observation.ts';

export const theEpochCacheIsThatOfTheLog: PartitionInvariant = {
  number: 32,
  name: 'the-epoch-cache-is-that-of-the-log',
  judge(world, violated) {
    const compare = (replica: ReplicaModel, batches: readonly ModelBatch[]): void => {
      for (const { base, epoch, next } of batches) {
        if (next <= replica.logStart) continue;
        const offset = Math.max(base, replica.logStart);
        if (replica.epochAt(offset) !== epoch) {
          violated(
            `broker ${replica.brokerId} takes offset ${offset} of ${replica.partition.key} for epoch ${replica.epochAt(offset)}; it is ${epoch}`,
          );
        }
        const end = replica.endOffsetForEpoch(epoch);
        if (end.epoch !== epoch || end.endOffset < next) {
          violated(
            `broker ${replica.brokerId} ends epoch ${epoch} of ${replica.partition.key} at ${end.endOffset} (${end.epoch}); it holds ${next - 1}`,
          );
        }
      }
    };
    const judgeOrder = ({ brokerId, partition, epochStarts }: ReplicaModel): void => {
      const starts = epochStarts();
      for (const [i, { epoch, startOffset }] of starts.entries()) {
        const before = starts[i - 1];
        if (before === undefined || (epoch > before.epoch && startOffset > before.startOffset)) continue;
        violated(
          `broker ${brokerId} has epoch ${epoch} from ${startOffset} after epoch ${before.epoch} from ${before.startOffset} in ${partition.key}`,
        );
      }
    };
    const compareAll = (replica: ReplicaModel): void => {
      if (replica.isOffline || replica.isBusy) return;
      judgeOrder(replica);
      compare(replica, replica.log.all);
    };
    return {
      opened: compareAll,
      appended(replica, batches) {
        judgeOrder(replica);
        compare(replica, batches.slice(-1));
      },
      began: (replica) => judgeOrder(replica),
      cut(replica) {
        judgeOrder(replica);
        compare(replica, replica.log.all.slice(-1));
      },
      checkpoint() {
        for (const partition of world.partitions.values()) {
          // Its logs are on their way out: nobody follows, reads or watches them, and retention under way still ends.
          if (partition.isDeleted) continue;
          for (const replica of partition.replicas.values()) compareAll(replica);
        }
      },
    };
  },
};
