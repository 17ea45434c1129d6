/**
 * Invariant 28: no fenced broker, and none that is shutting down, is in an ISR; and whoever is in one joined it in its present
 * life: a broker that registered anew has to catch up first.
 */
import type { NodeId } from '@millrace/core';
import { isActive, type MetadataImage, type PartitionImage, partitionsOf } from '@millrace/metadata';
import type { PartitionInvariant } from '../partition/partition-observation.ts';

export const onlyActiveBrokersAreInSync: PartitionInvariant = {
  number: 28,
  name: 'only-active-brokers-are-in-sync',
  judge(_world, violated) {
    /** By partition: the broker epoch in which each member of the ISR joined it. */
    const joined = new Map<string, Map<NodeId, number>>();
    const check = ({ topicId, partition, isr }: PartitionImage, image: MetadataImage): void => {
      const key = `${topicId}-${partition}`;
      for (const id of isr) {
        if (!isActive(image, id)) violated(`broker ${id} is not active, and in the ISR of ${key}`);
        const [epoch, now] = [joined.get(key)?.get(id), image.brokers.get(id)?.brokerEpoch];
        if (epoch !== undefined && epoch !== now) {
          violated(
            `broker ${id} joined the ISR of ${key} in epoch ${epoch}, and is still in it in epoch ${now}`,
          );
        }
      }
    };
    return {
      decided({ key }, { before, after, image }) {
        const known = joined.get(key);
        const epochs = after.isr.map((id): [NodeId, number] => {
          const since = before?.isr.includes(id) ? known?.get(id) : undefined;
          return [id, since ?? image.brokers.get(id)?.brokerEpoch ?? -1];
        });
        joined.set(key, new Map(epochs));
        check(after, image);
      },
      brokersDecided(image) {
        for (const partition of partitionsOf(image)) check(partition, image);
      },
    };
  },
};
