/** Arithmetic of majorities. Knows nothing of terms, logs or nodes. */
import { invariant } from '@millrace/core';

export function majorityOf(voters: number): number {
  invariant(voters > 0, 'a quorum needs voters');
  return Math.floor(voters / 2) + 1;
}

/** The largest number that a majority has reached, given what each voter has reached. */
export function reachedByMajority(reached: readonly number[]): number {
  const descending = [...reached].sort((a, b) => b - a);
  const result = descending[majorityOf(reached.length) - 1];
  invariant(result !== undefined, 'a majority is never more than all');
  return result;
}

export type VoteResult = 'won' | 'lost' | 'pending';

/** `lost` once too many refused for a majority to be left. */
export function countVotes(voters: number, granted: number, refused: number): VoteResult {
  invariant(granted + refused <= voters, 'each voter votes once', { voters, granted, refused });
  if (granted >= majorityOf(voters)) return 'won';
  return voters - refused < majorityOf(voters) ? 'lost' : 'pending';
}
