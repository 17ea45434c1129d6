/** Invariant 5: what is committed is on the disks of a majority of the voters in force. */
import type { Voter } from '@millrace/raft';
import type { QuorumModel } from '../raft/quorum-model.ts';
import type { Member, QuorumInvariant } from '../raft/quorum-observation.ts';

function isDurableOnMajority(
  model: QuorumModel,
  voters: readonly Voter[],
  index: number,
  term: number,
): boolean {
  const holders = voters.filter(({ directoryId }) =>
    model.directories.get(directoryId)?.durable.holds(index, term),
  );
  return holders.length * 2 > voters.length;
}

export const committedIsDurableOnAMajority: QuorumInvariant = {
  number: 5,
  name: 'committed-is-durable-on-a-majority',
  judge(model, violated) {
    const counted = new Map<Member, number>();
    return {
      stepped(member, { role, highWatermark, logEndOffset }) {
        if (highWatermark <= (counted.get(member) ?? 0)) return;
        counted.set(member, highWatermark);
        if (role !== 'leader') return;
        const { asked } = model.directory(member);
        const term = asked.termAt(highWatermark);
        if (term === undefined) return;
        // A set that is not on its way to the disk yet is known from the leader alone.
        const voters = asked.lastIndex < logEndOffset ? member.voters() : asked.voters;
        if (!isDurableOnMajority(model, voters, highWatermark, term)) {
          violated(`leader ${member.id} commits up to ${highWatermark} without a durable majority`);
        }
      },
      applied(member, records) {
        const last = records.at(-1);
        if (last === undefined || last.offset < model.committed.length) return;
        const index = last.offset + 1;
        // A follower may apply first, and know another voter set than the leader that counted.
        const views = [member.voters(), ...[...model.members].map((other) => other.voters())];
        if (!views.some((voters) => isDurableOnMajority(model, voters, index, last.term))) {
          violated(`offset ${last.offset} of epoch ${last.term} is committed without a durable majority`);
        }
      },
    };
  },
};
