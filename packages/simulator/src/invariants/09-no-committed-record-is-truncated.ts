/** Invariant 9: no truncation takes away what is committed. */
import type { QuorumInvariant } from '../raft/quorum-observation.ts';

export const noCommittedRecordIsTruncated: QuorumInvariant = {
  number: 9,
  name: 'no-committed-record-is-truncated',
  judge(model, violated) {
    return {
      asked(member, { truncateFrom, entries = [] }) {
        if (truncateFrom === undefined || truncateFrom > model.committed.length) return;
        const { asked } = model.directory(member);
        const end = Math.min(asked.lastIndex, model.committed.length);
        for (let index = truncateFrom; index <= end; index++) {
          const { term } = model.committed[index - 1]!;
          const isPutBack = entries.some((entry) => entry.index === index && entry.term === term);
          if (asked.at(index)?.term === term && !isPutBack) {
            violated(`controller ${member.id} cuts committed offset ${index - 1} of epoch ${term}`);
          }
        }
      },
    };
  },
};
