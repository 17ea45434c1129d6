/**
 * Guards of consumer groups that can be taken out: of their coordinators, of what drives them, and of members (reliability.md
 * 3.6). Each must be missed by a seed of the cluster world that has groups, or of the world of commits where what it guards
 * against is too rare otherwise.
 */
import type { Mutant } from './mutant.ts';

type Guard = Omit<Mutant, 'world'> & Partial<Pick<Mutant, 'world'>>;

const GUARDS: readonly Guard[] = [
  {
    name: 'group-answers-before-commit',
    rule: 'P26',
    module: 'broker/src/group-partition.ts',
    guard: '    turn.endedMs = this.#nowMs;\n',
    replacement:
      '    turn.endedMs = this.#nowMs;\n    for (const held of turn.takeAnswers()) this.#take(held.token)?.resolve(held.response);\n',
  },
  {
    name: 'group-answers-wait-for-any-commit',
    rule: 'P26',
    module: 'broker/src/group-partition.ts',
    guard: '      if (turn.endOffset > committed) break;\n',
    replacement: '',
  },
  {
    name: 'group-load-does-not-wait-for-the-watermark',
    rule: 'P28',
    module: 'broker/src/group-partition.ts',
    guard: '    await this.#committedUpTo(this.#endOffset);\n',
    replacement: '',
  },
  {
    name: 'group-forgets-a-failed-append',
    rule: 'P26',
    world: 'commits',
    module: 'broker/src/group-partition.ts',
    guard: `      this.#endOffset = lastOffset + 1;
    } catch (error) {
      this.#fail(toMillraceError(error));
    }`,
    replacement: `      this.#endOffset = lastOffset + 1;
    } catch (error) {
      void error;
    }`,
  },
  {
    name: 'group-coordinator-outlives-its-epoch',
    rule: 'P26',
    module: 'broker/src/group-coordinators.ts',
    guard: 'if (current !== undefined && current.leader === leader) return;',
    replacement: 'if (current !== undefined && leader !== undefined) return;',
  },
  {
    name: 'group-shows-what-has-not-committed',
    rule: 'P26',
    module: 'groups/src/offset-table.ts',
    guard: 'this.#find(groupId, topic, partition)?.committed;',
    replacement: 'this.#find(groupId, topic, partition)?.written;',
  },
  {
    name: 'group-forgets-offsets-when-it-loads',
    rule: 'P26',
    module: 'groups/src/offset-table.ts',
    guard: '    this.#write(cell, record.value);\n    cell.committed = record.value;\n',
    replacement: '    this.#write(cell, record.value);\n',
  },
  {
    name: 'group-takes-commits-of-strangers',
    rule: 'P27',
    module: 'groups/src/consumer-group.ts',
    guard: "    if (member === undefined) {\n      return { code: 'UNKNOWN_MEMBER_ID'",
    replacement:
      "    if (member === undefined) {\n      if (true) return undefined;\n      return { code: 'UNKNOWN_MEMBER_ID'",
  },
  {
    name: 'replaced-leader-judges-its-successor',
    rule: 'P19',
    module: 'broker/src/consumer-fetch.ts',
    guard: 'if (lastFetchedEpoch > partition.image.leaderEpoch) return',
    replacement: 'if (false) return',
  },
  {
    name: 'group-takes-commits-of-an-older-epoch',
    rule: 'P27',
    world: 'commits',
    module: 'groups/src/consumer-group.ts',
    guard: 'if (memberEpoch === epoch) return undefined;',
    replacement: 'if (memberEpoch >= epoch) return undefined;',
  },
  {
    name: 'partition-given-before-it-was-released',
    rule: 'KIP-848',
    module: 'groups/src/member-reconciliation.ts',
    guard: 'const free = filterSet(missing, goal.isFree);',
    replacement: 'const free = missing;',
  },
  {
    name: 'partition-taken-from-a-member-that-holds-it',
    rule: 'KIP-848',
    module: 'groups/src/member-reconciliation.ts',
    guard: `      return owned === undefined || intersects(owned, member.pendingRevocation)
        ? member
        : advance(member, goal);`,
    replacement: '      return advance(member, goal);',
  },
  {
    name: 'sessions-never-end',
    rule: 'KIP-848',
    module: 'groups/src/member-sessions.ts',
    guard: 'if (endsAtMs <= nowMs) due.push(memberId);',
    replacement: 'if (false) due.push(memberId);',
  },
  {
    name: 'sessions-end-at-once',
    rule: 'KIP-848',
    module: 'groups/src/member-sessions.ts',
    guard: 'session.expiresAtMs = nowMs + timeoutMs;',
    replacement: 'session.expiresAtMs = nowMs + timeoutMs / 50;',
  },
  {
    name: 'commit-sent-again-after-giving-up',
    rule: 'P27',
    world: 'commits',
    module: 'client/src/group/commit-state.ts',
    guard: ' || entry.givenUp !== undefined',
    replacement: '',
  },
];

export const GROUP_MUTANTS: readonly Mutant[] = GUARDS.map((guard) => ({ world: 'groups', ...guard }));
