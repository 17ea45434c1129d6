/**
 * Guards of the classic protocol's coordinator that can be taken out: who may speak for a member, and what a round waits
 * for. Each must be missed by a seed of the world of commits that has classic members.
 */
import type { Mutant } from './mutant.ts';

const GUARDS: readonly Omit<Mutant, 'world'>[] = [
  {
    name: 'classic-commits-of-an-older-generation',
    rule: 'P27',
    module: 'groups/src/classic-group.ts',
    guard: 'const isCurrent = generationId === generation ||',
    replacement: 'const isCurrent = generationId <= generation ||',
  },
  {
    name: 'classic-commits-of-strangers',
    rule: 'P27',
    module: 'groups/src/classic-group.ts',
    guard: `    if ('code' in claimed) return claimed;
    if (state === 'CompletingRebalance')`,
    replacement: `    if ('code' in claimed) return claimed.code === 'UNKNOWN_MEMBER_ID' ? undefined : claimed;
    if (state === 'CompletingRebalance')`,
  },
  {
    name: 'classic-instance-is-not-fenced',
    rule: 'KIP-345',
    module: 'groups/src/classic-group.ts',
    guard: 'if (ofInstance !== undefined && ofInstance.memberId !== memberId)',
    replacement: 'if (false)',
  },
  {
    name: 'classic-round-does-not-wait-for-members',
    rule: 'KIP-62',
    module: 'groups/src/classic-rebalance.ts',
    guard: 'if (this.roster.isComplete) this.#completeJoin(nowMs, out);',
    replacement: 'if (this.roster.joinsWaiting > 0) this.#completeJoin(nowMs, out);',
  },
  {
    name: 'group-that-moves-forgets-what-members-hold',
    rule: 'KIP-848',
    module: 'groups/src/classic-members.ts',
    guard: 'const assignment = { ...UNASSIGNED, memberEpoch: epoch, previousMemberEpoch: epoch, assigned };',
    replacement:
      'const assignment = { ...UNASSIGNED, memberEpoch: epoch, previousMemberEpoch: epoch, assigned: partitionSetOf([]) };',
  },
];

export const CLASSIC_MUTANTS: readonly Mutant[] = GUARDS.map((guard) => ({ world: 'classic', ...guard }));
