/**
 * Invariant 20, as Q7 and Q9 need it: an epoch is begun only by who has a majority's pre-votes, or was asked by the leader;
 * nobody else raises it, and nobody who hears the leader gives a pre-vote.
 */
import type { Member, QuorumInvariant } from '../raft/quorum-observation.ts';

/** What one life has heard. */
interface Ear {
  /** Of any message but pre-vote requests, which raise nothing. */
  term: number;
  /** Directories that gave a pre-vote since the last candidacy. */
  readonly grants: Set<string>;
  /** In which the leader asked it to stand. */
  calledIn: number;
  contact: { readonly term: number; readonly atMs: number } | undefined;
  /** Whose pre-vote request is being answered although a leader is heard. */
  isHearing: number | undefined;
}

export function anEpochBeginsWithAMajority(fetchTimeoutMs: number): QuorumInvariant {
  return {
    number: 20,
    name: 'an-epoch-begins-with-a-majority',
    judge(model, violated) {
      const ears = new Map<Member, Ear>();
      let hearing: Ear | undefined;
      const earOf = (member: Member): Ear => {
        const known = ears.get(member);
        if (known !== undefined) return known;
        const ear = {
          term: 0,
          grants: new Set<string>(),
          calledIn: -1,
          contact: undefined,
          isHearing: undefined,
        };
        ears.set(member, ear);
        return ear;
      };
      const hasMajority = (member: Member, grants: ReadonlySet<string>): boolean =>
        [member.voters(), model.directory(member).asked.voters].some((voters) => {
          const given = voters.filter(
            ({ directoryId }) => directoryId === member.directoryId || grants.has(directoryId),
          );
          return given.length * 2 > voters.length;
        });
      return {
        loaded(member, { hardState, entries, logStart }) {
          earOf(member).term = Math.max(hardState.term, entries.at(-1)?.term ?? logStart.term);
        },
        received(member, from, message) {
          const ear = earOf(member);
          const { kind, term, directoryId } = message;
          if (kind === 'preVoteRequest') {
            const { contact } = ear;
            const isHeard = contact !== undefined && member.nowMs() - contact.atMs < fetchTimeoutMs;
            ear.isHearing = isHeard ? from : undefined;
            hearing = ear;
            return;
          }
          ear.term = Math.max(ear.term, term);
          if (kind === 'preVoteResponse' && message.granted) ear.grants.add(directoryId);
          else if (kind === 'timeoutNow') ear.calledIn = term;
          else if (kind === 'append' || kind === 'heartbeat' || kind === 'snapshotChunk') {
            if (term === ear.term) ear.contact = { term, atMs: member.nowMs() };
          }
        },
        sent(member, to, message) {
          if (message.kind !== 'preVoteResponse' || !message.granted) return;
          const { isHearing, contact } = earOf(member);
          // Who is in another epoch, or blank, did not take it for its leader.
          if (isHearing === to && contact?.term === message.term) {
            violated(`controller ${member.id} gives ${to} a pre-vote although it hears a leader`);
          }
        },
        asked(member, { hardState }) {
          const ear = earOf(member);
          if (hardState === undefined || hardState.term <= ear.term) return;
          const { term, votedFor } = hardState;
          const who = `controller ${member.id}`;
          if (votedFor?.directoryId !== member.directoryId) {
            violated(`${who} raises the epoch to ${term} by itself`);
          }
          if (ear.calledIn !== term - 1 && !hasMajority(member, ear.grants)) {
            violated(`${who} stands in epoch ${term} without a majority of pre-votes`);
          }
          ear.term = term;
          ear.grants.clear();
        },
        stepped() {
          if (hearing !== undefined) hearing.isHearing = undefined;
          hearing = undefined;
        },
      };
    },
  };
}
