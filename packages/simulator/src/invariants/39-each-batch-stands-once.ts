/** Invariant 39, in the logs: in what is committed, each batch of an idempotent producer stands once. */
import { describeBatch, type ModelBatch, type PartitionModel } from '../partition/partition-model.ts';
import type { PartitionInvariant } from '../partition/partition-observation.ts';

export const eachBatchStandsOnce: PartitionInvariant = {
  number: 39,
  name: 'each-batch-stands-once',
  judge(_world, violated) {
    /** By epoch and offset: where the log of the leader that took a batch had begun. */
    const begunAt = new WeakMap<PartitionModel, Map<string, number>>();
    const keyOf = ({ epoch, base }: ModelBatch): string => `${epoch} ${base}`;
    /**
     * A retry that came after its batch was deleted, to a leader that was begun anew after that: nobody could tell it.
     * Followers get what producers wrote from the batches alone.
     */
    const isForgotten = (partition: PartitionModel, batch: ModelBatch): boolean => {
      const start = begunAt.get(partition)?.get(keyOf(batch));
      if (start === undefined) return false;
      return partition.committed.all.every(
        ({ producerId, producerEpoch, lastSequence, next }) =>
          producerId !== batch.producerId ||
          producerEpoch !== batch.producerEpoch ||
          lastSequence < batch.baseSequence ||
          next <= start,
      );
    };
    return {
      appended({ partition, brokerId }, [batch], role) {
        const start = partition.begunAt.get(brokerId) ?? 0;
        if (role !== 'leader' || batch === undefined || start === 0) return;
        let starts = begunAt.get(partition);
        if (starts === undefined) {
          starts = new Map();
          begunAt.set(partition, starts);
        }
        starts.set(keyOf(batch), start);
      },
      committed({ partition, brokerId }, _highWatermark, fresh) {
        /** Of each producer, behind its batches among the fresh ones. */
        const ends = new Map<string, number>();
        for (const batch of fresh) {
          if (batch.producerId < 0 || partition.lossEpoch !== -1) continue;
          const key = `${batch.producerId} ${batch.producerEpoch}`;
          const due = ends.get(key) ?? partition.sequences.get(key) ?? 0;
          ends.set(key, batch.lastSequence + 1);
          if (batch.baseSequence >= due) continue;
          if (!isForgotten(partition, batch)) {
            violated(
              `broker ${brokerId} commits ${describeBatch(batch)} of ${partition.key} once more; sequence ${due} is due`,
            );
          }
          for (let offset = batch.base; offset < batch.next; offset++) partition.repeated.add(offset);
        }
      },
    };
  },
};
