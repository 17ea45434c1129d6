/** Invariant 7: two logs that agree at one offset and epoch agree on everything before it. */
import type { QuorumInvariant } from '../raft/quorum-observation.ts';

export const logMatching: QuorumInvariant = {
  number: 7,
  name: 'log-matching',
  judge(model, violated) {
    /** The epoch before each entry: by induction the whole prefix. */
    const before = new Map<string, number>();
    return {
      asked(member, { installSnapshot, entries = [] }) {
        const { asked } = model.directory(member);
        let previous = installSnapshot?.term ?? asked.termAt((entries[0]?.index ?? 1) - 1);
        for (const { index, term } of entries) {
          const key = `${index} ${term}`;
          const known = before.get(key);
          if (known === undefined && previous !== undefined) before.set(key, previous);
          else if (previous !== undefined && known !== previous) {
            violated(`index ${index} of epoch ${term} follows epochs ${known} and ${previous}`);
          }
          previous = term;
        }
      },
    };
  },
};
