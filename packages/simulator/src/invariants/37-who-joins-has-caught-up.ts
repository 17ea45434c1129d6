/** Invariant 37: whoever joins an ISR or ELR holds all that is committed in the life that joins; a fresh life joins none by registering. */
import { sameBatch } from '../partition/partition-model.ts';
import type { PartitionInvariant } from '../partition/partition-observation.ts';

export const whoJoinsHasCaughtUp: PartitionInvariant = {
  number: 37,
  name: 'who-joins-has-caught-up',
  judge(_world, violated) {
    return {
      decided(partition, { before, after, isUnclean }) {
        if (before === undefined || isUnclean || partition.isLossDue) return;
        const last = partition.committed.last;
        for (const id of [...after.isr, ...after.elr]) {
          if (before.isr.includes(id) || before.elr.includes(id)) continue;
          const replica = partition.replicas.get(id);
          if (replica === undefined || replica.isOffline || last === undefined) continue;
          if (last.next <= replica.logStart || sameBatch(replica.log.at(last.base), last)) continue;
          violated(
            `broker ${id} joins those in sync of ${partition.key} at ${replica.log.end}; ${last.next} is committed`,
          );
        }
      },
    };
  },
};
