/** Every guard that can be taken out, by world. A rule of the replication protocol without a mutant is a rule untested. */
import type { Mutant } from './mutant.ts';

const RAFT_MUTANTS: readonly Mutant[] = [
  {
    name: 'vote-again-in-a-term',
    rule: 'Q5',
    world: 'raft',
    module: 'raft/src/election.ts',
    guard: 'return (isFree || votedForIt) && state.log.isAtMost(message.lastIndex, message.lastTerm);',
    replacement: 'return state.log.isAtMost(message.lastIndex, message.lastTerm);',
  },
  {
    name: 'vote-for-an-older-log',
    rule: 'Q5',
    world: 'raft',
    module: 'raft/src/election.ts',
    guard: 'return (isFree || votedForIt) && state.log.isAtMost(message.lastIndex, message.lastTerm);',
    replacement: 'return isFree || votedForIt;',
  },
];

export const MUTANTS: readonly Mutant[] = [...RAFT_MUTANTS];
