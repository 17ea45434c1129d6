/** Arithmetic of majorities. Knows nothing of terms, logs or nodes. */
import { invariant } from '@millrace/core';

export function majorityOf(voters: number): number {
  invariant(voters > 0, 'a quorum needs voters');
  return Math.floor(voters / 2) + 1;
}

/** The largest number that a majority has reached, given what each voter has reached. */
export function reachedByMajority(reached: readonly number[]): number {
  const needed = majorityOf(reached.length);
  let result: number | undefined;
  // A handful of voters, asked for after every event: comparing each with each is quicker than sorting.
  for (const candidate of reached) {
    if (result !== undefined && candidate <= result) continue;
    let holders = 0;
    for (const other of reached) if (other >= candidate) holders += 1;
    if (holders >= needed) result = candidate;
  }
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
