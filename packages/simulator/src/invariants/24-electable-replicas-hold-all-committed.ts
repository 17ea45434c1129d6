/** Invariant 24: every running member of the ISR or ELR holds all that is committed, and so does whoever begins to lead. */
import {
  describeBatch,
  type PartitionModel,
  type ReplicaModel,
  sameBatch,
} from '../partition/partition-model.ts';
import type { PartitionInvariant } from '../partition/partition-observation.ts';

export const electableReplicasHoldAllCommitted: PartitionInvariant = {
  number: 24,
  name: 'electable-replicas-hold-all-committed',
  judge(_world, violated) {
    const check = (replica: ReplicaModel): void => {
      const { partition, log, brokerId } = replica;
      const { committed, image } = partition;
      if (replica.isOffline || partition.isDeleted) return;
      if (partition.isLossDue || partition.mayLoseMore) return;
      const last = committed.last;
      if (last === undefined || last.next <= replica.logStart || sameBatch(log.at(last.base), last)) return;
      violated(
        `broker ${brokerId} ends at ${log.end} with ${describeBatch(log.last)}; ${describeBatch(last)} is committed in ${partition.key}, ISR ${image.isr}, ELR ${image.elr}`,
      );
    };
    const isElectable = ({ image }: PartitionModel, id: number): boolean =>
      (image.isr.includes(id) || image.elr.includes(id)) && !image.offline.includes(id);
    const checkAll = (partition: PartitionModel): void => {
      for (const replica of partition.replicas.values()) {
        if (isElectable(partition, replica.brokerId)) check(replica);
      }
    };
    return {
      opened: (replica) => {
        if (isElectable(replica.partition, replica.brokerId)) check(replica);
      },
      cut: (replica) => {
        if (isElectable(replica.partition, replica.brokerId)) check(replica);
      },
      began: (replica, leaderEpoch) => {
        // One that hears late of its election may have been replaced already.
        if (replica.partition.image.leaderEpoch === leaderEpoch) check(replica);
      },
      decided: checkAll,
      stepped: (replica) => {
        if (isElectable(replica.partition, replica.brokerId)) check(replica);
      },
    };
  },
};
