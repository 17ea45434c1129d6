/** Guards of the metadata quorum that can be taken out (reliability.md section 2). Each must be missed by a seed of the raft world. */
import type { Mutant } from './mutant.ts';

type Guard = Omit<Mutant, 'world'>;

const GUARDS: readonly Guard[] = [
  {
    name: 'vote-again-in-a-term',
    rule: 'Q5',
    module: 'raft/src/election.ts',
    guard: 'return (isFree || votedForIt) && state.log.isAtMost(message.lastIndex, message.lastTerm);',
    replacement: 'return state.log.isAtMost(message.lastIndex, message.lastTerm);',
  },
  {
    name: 'vote-for-an-older-log',
    rule: 'Q5',
    module: 'raft/src/election.ts',
    guard: 'return (isFree || votedForIt) && state.log.isAtMost(message.lastIndex, message.lastTerm);',
    replacement: 'return isFree || votedForIt;',
  },
  {
    name: 'vote-leaves-before-it-is-durable',
    rule: 'Q2',
    module: 'raft/src/election.ts',
    guard: "send(state, from, { kind: 'voteResponse', granted }, state.hardPersistId);",
    replacement: "send(state, from, { kind: 'voteResponse', granted }, 0);",
  },
  {
    name: 'candidate-asks-before-its-vote-is-durable',
    rule: 'Q2',
    module: 'raft/src/roles.ts',
    guard: 'lastTerm, transfer }, state.selfVotePersistId);',
    replacement: 'lastTerm, transfer }, 0);',
  },
  {
    name: 'no-pre-vote',
    rule: 'Q7',
    module: 'raft/src/election.ts',
    guard: '  becomePreCandidate(state);\n',
    replacement: '  becomeCandidate(state, false);\n',
  },
  {
    name: 'pre-vote-raises-the-epoch',
    rule: 'Q7',
    module: 'raft/src/roles.ts',
    guard: "  state.role = 'preCandidate';\n",
    replacement:
      "  persistHard(state, { term: state.hard.term + 1, votedFor: undefined });\n  state.role = 'preCandidate';\n",
  },
  {
    name: 'no-stickiness',
    rule: 'Q9',
    module: 'raft/src/election.ts',
    guard: 'return state.nowMs - state.leaderContactMs < state.config.fetchTimeoutMs;',
    replacement: 'return false;',
  },
  {
    name: 'no-check-quorum',
    rule: 'Q11',
    module: 'raft/src/leading.ts',
    guard: "if (state.role !== 'leader' || state.nowMs < checkQuorumDueMs(state)) return;",
    replacement: 'return;',
  },
  {
    name: 'restarted-leader-stands-in-its-old-epoch',
    rule: 'Q4',
    module: 'raft/src/roles.ts',
    guard: 'term: state.hard.term + 1, votedFor: selfKey(state) });',
    replacement:
      'term: state.hard.votedFor?.directoryId === state.directoryId && state.lastLedTerm < state.hard.term ? state.hard.term : state.hard.term + 1, votedFor: selfKey(state) });',
  },
  {
    name: 'previous-entry-not-checked',
    rule: 'Q13',
    module: 'raft/src/following.ts',
    guard: 'if (state.log.termAt(message.prevIndex) !== message.prevTerm) {',
    replacement: 'if (message.prevIndex > state.log.lastIndex) {',
  },
  {
    name: 'truncate-without-a-conflict',
    rule: 'Q16',
    module: 'raft/src/following.ts',
    guard: 'const differs = entries.findIndex(({ index, term }) => state.log.termAt(index) !== term);',
    replacement: 'const differs = entries.length === 0 ? -1 : 0;',
  },
  {
    name: 'replaced-entries-stay-durable',
    rule: 'Q19',
    module: 'raft/src/following.ts',
    guard: '  forgetDurableAfter(state, first - 1);\n',
    replacement: '',
  },
  {
    name: 'acknowledge-before-it-is-durable',
    rule: 'Q18',
    module: 'raft/src/following.ts',
    guard: 'index, hintIndex: 0, hintTerm: 0 },\n    state.lastPersistId,',
    replacement: 'index, hintIndex: 0, hintTerm: 0 },\n    state.hardPersistId,',
  },
  {
    name: 'commit-beyond-what-was-checked',
    rule: 'Q24',
    module: 'raft/src/replication.ts',
    guard: 'const commitIndex = Math.min(match, state.commitIndex);',
    replacement: 'const commitIndex = state.commitIndex;',
  },
  {
    name: 'sends-do-not-wait-for-the-disk',
    rule: 'Q2 Q18',
    module: 'metadata-quorum/src/metadata-quorum.ts',
    guard: 'if (effect.after <= this.#durableId) this',
    replacement: 'if (true) this',
  },
  {
    name: 'goes-on-after-a-failed-sync',
    rule: 'Q25',
    module: 'metadata-quorum/src/quorum-writer.ts',
    guard: 'this.#failed = true;\n    this.#waiting = [];\n    this.#onFailure(error);',
    replacement: 'void error;',
  },
  {
    name: 'leader-counts-what-it-has-not-flushed',
    rule: 'Q19',
    module: 'raft/src/commit.ts',
    guard: 'reachedByVoters(state, state.durableIndex, 0,',
    replacement: 'reachedByVoters(state, state.log.lastIndex, 0,',
  },
  {
    name: 'commit-older-epochs-by-count',
    rule: 'Q21',
    module: 'raft/src/commit.ts',
    guard: `if (index <= state.commitIndex || state.log.termAt(index) !== state.hard.term) return false;
  invariant(index >= leadership.firstIndex, 'older terms commit through the own term', {
    index,
    firstIndex: leadership.firstIndex,
  });`,
    replacement: 'if (index <= state.commitIndex) return false;',
  },
  {
    name: 'commit-from-the-epoch-start-on',
    rule: 'Q21',
    module: 'raft/src/commit.ts',
    guard: `if (index <= state.commitIndex || state.log.termAt(index) !== state.hard.term) return false;
  invariant(index >= leadership.firstIndex, 'older terms commit through the own term', {
    index,
    firstIndex: leadership.firstIndex,
  });`,
    replacement: 'if (index <= state.commitIndex || index < leadership.firstIndex - 1) return false;',
  },
  {
    name: 'apply-before-commit',
    rule: 'Q24',
    module: 'raft/src/commit.ts',
    guard: 'const index = Math.min(state.commitIndex, state.durableIndex);',
    replacement: 'const index = state.durableIndex;',
  },
  {
    name: 'read-without-a-round',
    rule: 'Q27',
    module: 'raft/src/read-index.ts',
    guard: 'round: leadership.round + 1 });',
    replacement: 'round: 0 });',
  },
  {
    name: 'read-in-the-round-under-way',
    rule: 'Q28',
    module: 'raft/src/read-index.ts',
    guard: 'round: leadership.round + 1 });',
    replacement: 'round: leadership.round });',
  },
  {
    name: 'read-before-an-own-entry-is-committed',
    rule: 'Q22',
    module: 'raft/src/read-index.ts',
    guard: 'if (state.commitIndex < firstIndex) earlyReads.push(id);\n  else enqueueRead(state, id);',
    replacement: 'void firstIndex; void earlyReads;\n  enqueueRead(state, id);',
  },
  {
    name: 'snapshot-without-its-voters',
    rule: 'Q30',
    module: 'raft/src/following.ts',
    guard: '  state.voterSets.restart({ index, voters });\n',
    replacement: '  void voters;\n',
  },
  {
    name: 'snapshot-of-pieces-of-others',
    rule: 'Q31',
    module: 'raft/src/following.ts',
    guard: `  const isSame =
    incoming?.index === snapshotIndex && incoming.checksum === checksum && incoming.totalBytes === totalBytes;`,
    replacement: '  const isSame = incoming !== undefined && incoming.totalBytes === totalBytes;',
  },
  {
    name: 'voters-in-force-only-once-committed',
    rule: 'Q32',
    module: 'raft/src/raft-state.ts',
    guard: 'return state.voterSets.latest.voters;',
    replacement: 'return state.voterSets.at(state.commitIndex).voters;',
  },
  {
    name: 'two-changes-of-voters-at-once',
    rule: 'Q32',
    module: 'raft/src/membership.ts',
    guard: "if (state.voterSets.latest.index > state.commitIndex) return 'changeUnderWay';",
    replacement: '',
  },
  {
    name: 'change-of-voters-before-an-own-entry',
    rule: 'Q32',
    module: 'raft/src/leading.ts',
    guard: "if (state.commitIndex < state.leadership.firstIndex) return 'notReady';",
    replacement: '',
  },
  {
    name: 'truncated-voters-stay-in-force',
    rule: 'Q32',
    module: 'raft/src/following.ts',
    guard: '  state.voterSets.truncateFrom(first);\n',
    replacement: '',
  },
  {
    name: 'removed-leader-counts-itself',
    rule: 'Q33',
    module: 'raft/src/raft-state.ts',
    guard: 'return votersOf(state).map((voter) => {',
    replacement:
      'return (isVoter(state) ? votersOf(state) : [...votersOf(state), selfKey(state)]).map((voter) => {',
  },
  {
    name: 'removed-leader-stays',
    rule: 'Q33',
    module: 'raft/src/membership.ts',
    guard: 'if (isVoter(state) || latest.index > state.emittedIndex) return;',
    replacement: 'if (true) return;',
  },
  {
    name: 'joiner-need-not-catch-up',
    rule: 'Q33',
    module: 'raft/src/membership.ts',
    guard: "return isCaughtUp ? undefined : 'notCaughtUp';",
    replacement: 'void isCaughtUp; return undefined;',
  },
  {
    name: 'any-disk-of-a-node-acknowledges',
    rule: 'Q1',
    module: 'raft/src/raft-state.ts',
    guard: 'return progress?.directoryId === voter.directoryId ? reached(progress) : none;',
    replacement: 'return progress === undefined ? none : reached(progress);',
  },
  {
    name: 'voters-are-nodes-not-disks',
    rule: 'Q1',
    module: 'raft/src/voter-sets.ts',
    guard: 'return a.id === b.id && a.directoryId === b.directoryId;',
    replacement: 'return a.id === b.id;',
  },
];

export const RAFT_MUTANTS: readonly Mutant[] = GUARDS.map((guard) => ({ ...guard, world: 'raft' }));
