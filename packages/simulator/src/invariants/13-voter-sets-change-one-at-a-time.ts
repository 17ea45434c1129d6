/** Invariant 13: at most one voter set is uncommitted, and consecutive sets differ by one voter, so majorities intersect. */
import { decodeVoters, sameVoter, type Voter } from '@millrace/raft';
import type { QuorumInvariant } from '../raft/quorum-observation.ts';

function difference(a: readonly Voter[], b: readonly Voter[]): number {
  const missing = (from: readonly Voter[], of: readonly Voter[]): number =>
    of.filter((voter) => !from.some((other) => sameVoter(voter, other))).length;
  return missing(a, b) + missing(b, a);
}

export const voterSetsChangeOneAtATime: QuorumInvariant = {
  number: 13,
  name: 'voter-sets-change-one-at-a-time',
  judge(model, violated) {
    // A leader knows what is committed before anybody applies it.
    let highWatermark = 0;
    return {
      stepped(_member, position) {
        highWatermark = Math.max(highWatermark, position.highWatermark);
      },
      asked(member, { installSnapshot, truncateFrom, entries = [] }) {
        if (!entries.some(({ kind }) => kind === 'voters')) return;
        const { asked } = model.directory(member);
        const sets: { readonly index: number; readonly voters: readonly Voter[] }[] = [];
        const first = installSnapshot ? installSnapshot.index + 1 : asked.startIndex + 1;
        const end = installSnapshot
          ? first - 1
          : Math.min(asked.lastIndex, (truncateFrom ?? Number.POSITIVE_INFINITY) - 1);
        for (let index = first; index <= end; index++) {
          const voters = asked.at(index)?.voters;
          if (voters !== undefined) sets.push({ index, voters });
        }
        for (const { index, kind, data } of entries) {
          const voters = kind === 'voters' ? decodeVoters(data) : undefined;
          if (voters !== undefined) sets.push({ index, voters });
        }
        for (const [i, { voters, index }] of sets.entries()) {
          const before = sets[i - 1]?.voters;
          if (before !== undefined && difference(before, voters) !== 1) {
            violated(
              `the voters at index ${index} differ by ${difference(before, voters)} from those before`,
            );
          }
        }
        const committed = Math.max(highWatermark, member.highWatermark());
        const open = sets.filter(({ index }) => index > committed);
        if (open.length > 1) violated(`${open.length} voter sets are uncommitted on controller ${member.id}`);
      },
    };
  },
};
