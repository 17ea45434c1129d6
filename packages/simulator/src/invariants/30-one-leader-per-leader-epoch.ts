/** Invariant 30: at most one replica acts as leader in a leader epoch, and it is the elected one. */
import type { PartitionInvariant } from '../partition/partition-observation.ts';

export const oneLeaderPerLeaderEpoch: PartitionInvariant = {
  number: 30,
  name: 'one-leader-per-leader-epoch',
  judge(_world, violated) {
    const leaders = new Map<string, number>();
    const elected = new Map<string, number>();
    return {
      decided(partition, { after }) {
        elected.set(`${partition.key} ${after.leaderEpoch}`, after.leader);
      },
      began({ partition, brokerId }, leaderEpoch) {
        const key = `${partition.key} ${leaderEpoch}`;
        const other = leaders.get(key) ?? brokerId;
        leaders.set(key, brokerId);
        if (other !== brokerId)
          violated(`brokers ${other} and ${brokerId} lead epoch ${leaderEpoch} of ${partition.key}`);
        if (elected.get(key) !== brokerId) {
          violated(
            `broker ${brokerId} leads epoch ${leaderEpoch} of ${partition.key}, elected was ${elected.get(key)}`,
          );
        }
      },
      appended({ partition, brokerId }, batches, role) {
        if (role !== 'leader') return;
        const { epoch } = batches[0]!;
        if (elected.get(`${partition.key} ${epoch}`) !== brokerId) {
          violated(
            `broker ${brokerId} appends in epoch ${epoch} of ${partition.key}, which it does not lead`,
          );
        }
      },
    };
  },
};
