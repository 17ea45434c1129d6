/** Invariant 11: applied <= high watermark <= log end. */
import type { QuorumInvariant } from '../raft/quorum-observation.ts';

export const appliedCommittedWritten: QuorumInvariant = {
  number: 11,
  name: 'applied-committed-written',
  judge(_model, violated) {
    return {
      stepped({ id }, { appliedOffset, highWatermark, logEndOffset }) {
        if (appliedOffset > highWatermark)
          violated(`controller ${id} applied ${appliedOffset} of ${highWatermark}`);
        if (highWatermark > logEndOffset)
          violated(`controller ${id} commits ${highWatermark} of ${logEndOffset}`);
      },
    };
  },
};
