/** Invariant 2: at most one vote per directory and epoch, also across restarts, whether it is sent or only written down. */
import type { Member, QuorumInvariant } from '../raft/quorum-observation.ts';

export const oneVotePerEpoch: QuorumInvariant = {
  number: 2,
  name: 'one-vote-per-epoch',
  judge(_model, violated) {
    const votes = new Map<string, number>();
    const vote = ({ id, directoryId }: Member, term: number, candidate: number): void => {
      const key = `${directoryId} ${term}`;
      const earlier = votes.get(key);
      if (earlier === undefined) votes.set(key, candidate);
      else if (earlier !== candidate) {
        violated(`controller ${id} votes for ${earlier} and for ${candidate} in epoch ${term}`);
      }
    };
    return {
      sent(member, to, message) {
        const isVote = message.kind === 'voteResponse' && message.granted;
        // A candidate's request says that it voted for itself.
        if (isVote || message.kind === 'voteRequest') vote(member, message.term, isVote ? to : member.id);
      },
      durable(member, { hardState }) {
        if (hardState?.votedFor !== undefined) vote(member, hardState.term, hardState.votedFor.id);
      },
    };
  },
};
