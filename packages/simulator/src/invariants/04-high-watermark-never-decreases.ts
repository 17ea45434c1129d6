/** Invariant 4: the high watermark that a member knows never decreases while it lives. */
import type { QuorumInvariant } from '../raft/quorum-observation.ts';

export const highWatermarkNeverDecreases: QuorumInvariant = {
  number: 4,
  name: 'high-watermark-never-decreases',
  judge(_model, violated) {
    const known = new Map<string, number>();
    return {
      stepped({ id, directoryId, life }, { highWatermark }) {
        const key = `${directoryId} ${life}`;
        const before = known.get(key) ?? 0;
        if (highWatermark < before)
          violated(`controller ${id} goes from watermark ${before} to ${highWatermark}`);
        if (highWatermark > before) known.set(key, highWatermark);
      },
    };
  },
};
