/**
 * Invariant 27: leader in ISR, ISR and ELR apart and within the replicas, enough of both, and no ELR beside a full ISR.
 * Both together are fewer than min.insync.replicas only if each member that is missing is recorded as lost: its disk failed
 * or is another one, its broker's former life ended without flushing, or an unclean election gave up what it had.
 */
import type { NodeId } from '@millrace/core';
import type { Decided, PartitionInvariant } from '../partition/partition-observation.ts';

export const standingsAgree: PartitionInvariant = {
  number: 27,
  name: 'standings-agree',
  judge(_world, violated) {
    return {
      decided(partition, decided) {
        const { leader, isr, elr, replicas, lastKnownElr } = decided.after;
        const fault = ((): string | undefined => {
          if (![...isr, ...elr].every((id) => replicas.includes(id))) return 'a stranger is in sync';
          if (leader !== -1 && !isr.includes(leader)) return 'the leader is not in sync';
          if (isr.some((id) => elr.includes(id))) return 'ISR and ELR overlap';
          if (new Set(isr).size < isr.length || new Set(elr).size < elr.length)
            return 'a member counts twice';
          if (isr.length >= partition.minInSyncReplicas && elr.length > 0) return 'an ELR beside a full ISR';
          if ([...isr, ...elr].some((id) => lastKnownElr.includes(id)))
            return 'a member is remembered as lost';
          if (isr.length + elr.length >= partition.minInSyncReplicas) return undefined;
          const [dropped] = droppedOf(decided);
          return dropped === undefined
            ? undefined
            : `${dropped} is dropped from ISR ${decided.before?.isr} and ELR ${decided.before?.elr}`;
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

/** Who was eligible, no longer is, and is not recorded as lost. */
function droppedOf({ before, after, isUnclean, imageBefore, image }: Decided): readonly NodeId[] {
  if (before === undefined || isUnclean) return [];
  const { isr, elr, lastKnownElr, offline } = after;
  return [...before.isr, ...before.elr].filter((id) => {
    if (isr.includes(id) || elr.includes(id) || offline.includes(id)) return false;
    const [life, next] = [imageBefore.brokers.get(id), image.brokers.get(id)];
    const isReborn = life?.brokerEpoch !== next?.brokerEpoch;
    const hasOtherDisk = life?.directoryId !== next?.directoryId;
    return !(isReborn && (hasOtherDisk || lastKnownElr.includes(id)));
  });
}
