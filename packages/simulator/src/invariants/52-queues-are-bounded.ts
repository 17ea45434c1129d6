/** Invariant 52: what waits for the watermark is no more than producers may have in flight. */
import type { PartitionInvariant } from '../partition/partition-observation.ts';

/** Far above what these worlds' producers can have on their way. */
const WAITING_MAX = 200;

export const queuesAreBounded: PartitionInvariant = {
  number: 52,
  name: 'queues-are-bounded',
  judge(_world, violated) {
    return {
      stepped({ brokerId, partition, waitingAcks }) {
        if (waitingAcks > WAITING_MAX)
          violated(`${waitingAcks} writes wait at broker ${brokerId} in ${partition.key}`);
      },
    };
  },
};
