/** Invariant 4: the high watermark that a member knows never decreases while it lives. */
import type { Member, QuorumInvariant } from '../raft/quorum-observation.ts';

export const highWatermarkNeverDecreases: QuorumInvariant = {
  number: 4,
  name: 'high-watermark-never-decreases',
  judge(_model, violated) {
    const known = new Map<Member, number>();
    return {
      stepped(member, { highWatermark }) {
        const before = known.get(member) ?? 0;
        if (highWatermark < before)
          violated(`controller ${member.id} goes from watermark ${before} to ${highWatermark}`);
        if (highWatermark > before) known.set(member, highWatermark);
      },
    };
  },
};
