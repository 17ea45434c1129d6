/** Invariant 6: the same offset and epoch mean the same bytes, everywhere and for ever. */
import { modelOf } from '../raft/quorum-model.ts';
import type { QuorumInvariant } from '../raft/quorum-observation.ts';

export const sameOffsetAndEpochSameBytes: QuorumInvariant = {
  number: 6,
  name: 'same-offset-and-epoch-same-bytes',
  judge(_model, violated) {
    const digests = new Map<string, number>();
    return {
      asked({ id }, { entries = [] }) {
        for (const entry of entries) {
          const key = `${entry.index} ${entry.term}`;
          const { digest } = modelOf(entry);
          const earlier = digests.get(key);
          if (earlier === undefined) digests.set(key, digest);
          else if (earlier !== digest) {
            violated(`controller ${id} holds other bytes at index ${entry.index} of epoch ${entry.term}`);
          }
        }
      },
    };
  },
};
