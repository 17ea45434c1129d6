/**
 * Invariant 13, as Q32 and Q33 need it: a leader changes voters only once a record of its own epoch is committed, adds nobody
 * who has not caught up, and leads no more once its own removal is decided.
 */
import type { Voter } from '@millrace/raft';
import type { Member, QuorumInvariant } from '../raft/quorum-observation.ts';

interface Reign {
  readonly term: number;
  /** Of its first record. */
  readonly firstIndex: number;
  voters: readonly Voter[];
  /** Where the log ended, and how far it was applied, when this was looked at last. */
  endOffset: number;
  appliedOffset: number;
  /** The watermark as it was now and then, oldest first: caught up is who holds what was committed lately. */
  readonly marks: { readonly atMs: number; readonly highWatermark: number }[];
}

/** Of simulated quorums, with room for clocks that drift. */
const CAUGHT_UP_WITHIN_MS = 700;
const MARK_EVERY_MS = 100;

function committedLately({ marks }: Reign, nowMs: number): number {
  const old = marks.findLast(({ atMs }) => nowMs - atMs >= CAUGHT_UP_WITHIN_MS);
  return (old ?? marks[0]!).highWatermark;
}

function namesOf(voters: readonly Voter[]): string {
  return voters.map(({ directoryId }) => directoryId).join();
}

export const votersChangeInOrder: QuorumInvariant = {
  number: 13,
  name: 'voters-change-in-order',
  judge(model, violated) {
    const reigns = new Map<Member, Reign>();
    return {
      stepped(member, { role, term, highWatermark, appliedOffset, logEndOffset }) {
        const reign = reigns.get(member);
        if (role !== 'leader') {
          if (reign !== undefined) reigns.delete(member);
          return;
        }
        const mark = { atMs: member.nowMs(), highWatermark };
        if (reign?.term !== term) {
          const voters = member.voters();
          reigns.set(member, {
            term,
            firstIndex: logEndOffset,
            voters,
            endOffset: logEndOffset,
            appliedOffset,
            marks: [mark],
          });
          return;
        }
        if (mark.atMs - reign.marks.at(-1)!.atMs >= MARK_EVERY_MS) {
          reign.marks.push(mark);
          if (reign.marks.length * MARK_EVERY_MS > 2 * CAUGHT_UP_WITHIN_MS) reign.marks.shift();
        }
        if (logEndOffset === reign.endOffset && appliedOffset === reign.appliedOffset) return;
        reign.endOffset = logEndOffset;
        reign.appliedOffset = appliedOffset;
        const voters = member.voters();
        const { asked } = model.directory(member);
        const isVoter = asked.voters.some(({ directoryId }) => directoryId === member.directoryId);
        if (!isVoter && asked.votersIndex <= appliedOffset) {
          violated(`controller ${member.id} leads on although its removal is decided`);
        }
        if (namesOf(voters) === namesOf(reign.voters)) return;
        if (highWatermark < reign.firstIndex) {
          violated(`leader ${member.id} changes voters before it has committed a record of epoch ${term}`);
        }
        const joiner = voters.find(
          ({ directoryId }) => !reign.voters.some((known) => known.directoryId === directoryId),
        );
        reign.voters = voters;
        if (joiner === undefined) return;
        const held = model.directories.get(joiner.directoryId)?.durable.lastIndex ?? 0;
        if (held < committedLately(reign, mark.atMs)) {
          violated(`leader ${member.id} adds ${joiner.id}, which holds ${held} of ${highWatermark} records`);
        }
      },
    };
  },
};
