/** Invariant 35: offsets have no holes, and a leader gives each offset of its epoch once, in whatever life. */
import { describeBatch, type ModelBatch, type ReplicaModel } from '../partition/partition-model.ts';
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
    /** By partition and leader epoch: the first offset that was not given yet. */
    const given = new Map<string, number>();
    const give = ({ brokerId, partition }: ReplicaModel, batch: ModelBatch): void => {
      const key = `${partition.key} ${batch.epoch}`;
      const free = given.get(key) ?? 0;
      if (batch.base < free) {
        violated(
          `broker ${brokerId} gives ${describeBatch(batch)} of ${partition.key}; up to ${free - 1} all were given in this epoch`,
        );
      }
      given.set(key, batch.next);
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
      appended(replica, batches, role) {
        check(replica, batches[0]!.base - 1);
        if (role === 'leader') for (const batch of batches) give(replica, batch);
      },
    };
  },
};
