/** Invariant 1: at most one leader per epoch. */
import type { Member, QuorumInvariant } from '../raft/quorum-observation.ts';

export const oneLeaderPerEpoch: QuorumInvariant = {
  number: 1,
  name: 'one-leader-per-epoch',
  judge(_model, violated) {
    const leaders = new Map<number, Member>();
    return {
      stepped(member, { role, term }) {
        if (role !== 'leader') return;
        const other = leaders.get(term);
        if (other === undefined) leaders.set(term, member);
        else if (other.directoryId !== member.directoryId) {
          violated(`controllers ${other.id} and ${member.id} lead epoch ${term}`);
        }
      },
    };
  },
};
