/** Invariant 19: who stopped leading an epoch never leads it again, also after a restart. */
import type { QuorumInvariant } from '../raft/quorum-observation.ts';

export const aResignedLeaderStaysResigned: QuorumInvariant = {
  number: 19,
  name: 'a-resigned-leader-stays-resigned',
  judge(_model, violated) {
    const leads = new Map<string, { readonly term: number; readonly life: number }>();
    const resigned = new Set<string>();
    return {
      stepped({ id, directoryId, life }, { role, term }) {
        const last = leads.get(directoryId);
        if (last !== undefined && (role !== 'leader' || last.term !== term || last.life !== life)) {
          resigned.add(`${directoryId} ${last.term}`);
          leads.delete(directoryId);
        }
        if (role !== 'leader') return;
        if (resigned.has(`${directoryId} ${term}`))
          violated(`controller ${id} leads epoch ${term} once more`);
        leads.set(directoryId, { term, life });
      },
    };
  },
};
