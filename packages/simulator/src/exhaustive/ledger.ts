/** What happened on the way to a state and must not be forgotten: who led, who voted for whom, what was committed. Immutable; each content once. */
import type { LocalState, Vote } from './local-states.ts';
import { type Digests, digestsOf, RENAMINGS, type Renaming } from './renaming.ts';

export interface Ledger {
  readonly number: number;
  /** By epoch; 0 for nobody yet. */
  readonly leaders: readonly number[];
  /** By voter: the last vote that left it, unless its disk has left that epoch behind: then no vote of that epoch may follow. */
  readonly votes: readonly Vote[];
  /** The one log that everybody will agree on. */
  readonly committed: readonly string[];
  readonly digests: Digests;
}

export type Entered = { readonly ledger: Ledger; readonly violation: string | undefined };

type Content = Pick<Ledger, 'leaders' | 'votes' | 'committed'>;

const NO_VOTE: Vote = [0, 0];

export class Ledgers {
  readonly #ledgers: Ledger[] = [];
  readonly #numbers = new Map<string, Ledger>();

  at(number: number): Ledger {
    return this.#ledgers[number]!;
  }

  empty(): Ledger {
    return this.#intern({ leaders: [], votes: [NO_VOTE, NO_VOTE, NO_VOTE, NO_VOTE], committed: [] });
  }

  /** Enters what one voter did, and judges it by what was entered before. */
  enter(ledger: Ledger, voter: LocalState, votes: readonly Vote[]): Entered {
    const content = { leaders: [...ledger.leaders], votes: [...ledger.votes], committed: ledger.committed };
    const id = voter.voter;
    let violation: string | undefined;
    for (const vote of votes) {
      const [term, candidate] = content.votes[id]!;
      if (term === vote[0] && candidate !== vote[1])
        violation ??= `invariant 2: node ${id} votes for ${candidate} and for ${vote[1]} in epoch ${term}`;
      content.votes[id] = vote;
    }
    if (content.votes[id]![0] < voter.durableTerm) content.votes[id] = NO_VOTE;
    const { role, term, commitIndex } = voter.status;
    if (role === 'leader') {
      const other = content.leaders[term] ?? 0;
      if (other !== 0 && other !== id)
        violation ??= `invariant 1: nodes ${other} and ${id} lead epoch ${term}`;
      content.leaders[term] = id;
    }
    const { committed } = ledger;
    for (let i = 0; i < Math.min(commitIndex, committed.length); i++) {
      if (voter.log[i] !== committed[i])
        violation ??= `invariant 16: index ${i + 1} is committed as ${committed[i]} and, on node ${id}, as ${voter.log[i]}`;
    }
    if (commitIndex > committed.length) content.committed = voter.log.slice(0, commitIndex);
    return { ledger: this.#intern(content), violation };
  }

  #intern({ leaders, votes, committed }: Content): Ledger {
    const describe = (renaming: Renaming): string => {
      const leading = Array.from(leaders, (id = 0) => renaming[id]).join();
      const voting = votes.map(([term, candidate], id) => `${renaming[id]}:${term}:${renaming[candidate]}`);
      return `${leading}|${voting.sort().join()}|${committed.join()}`;
    };
    const key = describe(RENAMINGS[0]!);
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const ledger = { number: this.#ledgers.length, leaders, votes, committed, digests: digestsOf(describe) };
    this.#ledgers.push(ledger);
    this.#numbers.set(key, ledger);
    return ledger;
  }
}
