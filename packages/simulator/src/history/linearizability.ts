/**
 * Whether a history of calls could have come from one object that does one thing at a time: Wing and Gong's search
 * with Lowe's memory of configurations seen ("Testing for linearizability", 2017). One key at a time: linearizability
 * composes, so the caller splits its history by key. Pure.
 */

/** `output` undefined: the answer never came; the call may have taken effect at any time after it began, or not at all. */
export interface Call<Input, Output> {
  readonly process: string;
  readonly input: Input;
  readonly output: Output | undefined;
  readonly calledAtMs: number;
  /** Infinity if the answer never came. */
  readonly answeredAtMs: number;
}

export interface SequentialModel<State, Input, Output> {
  readonly initial: State;
  /** Every state that this call may lead to; none if `output` cannot be the answer in `state`. */
  step(state: State, input: Input, output: Output | undefined): readonly State[];
  /** Equal for equal states, and for no others. */
  fingerprint(state: State): string;
}

export type Linearizability<Input, Output> =
  | { readonly verdict: 'linearizable' }
  /** More configurations than allowed: nothing is known. */
  | { readonly verdict: 'undecided' }
  /** `longest` is as far as any order of calls came; `stuck` are the calls none of which could be next. */
  | {
      readonly verdict: 'violated';
      readonly longest: readonly Call<Input, Output>[];
      readonly stuck: readonly Call<Input, Output>[];
    };

export interface LinearizabilityLimits {
  readonly configurationsMax: number;
}

export function checkLinearizability<State, Input, Output>(
  model: SequentialModel<State, Input, Output>,
  history: readonly Call<Input, Output>[],
  { configurationsMax }: LinearizabilityLimits = { configurationsMax: 1_000_000 },
): Linearizability<Input, Output> {
  return new Search(model, history, configurationsMax).run();
}

interface Step<State> {
  readonly call: number;
  readonly choices: readonly State[];
  choice: number;
  readonly before: State;
}

/** Depth first, over orders of calls. Calls are known by their place in order of `calledAtMs`. */
class Search<State, Input, Output> {
  readonly #model: SequentialModel<State, Input, Output>;
  readonly #calls: readonly Call<Input, Output>[];
  readonly #configurationsMax: number;
  readonly #isDone: boolean[];
  /** Calls without an answer: they may wait for ever, so they must not hold up the window of the others. */
  readonly #unanswered: readonly number[];
  readonly #answered: readonly number[];
  /** Every answered call before this place in `#answered` is done. */
  #base = 0;
  readonly #seen = new Set<string>();
  readonly #steps: Step<State>[] = [];
  #state: State;
  #owed: number;
  #longest: readonly number[] = [];

  constructor(
    model: SequentialModel<State, Input, Output>,
    history: readonly Call<Input, Output>[],
    configurationsMax: number,
  ) {
    this.#model = model;
    this.#calls = [...history].sort((a, b) => a.calledAtMs - b.calledAtMs);
    this.#configurationsMax = configurationsMax;
    this.#isDone = new Array<boolean>(this.#calls.length).fill(false);
    this.#state = model.initial;
    const places = [...this.#calls.keys()];
    this.#unanswered = places.filter((place) => this.#calls[place]!.output === undefined);
    this.#answered = places.filter((place) => this.#calls[place]!.output !== undefined);
    this.#owed = this.#answered.length;
  }

  run(): Linearizability<Input, Output> {
    let after = -1;
    for (;;) {
      // A call without an answer may as well never have happened, so only answered ones must find a place.
      if (this.#owed === 0) return { verdict: 'linearizable' };
      if (this.#seen.size > this.#configurationsMax) return { verdict: 'undecided' };
      if (this.#advance(after)) {
        after = -1;
        continue;
      }
      const undone = this.#steps.pop();
      if (undone === undefined) return this.#violation();
      this.#undo(undone);
      undone.choice += 1;
      after = this.#take(undone) ? -1 : undone.call;
    }
  }

  /** Takes the first call beyond `after` that may be next. */
  #advance(after: number): boolean {
    for (const call of this.#candidates()) {
      if (call <= after) continue;
      const { input, output } = this.#calls[call]!;
      const choices = this.#model.step(this.#state, input, output);
      if (this.#take({ call, choices, choice: 0, before: this.#state })) return true;
    }
    return false;
  }

  #take(step: Step<State>): boolean {
    this.#isDone[step.call] = true;
    const base = this.#base;
    while (this.#isDone[this.#answered[this.#base] ?? -1] === true) this.#base += 1;
    for (; step.choice < step.choices.length; step.choice++) {
      const state = step.choices[step.choice]!;
      const configuration = this.#configuration(state);
      if (this.#seen.has(configuration)) continue;
      this.#seen.add(configuration);
      this.#steps.push(step);
      this.#state = state;
      if (this.#calls[step.call]!.output !== undefined) this.#owed -= 1;
      if (this.#steps.length > this.#longest.length) this.#longest = this.#steps.map(({ call }) => call);
      return true;
    }
    this.#isDone[step.call] = false;
    this.#base = base;
    return false;
  }

  #undo(step: Step<State>): void {
    this.#isDone[step.call] = false;
    if (this.#calls[step.call]!.output !== undefined) {
      this.#owed += 1;
      while (this.#base > 0 && this.#answered[this.#base - 1]! >= step.call) this.#base -= 1;
    }
    this.#state = step.before;
  }

  #configuration(state: State): string {
    const done = this.#unanswered.filter((call) => this.#isDone[call]);
    for (let place = this.#base; place < this.#answered.length; place++) {
      const call = this.#answered[place]!;
      // Nothing is done beyond what could have overlapped the first open call.
      if (this.#calls[call]!.calledAtMs > this.#calls[this.#answered[this.#base]!]!.answeredAtMs) break;
      if (this.#isDone[call]) done.push(call);
    }
    return `${this.#base} ${done.join()} ${this.#model.fingerprint(state)}`;
  }

  /** Open calls that began before any open call was answered, in order. */
  #candidates(): number[] {
    const found: number[] = [];
    let earliestAnswerMs = Number.POSITIVE_INFINITY;
    for (let place = this.#base; place < this.#answered.length; place++) {
      const call = this.#answered[place]!;
      if (this.#isDone[call]) continue;
      const { calledAtMs, answeredAtMs } = this.#calls[call]!;
      if (calledAtMs > earliestAnswerMs) break;
      earliestAnswerMs = Math.min(earliestAnswerMs, answeredAtMs);
      found.push(call);
    }
    for (const call of this.#unanswered) {
      if (!this.#isDone[call] && this.#calls[call]!.calledAtMs <= earliestAnswerMs) found.push(call);
    }
    return found.sort((a, b) => a - b);
  }

  #violation(): Linearizability<Input, Output> {
    for (const call of this.#longest) this.#isDone[call] = true;
    this.#base = 0;
    return {
      verdict: 'violated',
      longest: this.#longest.map((call) => this.#calls[call]!),
      stuck: this.#candidates().map((call) => this.#calls[call]!),
    };
  }
}
