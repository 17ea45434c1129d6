/** Invariant 28: no fenced broker, and none that is shutting down, is in an ISR. */
import { isActive, partitionsOf } from '@millrace/metadata';
import type { PartitionInvariant } from '../partition/partition-observation.ts';

export const onlyActiveBrokersAreInSync: PartitionInvariant = {
  number: 28,
  name: 'only-active-brokers-are-in-sync',
  judge(_world, violated) {
    return {
      decided(partition, { after, image }) {
        for (const id of after.isr) {
          if (!isActive(image, id))
            violated(`broker ${id} is not active, and in the ISR of ${partition.key}`);
        }
      },
      brokersDecided(image) {
        for (const { isr, topicId, partition } of partitionsOf(image)) {
          for (const id of isr) {
            if (!isActive(image, id))
              violated(`broker ${id} is not active, and in the ISR of ${topicId}-${partition}`);
          }
        }
      },
    };
  },
};
