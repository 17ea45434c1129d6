/** Invariant 48: a commit that was acknowledged had committed by then, and at the end it is read back, or a later one is. */
import type { GroupInvariant } from '../groups/group-observation.ts';

export const acknowledgedCommitsAreReadBack: GroupInvariant = {
  number: 48,
  name: 'acknowledged-commits-are-read-back',
  judge({ truth }, violated) {
    const acknowledged = new Map<string, number>();
    return {
      acknowledged({ groupId, clientId, partition, offset }) {
        const key = `${groupId} ${partition}`;
        acknowledged.set(key, Math.max(offset, acknowledged.get(key) ?? -1));
        if (truth.hasReached(groupId, partition, offset)) return;
        violated(
          `${clientId} is told that ${offset} of ${partition} is committed for ${groupId}, and it is not`,
        );
      },
      ended({ groupId, committed }) {
        for (const [partition, offset] of committed) {
          const least = acknowledged.get(`${groupId} ${partition}`) ?? -1;
          if (offset >= least) continue;
          violated(`${groupId} finds ${offset} committed of ${partition}, and ${least} was acknowledged`);
        }
      },
    };
  },
};
