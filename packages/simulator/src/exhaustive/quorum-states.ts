/**
 * Three voters and the network between them as one state: what can happen in it, and what it is afterwards. Nothing is
 * chosen here; whoever searches chooses.
 */
import { type Ledger, Ledgers } from './ledger.ts';
import { type LocalState, LocalStates, type LocalStep } from './local-states.ts';
import { MessageTable } from './message-table.ts';
import { violationAmong } from './quorum-predicates.ts';
import { mix, RENAMINGS, VOTERS } from './renaming.ts';
import type { NewReplica, VoterEvent } from './voter-life.ts';

/** How often each thing may happen on one path. At most 15 each. */
export interface Budget {
  readonly timeouts: number;
  readonly heartbeats: number;
  readonly losses: number;
  readonly crashes: number;
  readonly proposals: number;
  /** Nobody stands for a later one. */
  readonly epochMax: number;
}

export interface QuorumState {
  /** In the order of their ids. */
  readonly voters: readonly LocalState[];
  readonly ledger: Ledger;
  /** What is left. */
  readonly budget: Budget;
  /** So far, which names the next one. */
  readonly proposed: number;
  /** Numbers of letters in flight, in no order. */
  readonly letters: readonly number[];
}

export const ACTION_KINDS = [
  'timeout',
  'heartbeat',
  'silence',
  'persist',
  'propose',
  'crash',
  'deliver',
  'lose',
] as const;
export type ActionKind = (typeof ACTION_KINDS)[number];

export interface Action {
  readonly kind: ActionKind;
  /** A voter; of `deliver` and `lose` a letter. */
  readonly subject: number;
  /** Of a crash: how many of the writes that waited are found on the disk. */
  readonly kept: number;
}

export interface Reached {
  readonly state: QuorumState;
  readonly violation: string | undefined;
}

export interface QuorumLimits {
  /** Messages in flight on one link; when another is sent, the one that is furthest behind is lost. */
  readonly perLinkMax: number;
}

export class QuorumStates {
  readonly messages = new MessageTable();
  readonly locals: LocalStates;
  readonly ledgers = new Ledgers();
  readonly #limits: QuorumLimits;

  constructor(limits: QuorumLimits, newReplica: NewReplica) {
    this.#limits = limits;
    this.locals = new LocalStates(this.messages, newReplica);
  }

  /** Nobody has done anything yet. */
  first(budget: Budget): QuorumState {
    const voters = Array.from({ length: VOTERS }, (_, i) => this.locals.first(i + 1));
    return { voters, ledger: this.ledgers.empty(), budget, proposed: 0, letters: [] };
  }

  actions(state: QuorumState): Action[] {
    const { voters, budget, letters } = state;
    const actions: Action[] = [];
    for (const voter of voters) this.#addActionsOf(voter, budget, actions);
    letters.forEach((subject, i) => {
      if (letters.indexOf(subject) !== i) return;
      actions.push({ kind: 'deliver', subject, kept: 0 });
      if (budget.losses > 0) actions.push({ kind: 'lose', subject, kept: 0 });
    });
    return actions;
  }

