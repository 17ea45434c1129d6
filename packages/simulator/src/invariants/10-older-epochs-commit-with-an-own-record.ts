/** Invariant 10: a leader's watermark passes records of older epochs only together with one of its own. */
import type { Member, QuorumInvariant } from '../raft/quorum-observation.ts';

export const olderEpochsCommitWithAnOwnRecord: QuorumInvariant = {
  number: 10,
  name: 'older-epochs-commit-with-an-own-record',
  judge(model, violated) {
    /** What the leader's watermark was when it took over. */
    const start = new Map<Member, { readonly term: number; readonly highWatermark: number }>();
    return {
      stepped(member, { role, term, highWatermark }) {
        if (role !== 'leader') return;
        const before = start.get(member);
        if (before?.term !== term) {
          start.set(member, { term, highWatermark });
          return;
        }
        if (highWatermark <= before.highWatermark) return;
        const epoch = model.directory(member).asked.termAt(highWatermark);
        if (epoch !== undefined && epoch !== term) {
          violated(`leader ${member.id} of epoch ${term} commits up to a record of epoch ${epoch}`);
        }
      },
    };
  },
};
