/** Invariant 35: offsets have no holes, and an offset of an epoch is given once. */
import { describeBatch, type ReplicaModel } from '../partition/partition-model.ts';
import type { PartitionInvariant } from '../partition/partition-observation.ts';

export const offsetsAreDense: PartitionInvariant = {
  number: 35,
  name: 'offsets-are-dense',
  judge(_world, violated) {
    const check = ({ log, brokerId, partition }: ReplicaModel, from: number): void => {
      let end: number | undefined;
      for (const batch of log.from(from)) {
        if (end !== undefined && batch.base !== end) {
          violated(
            `broker ${brokerId} has ${describeBatch(batch)} where offset ${end} is due in ${partition.key}`,
          );
        }
        end = batch.next;
      }
    };
    return {
      opened(replica) {
        check(replica, 0);
        if (!replica.isOffline && replica.log.end !== replica.endOffset()) {
          violated(
            `broker ${replica.brokerId} opens ${replica.partition.key} up to ${replica.endOffset()}; its files hold ${replica.log.end}`,
          );
        }
      },
      appended(replica, batches) {
        check(replica, batches[0]!.base - 1);
      },
    };
  },
};
