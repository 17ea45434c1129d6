/** Invariant 12: no message leaves before the write that it depends on is durable. */
import type { QuorumInvariant } from '../raft/quorum-observation.ts';

export const nothingLeavesBeforeItIsDurable: QuorumInvariant = {
  number: 12,
  name: 'nothing-leaves-before-it-is-durable',
  judge(model, violated) {
    return {
      sent(member, to, message) {
        const { durable } = model.directory(member);
        const { term, votedFor } = durable.hardState;
        const who = `controller ${member.id}`;
        if (message.term > term) violated(`${who} speaks of epoch ${message.term} with ${term} on disk`);
        // A disk that is an epoch ahead already rules out any other vote in this one.
        if (message.kind === 'voteRequest' && message.term === term && votedFor?.id !== member.id) {
          violated(`${who} asks for votes in epoch ${message.term} without its own on disk`);
        }
        if (
          message.kind === 'voteResponse' &&
          message.granted &&
          message.term === term &&
          votedFor?.id !== to
        ) {
          violated(`${who} grants a vote to ${to} that is not on disk`);
        }
        if (message.kind === 'appendResponse' && message.accepted && message.index > durable.lastIndex) {
          violated(`${who} acknowledges up to ${message.index} with ${durable.lastIndex} on disk`);
        }
      },
    };
  },
};
