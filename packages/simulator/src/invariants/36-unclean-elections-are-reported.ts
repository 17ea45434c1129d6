/** Invariant 36: a leader from outside ISR and ELR only if the topic allows it, or its data was in page caches; and always reported. */
import type { PartitionInvariant } from '../partition/partition-observation.ts';

export const uncleanElectionsAreReported: PartitionInvariant = {
  number: 36,
  name: 'unclean-elections-are-reported',
  judge(_world, violated) {
    return {
      decided(partition, { before, after, isUnclean }) {
        if (before === undefined || after.leader === -1 || after.leader === before.leader) return;
        const isEligible = before.isr.includes(after.leader) || before.elr.includes(after.leader);
        if (!isEligible && !isUnclean) {
          violated(`broker ${after.leader} was elected uncleanly for ${partition.key}, and nobody was told`);
        }
        const isAllowed = partition.config['unclean.leader.election.enable'] || partition.hadPageCache;
        if (isUnclean && !isAllowed)
          violated(`broker ${after.leader} was elected uncleanly for ${partition.key}`);
      },
    };
  },
};
