/** Invariant 18, as Q27 and Q28 need it: a read is served after a majority answered a heartbeat that was sent after the read began. */
import type { Voter } from '@millrace/raft';
import type { Member, QuorumInvariant } from '../raft/quorum-observation.ts';

interface Round {
  readonly term: number;
  readonly round: number;
}

const NONE: Round = { term: 0, round: 0 };

export const readsFollowARoundOfTheirOwn: QuorumInvariant = {
  number: 18,
  name: 'reads-follow-a-round-of-their-own',
  judge(_model, violated) {
    const sent = new Map<Member, Round>();
    const answered = new Map<Member, Map<string, Round>>();
    /** With the voters of that moment: those at the end may be others, who were not asked. */
    const begun = new Map<object, Round & { readonly voters: readonly Voter[] }>();
    return {
      sent(member, _to, message) {
        if (message.kind === 'heartbeat') sent.set(member, { term: message.term, round: message.round });
      },
      received(member, _from, message) {
        if (message.kind !== 'heartbeatResponse') return;
        const { term, round, directoryId } = message;
        const rounds = answered.get(member) ?? new Map<string, Round>();
        answered.set(member, rounds);
        const known = rounds.get(directoryId) ?? NONE;
        if (term > known.term || (term === known.term && round > known.round)) {
          rounds.set(directoryId, { term, round });
        }
      },
      readBegan(member, read) {
        begun.set(read, { ...(sent.get(member) ?? NONE), voters: member.voters() });
      },
      readServed(member, read) {
        const before = begun.get(read)!;
        begun.delete(read);
        const rounds = answered.get(member);
        const isConfirmed = [before.voters, member.voters()].some((voters) => {
          const confirming = voters.filter(({ directoryId }) => {
            if (directoryId === member.directoryId) return true;
            const { term, round } = rounds?.get(directoryId) ?? NONE;
            return term > before.term || (term === before.term && round > before.round);
          });
          return confirming.length * 2 > voters.length;
        });
        if (!isConfirmed) {
          violated(`controller ${member.id} serves a read that no majority has confirmed since it began`);
        }
      },
    };
  },
};
