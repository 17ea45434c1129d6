/**
 * Where a search begins: at new disks, and at situations that lie too deep to be reached from there in every way. Each
 * is brought about by the same steps that the search takes, checked like them.
 */
import type { Action, Budget, QuorumState, QuorumStates } from './quorum-states.ts';

/** Told in steps: the beginning of an action's text; `settle`: all that waits, happens; `lose all`: nothing is in flight any more. */
export interface StartingPoint {
  readonly about: string;
  readonly steps: readonly string[];
}

const ELECTED: readonly string[] = [
  'timeout 1',
  'deliver 1>2 preVoteRequest',
  'deliver 2>1 preVoteResponse',
  'persist 1',
  'deliver 1>2 voteRequest',
  'persist 2',
  'persist 2',
  'deliver 2>1 voteResponse',
];
const LED: readonly string[] = [...ELECTED, 'settle', 'lose all'];

export const TWO_CANDIDATES: StartingPoint = {
  about: 'nodes 1 and 2 are about to ask node 3 for its vote in epoch 1',
  steps: [
    ...['timeout 1', 'timeout 2', 'timeout 3'],
    ...['deliver 1>3 preVoteRequest', 'deliver 3>1 preVoteResponse', 'persist 1'],
    ...['deliver 2>3 preVoteRequest', 'deliver 3>2 preVoteResponse', 'persist 2'],
  ],
};

export const STARTING_POINTS: readonly StartingPoint[] = [
  { about: 'three new disks', steps: [] },
  TWO_CANDIDATES,
  { about: 'epoch 1 was just won, and nobody has heard', steps: ELECTED },
  { about: 'epoch 1 is led, and everybody holds its first record', steps: LED },
  {
    about: 'a record of epoch 1 is on its way while a candidate for epoch 2 is about to ask',
    steps: [
      ...LED,
      ...['propose 1', 'persist 1', 'timeout 2', 'timeout 3'],
      ...['deliver 3>2 preVoteRequest', 'deliver 2>3 preVoteResponse'],
    ],
  },
  {
    about: 'epochs 1 and 2 each left a record on one disk only',
    steps: [
      ...LED,
      ...['propose 1', 'persist 1', 'lose all', 'crash 1', 'timeout 2', 'timeout 3'],
      ...['deliver 2>3 preVoteRequest', 'deliver 3>2 preVoteResponse', 'persist 2'],
      ...['deliver 2>3 voteRequest', 'persist 3', 'persist 3', 'deliver 3>2 voteResponse', 'persist 2'],
    ],
  },
];

export interface Begun {
  readonly state: QuorumState;
  /** From new disks. */
  readonly path: readonly string[];
  readonly violation: string | undefined;
}

const PLENTY: Budget = { timeouts: 15, heartbeats: 15, losses: 15, crashes: 15, proposals: 15, epochMax: 15 };
const SETTLING_STEPS_MAX = 200;

/** @param budget of the search that begins there: what came before costs nothing. */
export function begin(states: QuorumStates, { steps }: StartingPoint, budget: Budget): Begun {
  const way = new Way(states);
  for (const step of steps) {
    if (step === 'settle') way.settle();
    else if (step === 'lose all') while (way.take((text) => text.startsWith('lose ')));
    else way.follow(step);
  }
  return { state: { ...way.state, budget }, path: way.path, violation: way.violation };
}

/** One path, step by step. Nothing is taken after a violation. */
export class Way {
  state: QuorumState;
  readonly path: string[] = [];
  violation: string | undefined;
  readonly #states: QuorumStates;

  constructor(states: QuorumStates) {
    this.#states = states;
    this.state = states.first(PLENTY);
  }

  /** Takes the action whose text begins so. @throws {RangeError} if nothing like that can happen. */
  follow(text: string): void {
    if (this.violation !== undefined || this.take((each) => each.startsWith(text))) return;
    const possible = this.#states.actions(this.state).map((action) => this.#states.describe(action));
    throw new RangeError(`"${text}" cannot happen here, but: ${possible.join('; ')}`);
  }

  settle(): void {
    let left = SETTLING_STEPS_MAX;
    while (left > 0 && this.take((text) => text.startsWith('persist ') || text.startsWith('deliver ')))
      left--;
  }

  /** @returns whether there was such an action. */
  take(isWanted: (text: string) => boolean): boolean {
    if (this.violation !== undefined) return false;
    const actions = this.#states.actions(this.state);
    return actions.some((action) => isWanted(this.#states.describe(action)) && this.#take(action));
  }

  #take(action: Action): boolean {
    const reached = this.#states.after(this.state, action);
    if (reached === undefined) return false;
    this.path.push(this.#states.describe(action));
    // Whatever the steps cost: the next ones have as much.
    this.state = { ...reached.state, budget: PLENTY };
    this.violation = reached.violation;
    return true;
  }
}
