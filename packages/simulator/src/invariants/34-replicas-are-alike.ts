/** Invariant 34: running replicas are the same, byte for byte, below the lowest of their watermarks; and so are their disks. */
import { describeBatch, type ReplicaModel } from '../partition/partition-model.ts';
import type { PartitionInvariant } from '../partition/partition-observation.ts';

export const replicasAreAlike: PartitionInvariant = {
  number: 34,
  name: 'replicas-are-alike',
  judge(world, violated) {
    const compare = (a: ReplicaModel, b: ReplicaModel, start: number, end: number): void => {
      for (const batch of a.log.from(start)) {
        if (batch.next > end) return;
        const other = b.log.at(batch.base);
        if (batch.base < start || other?.bytes.equals(batch.bytes)) continue;
        violated(
          `brokers ${a.brokerId} and ${b.brokerId} differ in ${a.partition.key}: ${describeBatch(batch)} and ${describeBatch(other)}`,
        );
      }
    };
    return {
      checkpoint() {
        for (const partition of world.partitions.values()) {
          if (partition.isDeleted || partition.losses > 0) continue;
          // One that has not heard yet of an unclean election may commit alone what is void by now.
          // One that has heard and is still being cut holds it, too, until the cut is done.
          const isJudged = ({ isOffline, isBusy, seenEpoch }: ReplicaModel): boolean =>
            !isOffline && seenEpoch >= partition.lossEpoch && !(isBusy && partition.lossEpoch !== -1);
          const [first, ...others] = [...partition.replicas.values()].filter(isJudged);
          if (first === undefined) continue;
          for (const other of others) {
            const start = Math.max(first.log.start, other.log.start);
            compare(first, other, start, Math.min(first.highWatermark, other.highWatermark));
          }
        }
      },
    };
  },
};
