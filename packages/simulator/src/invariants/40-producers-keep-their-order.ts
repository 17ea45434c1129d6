/** Invariants 39 and 40: in what is committed, each producer's batches stand in the order of their sequences, each once. */
import { describeBatch, type ModelBatch, type PartitionModel } from '../partition/partition-model.ts';
import type { PartitionInvariant } from '../partition/partition-observation.ts';

export const producersKeepTheirOrder: PartitionInvariant = {
  number: 40,
  name: 'producers-keep-their-order',
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
        for (const batch of fresh) {
          const { producerId, producerEpoch, baseSequence } = batch;
          if (producerId < 0 || partition.lossEpoch !== -1) continue;
          const key = `${producerId} ${producerEpoch}`;
          const due = partition.sequences.get(key) ?? 0;
          const expected = partition.mayForgetProducers ? Math.max(due, baseSequence) : due;
          if (baseSequence < due && isForgotten(partition, batch)) {
            for (let offset = batch.base; offset < batch.next; offset++) partition.repeated.add(offset);
          } else if (baseSequence !== expected) {
            violated(
              `broker ${brokerId} commits ${describeBatch(batch)} of ${partition.key}; sequence ${expected} is due`,
            );
          }
          partition.sequences.set(key, batch.lastSequence + 1);
        }
      },
    };
  },
};
