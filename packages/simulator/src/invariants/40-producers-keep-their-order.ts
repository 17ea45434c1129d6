/** Invariant 40: in what is committed, each producer's batches stand in the order of their sequences, and none is left out. */
import { describeBatch } from '../partition/partition-model.ts';
import type { PartitionInvariant } from '../partition/partition-observation.ts';

export const producersKeepTheirOrder: PartitionInvariant = {
  number: 40,
  name: 'producers-keep-their-order',
  judge(_world, violated) {
    return {
      committed({ partition, brokerId }, _highWatermark, fresh) {
        for (const batch of fresh) {
          const { producerId, producerEpoch, baseSequence } = batch;
          if (producerId < 0 || partition.lossEpoch !== -1) continue;
          const key = `${producerId} ${producerEpoch}`;
          const due = partition.sequences.get(key) ?? 0;
          // One that stands there already is a second copy, which 39 has judged.
          if (baseSequence > due && !partition.mayForgetProducers) {
            violated(
              `broker ${brokerId} commits ${describeBatch(batch)} of ${partition.key}; sequence ${due} is due`,
            );
          }
          partition.sequences.set(key, batch.lastSequence + 1);
        }
      },
    };
  },
};
