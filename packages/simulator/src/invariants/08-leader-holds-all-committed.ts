/** Invariant 8: the leader of the newest epoch holds every committed record. */
import type { QuorumInvariant } from '../raft/quorum-observation.ts';

export const leaderHoldsAllCommitted: QuorumInvariant = {
  number: 8,
  name: 'leader-holds-all-committed',
  judge(model, violated) {
    let newest = 0;
    return {
      stepped(member, { role, term }) {
        if (role !== 'leader' || term <= newest) return;
        newest = term;
        const { asked } = model.directory(member);
        const last = model.committed.at(-1);
        // With log matching, holding the last one means holding all.
        if (last !== undefined && !asked.holds(model.committed.length, last.term)) {
          violated(
            `controller ${member.id} leads epoch ${term} without committed offset ${model.committed.length - 1}`,
          );
        }
      },
    };
  },
};
