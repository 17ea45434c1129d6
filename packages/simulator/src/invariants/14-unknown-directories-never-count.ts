/** Invariant 14: only directories of the voter set make a leader; the same node with another disk does not. */
import type { Member, QuorumInvariant } from '../raft/quorum-observation.ts';

export const unknownDirectoriesNeverCount: QuorumInvariant = {
  number: 14,
  name: 'unknown-directories-never-count',
  judge(model, violated) {
    const granted = new Map<string, Set<string>>();
    /** The epoch that a life led last. */
    const led = new Map<Member, number>();
    return {
      received(member, _from, message) {
        if (message.kind !== 'voteResponse' || !message.granted) return;
        const key = `${member.directoryId} ${message.term}`;
        const voters = granted.get(key) ?? new Set<string>();
        granted.set(key, voters.add(message.directoryId));
      },
      stepped(member, { role, term }) {
        if (role !== 'leader' || led.get(member) === term) return;
        led.set(member, term);
        const key = `${member.directoryId} ${term}`;
        const { voters } = model.directory(member).asked;
        const votes = voters.filter(
          ({ directoryId }) => directoryId === member.directoryId || granted.get(key)?.has(directoryId),
        );
        if (votes.length * 2 <= voters.length) {
          violated(
            `controller ${member.id} leads epoch ${term} with ${votes.length} of ${voters.length} votes`,
          );
        }
      },
    };
  },
};
