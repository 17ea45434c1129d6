/** Invariant 10: a leader's watermark passes records of older epochs only together with one of its own. */
import type { QuorumInvariant } from '../raft/quorum-observation.ts';

export const olderEpochsCommitWithAnOwnRecord: QuorumInvariant = {
  number: 10,
  name: 'older-epochs-commit-with-an-own-record',
  judge(model, violated) {
    /** What the leader's watermark was when it took over. */
    const start = new Map<string, number>();
    return {
      stepped(member, { role, term, highWatermark }) {
        if (role !== 'leader') return;
        const key = `${member.directoryId} ${term}`;
        const before = start.get(key);
        if (before === undefined || highWatermark <= before) {
          start.set(key, highWatermark);
          return;
        }
        const epoch = model.directory(member).asked.termAt(highWatermark);
        if (epoch !== undefined && epoch !== term) {
          violated(`leader ${member.id} of epoch ${term} commits up to a record of epoch ${epoch}`);
        }
      },
    };
  },
};
