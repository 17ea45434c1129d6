/**
 * Breadth first through everything that can happen to three voters, so that the first violation found lies on a shortest
 * path from where the search began. A state is a few numbers in a flat array: millions of them fit.
 */
import { DigestSet } from './digest-set.ts';
import {
  ACTION_KINDS,
  type Action,
  type Budget,
  type QuorumLimits,
  type QuorumState,
  QuorumStates,
} from './quorum-states.ts';
import { VOTERS } from './renaming.ts';
import { begin, STARTING_POINTS, type StartingPoint } from './starting-points.ts';
import { type NewReplica, productionReplica } from './voter-life.ts';

export interface SearchOptions extends QuorumLimits {
  /** The search ends with so many distinct states, or when there are no more. */
  readonly statesMax: number;
  readonly budget: Budget;
  readonly startingPoints?: readonly StartingPoint[];
  readonly newReplica?: NewReplica;
  /** Called now and then. */
  readonly onProgress?: (found: SearchFound) => void;
}

export const DEFAULT_LIMITS: QuorumLimits & { readonly budget: Budget } = {
  perLinkMax: 2,
  budget: { timeouts: 4, heartbeats: 0, losses: 0, crashes: 1, proposals: 2, epochMax: 3 },
};

export interface SearchFound {
  /** Up to the names of the voters. */
  readonly states: number;
  readonly steps: number;
  /** For each budget tried, the smallest first: every state that lies at most so many steps from a starting point was seen. */
  readonly depths: readonly number[];
  /** Nothing is left to be seen within the limits. */
  readonly isComplete: boolean;
  /** Distinct states of one voter. */
  readonly localStates: number;
  readonly messages: number;
  readonly epochs: number;
  readonly committed: number;
  readonly violation: { readonly text: string; readonly path: readonly string[] } | undefined;
}

const PROGRESS_STATES = 50_000;

/**
 * What may seldom happen multiplies the states, and with them the search ends early: a third of it goes where little may
 * happen, but further, and a third where a crash may.
 */
function growing(budget: Budget): readonly Budget[] {
  const timeouts = Math.min(1, budget.timeouts);
  const proposals = Math.min(1, budget.proposals);
  const budgets = [
    { ...budget, timeouts, proposals, crashes: 0 },
    { ...budget, timeouts, proposals },
    budget,
  ];
  // None twice: it would end where it began.
  return budgets.filter((each, i) => budgets.findIndex((other) => isEqual(each, other)) === i);
}

function isEqual(a: Budget, b: Budget): boolean {
  return (Object.keys(a) as (keyof Budget)[]).every((name) => a[name] === b[name]);
}

export function searchQuorums(options: SearchOptions): SearchFound {
  return new QuorumSearch(options).run();
}

/** Of one state in the array: voters, ledger, budget, letters in flight. */
const LEDGER = VOTERS;
const BUDGET = VOTERS + 1;
const LETTERS = VOTERS + 2;

class QuorumSearch {
  readonly #states: QuorumStates;
  readonly #options: SearchOptions;
  /** In the whole search, and since its budget grew. */
  readonly #seen = new DigestSet();
  #seenNow = new DigestSet();
  readonly #digest = new Uint32Array(2);
  #content = new Int32Array(1 << 20);
  #used = 0;
  /** Where each state begins in the content, and by which step from which state it was reached; -1 at a starting point. */
  #places = new Int32Array(1 << 16);
  #parents = new Int32Array(1 << 16);
  #actions = new Int32Array(1 << 16);
  #count = 0;
  readonly #beginnings = new Map<number, readonly string[]>();
  #steps = 0;
  readonly #depths: number[] = [];
  #isSpread = false;
  #toldAt = PROGRESS_STATES;
  #epochs = 0;
  #committed = 0;

  constructor(options: SearchOptions) {
    const { perLinkMax, newReplica = productionReplica } = options;
    this.#options = options;
    this.#states = new QuorumStates({ perLinkMax }, newReplica);
  }

  run(): SearchFound {
    const { statesMax, budget } = this.#options;
    const budgets = growing(budget);
    let isComplete = true;
    for (const [i, each] of budgets.entries()) {
      const first = this.#count;
      this.#seenNow = new DigestSet();
      const violation =
        this.#begin(each) ?? this.#spread(first, Math.ceil((statesMax * (i + 1)) / budgets.length));
      if (violation !== undefined) return this.#found(violation, false);
      isComplete = this.#isSpread;
    }
    return this.#found(undefined, isComplete);
  }

