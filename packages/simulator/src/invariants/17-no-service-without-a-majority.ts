/** Invariant 17: a leader that a majority has not answered within the check-quorum time serves nothing, and leads no more. */
import type { NodeId } from '@millrace/core';
import type { Member, QuorumInvariant } from '../raft/quorum-observation.ts';

/** Answers count when they arrive; the leader looks at its clock when something happens. */
const SLACK_MS = 200;
/** Between looks at a leader that is asked nothing. */
const LOOK_MS = 100;

/** Whoever has just begun to lead, or to vote, had no time to answer yet. */
interface Reign {
  readonly term: number;
  readonly voters: string;
  readonly sinceMs: number;
  lookedMs: number;
}

export function noServiceWithoutAMajority(checkQuorumMs: number): QuorumInvariant {
  return {
    number: 17,
    name: 'no-service-without-a-majority',
    judge(_model, violated) {
      const heard = new Map<Member, Map<string, number>>();
      const reigns = new Map<Member, Reign>();
      const hasMajority = (member: Member): boolean => {
        const voters = member.voters();
        const times = heard.get(member);
        const since = member.nowMs() - checkQuorumMs - SLACK_MS;
        const present = voters.filter(
          ({ directoryId }) =>
            directoryId === member.directoryId ||
            (times?.get(directoryId) ?? Number.NEGATIVE_INFINITY) >= since,
        );
        return present.length * 2 > voters.length;
      };
      return {
        received(member, _from: NodeId, message) {
          const times = heard.get(member) ?? new Map<string, number>();
          heard.set(member, times.set(message.directoryId, member.nowMs()));
        },
        served(member) {
          if (!hasMajority(member)) violated(`controller ${member.id} serves without a majority`);
        },
        stepped(member, { role, term }) {
          const known = reigns.get(member);
          if (role !== 'leader') {
            if (known !== undefined) reigns.delete(member);
            return;
          }
          const nowMs = member.nowMs();
          if (known?.term === term && nowMs - known.lookedMs < LOOK_MS) return;
          const voters = member
            .voters()
            .map(({ directoryId }) => directoryId)
            .join();
          const isSame = known?.term === term && known.voters === voters;
          const reign = isSame ? known : { term, voters, sinceMs: nowMs, lookedMs: nowMs };
          reign.lookedMs = nowMs;
          reigns.set(member, reign);
          if (nowMs - reign.sinceMs > checkQuorumMs + SLACK_MS && !hasMajority(member)) {
            violated(`controller ${member.id} leads on without a majority`);
          }
        },
      };
    },
  };
}
