/** What must be true of any three voters at any time, by the numbers of reliability.md section 5. Pure. */
import type { Ledger } from './ledger.ts';
import type { LocalState } from './local-states.ts';

/** @returns what is violated. */
export function violationAmong(voters: readonly LocalState[], ledger: Ledger): string | undefined {
  return (
    logsMatch(voters) ?? leaderHoldsAllCommitted(voters, ledger) ?? committedIsOnAMajority(voters, ledger)
  );
}

/** Invariants 6 and 7: two logs that agree on the epoch of an entry agree on it and on everything before it. */
function logsMatch(voters: readonly LocalState[]): string | undefined {
  for (const one of voters) {
    for (const other of voters) {
      if (one.voter >= other.voter) continue;
      const from = lastSharedEpoch(one, other);
      for (let i = from; i >= 0; i--) {
        if (one.log[i] !== other.log[i])
          return `invariant 7: nodes ${one.voter} and ${other.voter} agree on the epoch of index ${from + 1} and not on index ${i + 1}`;
      }
    }
  }
  return undefined;
}

/** Counted from 0; -1 if there is none. */
function lastSharedEpoch(one: LocalState, other: LocalState): number {
  let i = Math.min(one.logTerms.length, other.logTerms.length) - 1;
  while (i >= 0 && one.logTerms[i] !== other.logTerms[i]) i--;
  return i;
}

/** Invariant 8: the leader of the newest epoch holds every committed record. */
function leaderHoldsAllCommitted(
  voters: readonly LocalState[],
  { leaders, committed }: Ledger,
): string | undefined {
  const newest = leaders.length - 1;
  const leader = voters.find(({ status }) => status.role === 'leader' && status.term === newest);
  if (leader === undefined || holds(leader.log, committed)) return undefined;
  return `invariant 8: node ${leader.voter} leads epoch ${newest} without all that is committed`;
}

/** Invariants 5 and 9: what is committed is on the disks of a majority, and stays there. */
function committedIsOnAMajority(voters: readonly LocalState[], { committed }: Ledger): string | undefined {
  const holders = voters.filter(({ durableLog }) => holds(durableLog, committed)).length;
  if (holders * 2 > voters.length) return undefined;
  return `invariant 5: what is committed up to index ${committed.length} is on ${holders} of ${voters.length} disks`;
}

function holds(log: readonly string[], committed: readonly string[]): boolean {
  return committed.every((entry, i) => log[i] === entry);
}
