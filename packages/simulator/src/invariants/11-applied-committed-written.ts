/** Invariant 11: applied <= high watermark <= log end, flushed <= log end, and what passes for flushed is on the disk. */
import type { QuorumInvariant } from '../raft/quorum-observation.ts';

export const appliedCommittedWritten: QuorumInvariant = {
  number: 11,
  name: 'applied-committed-written',
  judge(model, violated) {
    return {
      stepped(member, { appliedOffset, highWatermark, flushedOffset, logEndOffset }) {
        const who = `controller ${member.id}`;
        if (appliedOffset > highWatermark) violated(`${who} applied ${appliedOffset} of ${highWatermark}`);
        if (highWatermark > logEndOffset) violated(`${who} commits ${highWatermark} of ${logEndOffset}`);
        if (flushedOffset > logEndOffset) violated(`${who} has flushed ${flushedOffset} of ${logEndOffset}`);
        const { lastIndex } = model.directory(member).durable;
        if (flushedOffset > lastIndex) {
          violated(`${who} takes ${flushedOffset} for flushed, its disk holds ${lastIndex}`);
        }
      },
    };
  },
};
