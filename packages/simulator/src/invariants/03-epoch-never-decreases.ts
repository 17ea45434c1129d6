/** Invariant 3: the epoch of a directory never decreases, in memory or on disk, also across restarts. */
import type { Member, QuorumInvariant } from '../raft/quorum-observation.ts';

export const epochNeverDecreases: QuorumInvariant = {
  number: 3,
  name: 'epoch-never-decreases',
  judge(_model, violated) {
    const durable = new Map<string, number>();
    const seen = new Map<Member, number>();
    const rise = <Key>(epochs: Map<Key, number>, key: Key, { id }: Member, term: number): void => {
      const before = epochs.get(key) ?? 0;
      if (term < before) violated(`controller ${id} goes from epoch ${before} to ${term}`);
      if (term > before) epochs.set(key, term);
    };
    return {
      loaded: (member, { hardState }) => rise(durable, member.directoryId, member, hardState.term),
      durable: (member, { hardState }) => {
        if (hardState !== undefined) rise(durable, member.directoryId, member, hardState.term);
      },
      stepped: (member, { term }) => rise(seen, member, member, term),
    };
  },
};
