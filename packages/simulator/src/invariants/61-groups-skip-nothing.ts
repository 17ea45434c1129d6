/** Invariant 61, the part of clients: a group that commits what it has processed has processed all that lies below. */
import type { GroupInvariant } from '../groups/group-observation.ts';

export const groupsSkipNothing: GroupInvariant = {
  number: 61,
  name: 'groups-skip-nothing',
  judge(_world, violated) {
    const processed = new Map<string, Set<number>>();
    return {
      processed(groupId, partition, offset) {
        const key = `${groupId} ${partition}`;
        const offsets = processed.get(key);
        if (offsets === undefined) processed.set(key, new Set([offset]));
        else offsets.add(offset);
      },
      ended({ groupId, committed, readable }) {
        for (const [partition, offsets] of readable) {
          const upTo = committed.get(partition) ?? -1;
          const done = processed.get(`${groupId} ${partition}`);
          const skipped = offsets.filter((offset) => offset < upTo && done?.has(offset) !== true);
          if (skipped.length === 0) continue;
          violated(
            `${groupId} has committed ${upTo} of ${partition}, and never processed ${skipped.slice(0, 5).join(', ')} (${skipped.length} in all)`,
          );
        }
      },
    };
  },
};
