/** Every message that was ever sent, once, by number: a state holds numbers. Nothing is judged here. */
import type { Entry, RaftMessage } from '@millrace/raft';
import { type Digests, digestsOf, type Renaming } from './renaming.ts';

export interface Letter {
  /** Its place in the table. */
  readonly number: number;
  readonly from: number;
  readonly to: number;
  readonly message: RaftMessage;
  readonly text: string;
  readonly digests: Digests;
  /** A full link loses the letter of the lowest rank: of the oldest epoch, and there the earliest in its course. */
  readonly rank: number;
  /** The epoch in which an answer was asked for; Infinity for what is no answer, or is one that outlives its epoch. */
  readonly answersTerm: number;
}

/** In the course of an epoch. */
const COURSE: readonly RaftMessage['kind'][] = [
  'hello',
  'preVoteRequest',
  'preVoteResponse',
  'voteRequest',
  'voteResponse',
  'timeoutNow',
  'heartbeat',
  'heartbeatResponse',
  'append',
  'appendResponse',
  'snapshotChunk',
  'snapshotResponse',
];

const ANSWERS: ReadonlySet<RaftMessage['kind']> = new Set([
  'voteResponse',
  'appendResponse',
  'heartbeatResponse',
]);

export class MessageTable {
  readonly #letters: Letter[] = [];
  readonly #numbers = new Map<string, Letter>();

  get size(): number {
    return this.#letters.length;
  }

  at(number: number): Letter {
    return this.#letters[number]!;
  }

  numberOf(from: number, to: number, message: RaftMessage): number {
    const content = describeMessage(message);
    const text = `${from}>${to} ${content}`;
    const known = this.#numbers.get(text);
    if (known !== undefined) return known.number;
    const letter: Letter = {
      number: this.#letters.length,
      from,
      to,
      message,
      text,
      digests: digestsOf((renaming: Renaming) => `${renaming[from]}>${renaming[to]} ${content}`),
      rank: rankOf(message),
      answersTerm: ANSWERS.has(message.kind) ? message.term : Number.POSITIVE_INFINITY,
    };
    this.#letters.push(letter);
    this.#numbers.set(text, letter);
    return letter.number;
  }
}

function rankOf(message: RaftMessage): number {
  let position = 0;
  if (message.kind === 'append') position = message.prevIndex + message.entries.length;
  else if (message.kind === 'appendResponse') position = message.index;
  else if (message.kind === 'heartbeat') position = message.round;
  return message.term * 10_000 + COURSE.indexOf(message.kind) * 100 + position;
}

/** All that it says, but not whose it is: nothing in it names a node. */
export function describeMessage(message: RaftMessage): string {
  const { kind, term } = message;
  switch (message.kind) {
    case 'preVoteRequest':
      return `${kind} epoch ${term}, log ends ${message.lastIndex}@${message.lastTerm}`;
    case 'voteRequest':
      return `${kind} epoch ${term}, log ends ${message.lastIndex}@${message.lastTerm}${message.transfer ? ', asked to' : ''}`;
    case 'preVoteResponse':
    case 'voteResponse':
      return `${kind} epoch ${term}, ${message.granted ? 'yes' : 'no'}`;
    case 'append': {
      const { prevIndex, prevTerm, entries, commitIndex } = message;
      return `${kind} epoch ${term}, after ${prevIndex}@${prevTerm} [${describeLog(entries)}], commit ${commitIndex}`;
    }
    case 'appendResponse': {
      const { accepted, index, hintIndex, hintTerm } = message;
      return `${kind} epoch ${term}, ${accepted ? `up to ${index}` : `not after ${index}, try ${hintIndex}@${hintTerm}`}`;
    }
    case 'heartbeat':
      return `${kind} epoch ${term}, round ${message.round}, commit ${message.commitIndex}`;
    case 'heartbeatResponse':
      return `${kind} epoch ${term}, round ${message.round}`;
    default:
      return `${kind} ${JSON.stringify(message)}`;
  }
}

/** `1* 1a 2*`: epoch and content of each entry; `*` opens an epoch. */
export function describeLog(entries: readonly Entry[]): string {
  return entries.map(({ term, kind, data }) => `${term}${kind === 'data' ? data.toString() : '*'}`).join(' ');
}
