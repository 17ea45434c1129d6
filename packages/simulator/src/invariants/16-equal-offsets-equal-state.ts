/** Invariant 16: members that have applied equally much are in the same state. */
import type { QuorumInvariant } from '../raft/quorum-observation.ts';

export const equalOffsetsEqualState: QuorumInvariant = {
  number: 16,
  name: 'equal-offsets-equal-state',
  judge(_model, violated) {
    const digests = new Map<number, number>();
    const compare = (id: number, endOffset: number, digest: number): void => {
      const known = digests.get(endOffset);
      if (known === undefined) digests.set(endOffset, digest);
      else if (known !== digest) violated(`controller ${id} is in another state than others at ${endOffset}`);
    };
    return {
      applied({ id }, records, digest) {
        const last = records.at(-1);
        if (last !== undefined) compare(id, last.offset + 1, digest);
      },
      restored: ({ id }, endOffset, digest) => compare(id, endOffset, digest),
    };
  },
};
