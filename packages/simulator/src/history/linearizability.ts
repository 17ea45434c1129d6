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

interface Step<State> {
  readonly call: number;
  readonly choices: readonly State[];
  choice: number;
  readonly before: State;
}

export function checkLinearizability<State, Input, Output>(
  model: SequentialModel<State, Input, Output>,
  history: readonly Call<Input, Output>[],
  { configurationsMax }: LinearizabilityLimits = { configurationsMax: 1_000_000 },
): Linearizability<Input, Output> {
  const calls = [...history].sort((a, b) => a.calledAtMs - b.calledAtMs);
  const isDone = new Array<boolean>(calls.length).fill(false);
  const seen = new Set<string>();
  const steps: Step<State>[] = [];
  let state = model.initial;
  let from = 0;
  let longest: number[] = [];
  // A call without an answer may as well never have happened, so only answered ones must find a place.
  let owed = calls.filter(({ output }) => output !== undefined).length;

  for (;;) {
    if (owed === 0) return { verdict: 'linearizable' };
    if (seen.size > configurationsMax) return { verdict: 'undecided' };
    const next = advance();
    if (next) continue;
    if (!retreat()) {
      const done = new Set(longest);
      return {
        verdict: 'violated',
        longest: longest.map((index) => calls[index]!),
        stuck: candidates(done, 0).map((index) => calls[index]!),
      };
    }
  }

  /** Takes the first call at or after `from` that may be next. */
  function advance(): boolean {
    const taken = new Set(steps.map(({ call }) => call));
    for (const index of candidates(taken, from)) {
      const { input, output } = calls[index]!;
      const choices = model.step(state, input, output);
      if (take({ call: index, choices, choice: 0, before: state })) return true;
    }
    return false;
  }

  function take(step: Step<State>): boolean {
    isDone[step.call] = true;
    for (; step.choice < step.choices.length; step.choice++) {
      const after = step.choices[step.choice]!;
      const configuration = `${isDone.map((done) => (done ? '1' : '0')).join('')} ${model.fingerprint(after)}`;
      if (seen.has(configuration)) continue;
      seen.add(configuration);
      steps.push(step);
      state = after;
      from = 0;
      if (calls[step.call]!.output !== undefined) owed -= 1;
      if (steps.length > longest.length) longest = steps.map(({ call }) => call);
      return true;
    }
    isDone[step.call] = false;
    return false;
  }

  /** Undoes the last step and goes on behind it. False when nothing is left to undo. */
  function retreat(): boolean {
    const step = steps.pop();
    if (step === undefined) return false;
    if (calls[step.call]!.output !== undefined) owed += 1;
    state = step.before;
    step.choice += 1;
    if (take(step)) return true;
    from = step.call + 1;
    return true;
  }

  /** Calls that began before any other open call was answered, in order. */
  function candidates(taken: ReadonlySet<number>, first: number): number[] {
    let earliestAnswer = Number.POSITIVE_INFINITY;
    for (const [index, { answeredAtMs }] of calls.entries()) {
      if (!taken.has(index)) earliestAnswer = Math.min(earliestAnswer, answeredAtMs);
    }
    return calls.flatMap(({ calledAtMs }, index) =>
      index >= first && !taken.has(index) && calledAtMs <= earliestAnswer ? [index] : [],
    );
  }
}
