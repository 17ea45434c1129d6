/** What the administrator asked of topics that come and go, and the answers: invariant 18 says that one object could have given them. */
import { type Call, checkLinearizability, type SequentialModel } from '../history/linearizability.ts';

export type TopicInput =
  | { readonly kind: 'create'; readonly partitions: number }
  | { readonly kind: 'delete' }
  | { readonly kind: 'grow'; readonly partitions: number };

/** 'ok' or the code of the refusal. */
export type TopicOutput = string;

export type TopicCall = Call<TopicInput, TopicOutput>;

/** Partitions of the topic; 0 if it is not there. */
const topicModel: SequentialModel<number, TopicInput, TopicOutput> = {
  initial: 0,
  step(state, input, output) {
    const after = effectOf(state, input);
    if (output === undefined) return after === undefined ? [state] : [after];
    // A repeated call whose change is there already counts as done, as the SDK promises.
    if (output === 'ok')
      return [after, isDone(state, input) ? state : undefined].filter((each) => each !== undefined);
    return output === refusalOf(state, input) ? [state] : [];
  },
  fingerprint: (state) => `${state}`,
};

function effectOf(state: number, input: TopicInput): number | undefined {
  switch (input.kind) {
    case 'create':
      return state === 0 ? input.partitions : undefined;
    case 'delete':
      return state === 0 ? undefined : 0;
    case 'grow':
      return state > 0 && input.partitions > state ? input.partitions : undefined;
  }
}

function isDone(state: number, input: TopicInput): boolean {
  return input.kind === 'delete' ? state === 0 : state === input.partitions;
}

function refusalOf(state: number, input: TopicInput): string | undefined {
  if (input.kind === 'create') return state > 0 ? 'TOPIC_ALREADY_EXISTS' : undefined;
  if (state === 0) return 'UNKNOWN_TOPIC_OR_PARTITION';
  return input.kind === 'grow' && input.partitions <= state ? 'INVALID_PARTITIONS' : undefined;
}

function describe({ input, output, calledAtMs, answeredAtMs }: TopicCall): string {
  const what = input.kind === 'delete' ? input.kind : `${input.kind} ${input.partitions}`;
  return `${what} -> ${output ?? 'unknown'} at ${calledAtMs.toFixed(0)}-${answeredAtMs.toFixed(0)}`;
}

/**
 * A call that took longer may have been asked twice, for the connection of the first time broke. What the first time asked
 * for may be on its way still: without numbered requests no client can call it back.
 */
const ASKED_ONCE_MS = 100;

/** Answers that say what the state was; any other leaves open whether the call took effect. */
const TELLING = new Set(['ok', 'TOPIC_ALREADY_EXISTS', 'UNKNOWN_TOPIC_OR_PARTITION', 'INVALID_PARTITIONS']);

export class MetadataHistory {
  readonly #byTopic = new Map<string, TopicCall[]>();
  /** Histories that were judged, and too tangled to tell. */
  undecided = 0;

  get size(): number {
    let size = 0;
    for (const calls of this.#byTopic.values()) size += calls.length;
    return size;
  }

  /** @returns what to call with the answer. */
  begin(topic: string, input: TopicInput, calledAtMs: number): (answer: string, atMs: number) => void {
    const calls = this.#byTopic.get(topic) ?? [];
    this.#byTopic.set(topic, calls);
    const at = calls.length;
    const unanswered = { process: 'admin', input, calledAtMs };
    calls.push({ ...unanswered, output: undefined, answeredAtMs: Number.POSITIVE_INFINITY });
    return (answer, atMs) => {
      if (atMs - calledAtMs > ASKED_ONCE_MS) calls.push({ ...calls[at]! });
      if (TELLING.has(answer)) calls[at] = { ...unanswered, output: answer, answeredAtMs: atMs };
    };
  }

  /** @returns what is wrong, or undefined. */
  judge(): string | undefined {
    for (const [topic, calls] of this.#byTopic) {
      const result = checkLinearizability(topicModel, calls, { configurationsMax: 20_000 });
      if (result.verdict === 'undecided') this.undecided += 1;
      if (result.verdict !== 'violated') continue;
      const all = calls.map((call) => (result.stuck.includes(call) ? `[${describe(call)}]` : describe(call)));
      return `topic ${topic}: ${all.join(', ')}`;
    }
    return undefined;
  }
}
