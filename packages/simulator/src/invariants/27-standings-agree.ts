/** Invariant 27: leader in ISR, ISR and ELR apart and within the replicas, enough of both, and no ELR beside a full ISR. */
import type { PartitionInvariant } from '../partition/partition-observation.ts';

export const standingsAgree: PartitionInvariant = {
  number: 27,
  name: 'standings-agree',
  judge(_world, violated) {
    return {
      decided(partition, { after }) {
        const { leader, isr, elr, replicas, lastKnownElr } = after;
        const fault = ((): string | undefined => {
          if (![...isr, ...elr].every((id) => replicas.includes(id))) return 'a stranger is in sync';
          if (leader !== -1 && !isr.includes(leader)) return 'the leader is not in sync';
          if (isr.some((id) => elr.includes(id))) return 'ISR and ELR overlap';
          if (new Set(isr).size < isr.length || new Set(elr).size < elr.length)
            return 'a member counts twice';
          if (isr.length >= partition.minInSyncReplicas && elr.length > 0) return 'an ELR beside a full ISR';
          if ([...isr, ...elr].some((id) => lastKnownElr.includes(id)))
            return 'a member is remembered as lost';
          return undefined;
        })();
        if (fault !== undefined) {
          violated(
            `${fault}: leader ${leader}, ISR ${isr}, ELR ${elr}, last known ${lastKnownElr} of ${replicas} in ${partition.key}`,
          );
        }
      },
    };
  },
};
