/** Invariant 2: at most one vote per directory and epoch, also across restarts. */
import type { QuorumInvariant } from '../raft/quorum-observation.ts';

export const oneVotePerEpoch: QuorumInvariant = {
  number: 2,
  name: 'one-vote-per-epoch',
  judge(_model, violated) {
    const votes = new Map<string, number>();
    return {
      sent({ id, directoryId }, to, message) {
        const isVote = message.kind === 'voteResponse' && message.granted;
        // A candidate's request says that it voted for itself.
        if (!isVote && message.kind !== 'voteRequest') return;
        const candidate = isVote ? to : id;
        const key = `${directoryId} ${message.term}`;
        const earlier = votes.get(key);
        if (earlier === undefined) votes.set(key, candidate);
        else if (earlier !== candidate) {
          violated(`controller ${id} votes for ${earlier} and for ${candidate} in epoch ${message.term}`);
        }
      },
    };
  },
};