  #addActionsOf({ voter, status, pendingCount }: LocalState, budget: Budget, actions: Action[]): void {
    const add = (kind: ActionKind, kept = 0): void => void actions.push({ kind, subject: voter, kept });
    const isLeader = status.role === 'leader';
    if (pendingCount > 0) add('persist');
    if (budget.timeouts > 0 && isLeader) add('silence');
    if (budget.timeouts > 0 && !isLeader && status.term < budget.epochMax) add('timeout');
    if (budget.heartbeats > 0 && isLeader) add('heartbeat');
    if (budget.proposals > 0 && isLeader) add('propose');
    if (budget.crashes > 0) for (let kept = 0; kept <= pendingCount; kept++) add('crash', kept);
  }

  /** @returns undefined if nothing would change. */
  after(state: QuorumState, action: Action): Reached | undefined {
    const { kind, subject, kept } = action;
    switch (kind) {
      case 'lose':
        return {
          state: {
            ...state,
            budget: spent(state.budget, 'losses'),
            letters: without(state.letters, subject),
          },
          violation: undefined,
        };
      case 'crash': {
        const from = state.voters[subject - 1]!;
        const step = this.#step(from, 16 + kept, () => this.locals.restarted(from, kept));
        return this.#stepped({ ...state, budget: spent(state.budget, 'crashes') }, step);
      }
      case 'deliver': {
        const { to } = this.messages.at(subject);
        const step = this.#received(state.voters[to - 1]!, subject);
        // To be received without effect is to be lost, and every message is lost as long as it is not received.
        if (isIdle(state.voters[to - 1]!, step)) return undefined;
        return this.#stepped({ ...state, letters: without(state.letters, subject) }, step);
      }
      default:
        return this.#act(state, kind, subject);
    }
  }

  #act(
    state: QuorumState,
    kind: 'timeout' | 'heartbeat' | 'silence' | 'persist' | 'propose',
    subject: number,
  ): Reached | undefined {
    const from = state.voters[subject - 1]!;
    const { budget, proposed } = state;
    switch (kind) {
      case 'timeout':
        return this.#stepped({ ...state, budget: spent(budget, 'timeouts') }, this.#event(from, 0, { kind }));
      case 'heartbeat':
        return this.#stepped(
          { ...state, budget: spent(budget, 'heartbeats') },
          this.#event(from, 0, { kind: 'timeout' }),
        );
      case 'silence':
        return this.#stepped({ ...state, budget: spent(budget, 'timeouts') }, this.#event(from, 1, { kind }));
      case 'persist':
        return this.#stepped(state, this.#event(from, 2, { kind }));
      default: {
        const text = String.fromCharCode(97 + proposed);
        const step = this.#event(from, 32 + proposed, { kind: 'propose', text });
        if (step.next === from) return undefined;
        return this.#stepped({ ...state, budget: spent(budget, 'proposals'), proposed: proposed + 1 }, step);
      }
    }
  }

  #received(by: LocalState, letter: number): LocalStep {
    const { from, message } = this.messages.at(letter);
    return this.#event(by, 64 + letter, { kind: 'receive', from, message });
  }

  #event(from: LocalState, code: number, event: VoterEvent): LocalStep {
    return this.#step(from, code, () => this.locals.step(from, event));
  }

  #step(from: LocalState, code: number, take: () => LocalStep): LocalStep {
    const known = from.steps.get(code);
    if (known !== undefined) return known;
    const step = take();
    from.steps.set(code, step);
    return step;
  }

  #stepped(state: QuorumState, { next, sent, votes, isTelling, violation }: LocalStep): Reached {
    const voters = state.voters.map((voter) => (voter.voter === next.voter ? next : voter));
    const isNews = isTelling || votes.length > 0;
    let { letters } = state;
    if (sent.length > 0) letters = this.#posted(letters, sent);
    if (sent.length > 0 || isTelling) letters = this.#withoutDead(letters, voters);
    if (violation !== undefined || !isNews) return { state: { ...state, voters, letters }, violation };
    const entered = this.ledgers.enter(state.ledger, next, votes);
    const { ledger } = entered;
    return {
      state: { ...state, voters, letters, ledger },
      violation: entered.violation ?? violationAmong(voters, ledger),
    };
  }

  /** Answers of an epoch that is over on the asker's disk mean nothing any more, and this asker shows that it knows. */
  #withoutDead(letters: readonly number[], voters: readonly LocalState[]): readonly number[] {
    const isDead = (number: number): boolean => {
      const { to, answersTerm } = this.messages.at(number);
      const asker = voters[to - 1]!;
      return answersTerm < asker.durableTerm && isIdle(asker, this.#received(asker, number));
    };
    return letters.some(isDead) ? letters.filter((number) => !isDead(number)) : letters;
  }

  #posted(letters: readonly number[], sent: readonly number[]): number[] {
    const result = [...letters];
    for (const number of sent) {
      result.push(number);
      const { from, to } = this.messages.at(number);
      let count = 0;
      let furthestBehind = -1;
      for (let i = 0; i < result.length; i++) {
        const letter = this.messages.at(result[i]!);
        if (letter.from !== from || letter.to !== to) continue;
        count += 1;
        const isBehind =
          furthestBehind === -1 || letter.rank < this.messages.at(result[furthestBehind]!).rank;
        if (isBehind) furthestBehind = i;
      }
      if (count > this.#limits.perLinkMax) result.splice(furthestBehind, 1);
    }
    return result;
  }

  describe({ kind, subject, kept }: Action): string {
    if (kind === 'deliver' || kind === 'lose') return `${kind} ${this.messages.at(subject).text}`;
    return kind === 'crash' ? `crash ${subject} keeping ${kept}` : `${kind} ${subject}`;
  }

  /** The smallest over all renamings, as two numbers of 32 bits. */
  digest({ voters, ledger, budget, proposed, letters }: QuorumState, out: Uint32Array): void {
    const { timeouts, heartbeats, losses, crashes, proposals } = budget;
    const rest =
      timeouts | (heartbeats << 4) | (losses << 8) | (crashes << 12) | (proposals << 16) | (proposed << 20);
    const salt = mix(rest + 1);
    let high = 0xffffffff;
    let low = 0xffffffff;
    for (let i = 0; i < RENAMINGS.length; i++) {
      let a = salt + ledger.digests[2 * i]!;
      let b = salt + ledger.digests[2 * i + 1]!;
      for (const { digests } of voters) {
        a += digests[2 * i]!;
        b += digests[2 * i + 1]!;
      }
      for (const number of letters) {
        const { digests } = this.messages.at(number);
        a += digests[2 * i]!;
        b += digests[2 * i + 1]!;
      }
      // Sums of a few numbers of 32 bits are exact; only their last 32 bits count.
      a >>>= 0;
      b >>>= 0;
      if (a < high || (a === high && b < low)) {
        high = a;
        low = b;
      }
    }
    out[0] = high;
    out[1] = low;
  }
}

function isIdle(from: LocalState, { next, sent, violation }: LocalStep): boolean {
  return next === from && sent.length === 0 && violation === undefined;
}

function without(letters: readonly number[], letter: number): number[] {
  const i = letters.indexOf(letter);
  return [...letters.slice(0, i), ...letters.slice(i + 1)];
}

function spent(budget: Budget, what: keyof Budget): Budget {
  return { ...budget, [what]: budget[what] - 1 };
}
