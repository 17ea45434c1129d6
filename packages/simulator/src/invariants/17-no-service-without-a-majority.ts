/** Invariant 17: a leader that a majority has not answered within the check-quorum time serves nothing. */
import type { NodeId } from '@millrace/core';
import type { QuorumInvariant } from '../raft/quorum-observation.ts';

/** Answers count when they arrive; the leader looks at its clock when something happens. */
const SLACK_MS = 200;

export function noServiceWithoutAMajority(checkQuorumMs: number): QuorumInvariant {
  return {
    number: 17,
    name: 'no-service-without-a-majority',
    judge(_model, violated) {
      const heard = new Map<string, Map<string, number>>();
      return {
        received(member, _from: NodeId, message) {
          const key = `${member.directoryId} ${member.life}`;
          const times = heard.get(key) ?? new Map<string, number>();
          heard.set(key, times.set(message.directoryId, member.nowMs()));
        },
        served(member) {
          const voters = member.voters();
          const times = heard.get(`${member.directoryId} ${member.life}`);
          const since = member.nowMs() - checkQuorumMs - SLACK_MS;
          const present = voters.filter(
            ({ directoryId }) =>
              directoryId === member.directoryId ||
              (times?.get(directoryId) ?? Number.NEGATIVE_INFINITY) >= since,
          );
          if (present.length * 2 <= voters.length)
            violated(`controller ${member.id} serves without a majority`);
        },
      };
    },
  };
}