  #begin(budget: Budget): SearchFound['violation'] {
    const { startingPoints = STARTING_POINTS } = this.#options;
    for (const point of startingPoints) {
      const { state, path, violation } = begin(this.#states, point, budget);
      if (violation !== undefined) return { text: violation, path };
      const place = this.#count;
      this.#visit(state, -1, 0);
      if (this.#count > place) this.#beginnings.set(place, path);
    }
    return undefined;
  }

  /** From all states since `first` on, until there are `statesMax` or nothing is left. */
  #spread(first: number, statesMax: number): SearchFound['violation'] {
    let levelEnd = this.#count;
    const level = this.#depths.push(0) - 1;
    this.#isSpread = false;
    for (let i = first; i < this.#count; i++) {
      if (i === levelEnd) {
        this.#depths[level]! += 1;
        levelEnd = this.#count;
      }
      const state = this.#at(i);
      for (const action of this.#states.actions(state)) {
        const reached = this.#states.after(state, action);
        if (reached === undefined) continue;
        this.#steps += 1;
        if (reached.violation !== undefined)
          return { text: reached.violation, path: [...this.#pathTo(i), this.#states.describe(action)] };
        this.#visit(
          reached.state,
          i,
          ACTION_KINDS.indexOf(action.kind) + 16 * (action.kept + 16 * action.subject),
        );
        if (this.#seen.size >= statesMax) return undefined;
      }
      if (this.#seen.size < this.#toldAt) continue;
      this.#toldAt += PROGRESS_STATES;
      this.#options.onProgress?.(this.#found(undefined, false));
    }
    this.#isSpread = true;
    return undefined;
  }

  #visit(state: QuorumState, parent: number, action: number): void {
    this.#states.digest(state, this.#digest);
    if (!this.#seenNow.add(this.#digest[0]!, this.#digest[1]!)) return;
    this.#seen.add(this.#digest[0]!, this.#digest[1]!);
    const { ledger } = state;
    this.#epochs = Math.max(this.#epochs, ledger.leaders.length - 1);
    this.#committed = Math.max(this.#committed, ledger.committed.length);
    this.#grow(LETTERS + state.letters.length);
    const place = this.#used;
    for (const voter of state.voters) this.#content[this.#used++] = voter.number;
    this.#content[this.#used++] = ledger.number;
    this.#content[this.#used++] = packed(state);
    for (const letter of state.letters) this.#content[this.#used++] = letter;
    this.#places[this.#count] = place;
    this.#parents[this.#count] = parent;
    this.#actions[this.#count] = action;
    this.#count += 1;
  }

  #at(i: number): QuorumState {
    const place = this.#places[i]!;
    const end = i + 1 < this.#count ? this.#places[i + 1]! : this.#used;
    const content = this.#content;
    const { locals, ledgers } = this.#states;
    return {
      voters: [locals.at(content[place]!), locals.at(content[place + 1]!), locals.at(content[place + 2]!)],
      ledger: ledgers.at(content[place + LEDGER]!),
      ...unpacked(content[place + BUDGET]!, this.#options.budget.epochMax),
      letters: Array.from(content.subarray(place + LETTERS, end)),
    };
  }

  /** From new disks. */
  #pathTo(i: number): string[] {
    const path: string[] = [];
    let at = i;
    for (; this.#parents[at] !== -1; at = this.#parents[at]!) {
      const action = this.#actions[at]!;
      const kind = ACTION_KINDS[action % 16]!;
      const kept = Math.floor(action / 16) % 16;
      path.push(this.#states.describe({ kind, kept, subject: Math.floor(action / 256) } satisfies Action));
    }
    return [...this.#beginnings.get(at)!, ...path.reverse()];
  }

  #grow(length: number): void {
    if (this.#used + length > this.#content.length) this.#content = doubled(this.#content);
    if (this.#count < this.#places.length) return;
    this.#places = doubled(this.#places);
    this.#parents = doubled(this.#parents);
    this.#actions = doubled(this.#actions);
  }

  #found(violation: SearchFound['violation'], isComplete: boolean): SearchFound {
    return {
      states: this.#seen.size,
      steps: this.#steps,
      depths: [...this.#depths],
      isComplete,
      localStates: this.#states.locals.size,
      messages: this.#states.messages.size,
      epochs: this.#epochs,
      committed: this.#committed,
      violation,
    };
  }
}

function doubled(array: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const twice = new Int32Array(array.length * 2);
  twice.set(array);
  return twice;
}

function packed({ budget, proposed }: QuorumState): number {
  const { timeouts, heartbeats, losses, crashes, proposals } = budget;
  return (
    timeouts | (heartbeats << 4) | (losses << 8) | (crashes << 12) | (proposals << 16) | (proposed << 20)
  );
}

function unpacked(bits: number, epochMax: number): Pick<QuorumState, 'budget' | 'proposed'> {
  const at = (shift: number): number => (bits >>> shift) & 15;
  return {
    budget: {
      timeouts: at(0),
      heartbeats: at(4),
      losses: at(8),
      crashes: at(12),
      proposals: at(16),
      epochMax,
    },
    proposed: at(20),
  };
}
