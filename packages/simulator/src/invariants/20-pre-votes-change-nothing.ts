/** Invariant 20: asking for and answering pre-votes changes no persistent state. */
import type { QuorumInvariant } from '../raft/quorum-observation.ts';

export const preVotesChangeNothing: QuorumInvariant = {
  number: 20,
  name: 'pre-votes-change-nothing',
  judge(model, violated) {
    let asker: string | undefined;
    return {
      received({ directoryId }, _from, { kind }) {
        if (kind === 'preVoteRequest') asker = directoryId;
      },
      asked(member, { hardState }) {
        if (asker !== member.directoryId || hardState === undefined) return;
        const { term, votedFor } = model.directory(member).asked.hardState;
        if (hardState.term !== term || hardState.votedFor?.directoryId !== votedFor?.directoryId) {
          violated(`controller ${member.id} writes epoch or vote because of a pre-vote`);
        }
      },
      stepped() {
        asker = undefined;
      },
    };
  },
};
