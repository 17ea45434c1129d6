/**
 * What happened, as one number and as the last few events of each process. Two runs of a seed have the same hash or the
 * simulator is broken. Keeps no more than its depth; costs two multiplications an event.
 */

/** A small fact about an event: an id, a size, an epoch, a code. */
export type Fact = number | string;

export interface TracedEvent {
  readonly atMs: number;
  readonly kind: string;
  readonly fact: Fact;
  readonly more: Fact;
}

/** Kinds of messages begin so: there are so many of them that they would push out everything else. */
const MESSAGE = '/'.charCodeAt(0);
const MESSAGES_SHARE = 8;

const LANE_A = 0x85ebca6b;
const LANE_B = 0xc2b2ae35;

class Ring {
  readonly #slots: TracedEvent[] = [];
  readonly #depth: number;
  #next = 0;

  constructor(depth: number) {
    this.#depth = depth;
  }

  add(event: TracedEvent): void {
    this.#slots[this.#next] = event;
    this.#next = (this.#next + 1) % this.#depth;
  }

  /** Oldest first. */
  list(): TracedEvent[] {
    return [...this.#slots.slice(this.#next), ...this.#slots.slice(0, this.#next)];
  }
}

export class Trace {
  readonly #depth: number;
  readonly #rings = new Map<string, Ring>();
  readonly #messages = new Map<string, Ring>();
  readonly #hashes = new Map<string, number>();
  readonly #float = new Float64Array(1);
  readonly #words = new Uint32Array(this.#float.buffer);
  #a = 0x9e3779b9 | 0;
  #b = 0x7f4a7c15 | 0;
  #printer: ((process: string, event: TracedEvent) => void) | undefined;

  /** @param depth events kept for each process; of messages, which are many, an eighth of that besides. */
  constructor(depth = 64) {
    this.#depth = depth;
  }

  /** 16 hexadecimal digits over everything noted so far. */
  get hash(): string {
    return hex(this.#a) + hex(this.#b);
  }

  /** Sees every noted event as it comes, for `--trace`. */
  printTo(printer: (process: string, event: TracedEvent) => void): void {
    this.#printer = printer;
  }

  /** Of every event of the loop. Enters the hash and nothing else. */
  count(atMs: number, tie: number): void {
    this.#float[0] = atMs;
    this.#mix(this.#words[0]! ^ tie);
    this.#mix(this.#words[1]!);
  }

  /** Of what is worth reading in a failure report. `process` is empty for the world's own doings. */
  note(atMs: number, process: string, kind: string, fact: Fact = 0, more: Fact = 0): void {
    this.#mix(this.#hashOf(kind));
    this.#mix(this.#wordOf(fact));
    this.#mix(this.#wordOf(more));
    const isMessage = kind.charCodeAt(0) === MESSAGE;
    const rings = isMessage ? this.#messages : this.#rings;
    let ring = rings.get(process);
    if (ring === undefined) {
      ring = new Ring(isMessage ? Math.ceil(this.#depth / MESSAGES_SHARE) : this.#depth);
      rings.set(process, ring);
    }
    const event = { atMs, kind, fact, more };
    ring.add(event);
    this.#printer?.(process, event);
  }

  /** The last events of each process, oldest first. */
  last(): ReadonlyMap<string, readonly TracedEvent[]> {
    const names = [...new Set([...this.#rings.keys(), ...this.#messages.keys()])].sort();
    return new Map(names.map((name) => [name, this.#listOf(name)]));
  }

  #listOf(process: string): TracedEvent[] {
    const [events, messages] = [
      this.#rings.get(process)?.list() ?? [],
      this.#messages.get(process)?.list() ?? [],
    ];
    return [...events, ...messages].sort((a, b) => a.atMs - b.atMs);
  }

  #wordOf(fact: Fact): number {
    if (typeof fact === 'string') return this.#hashOf(fact);
    this.#float[0] = fact;
    return this.#words[0]! ^ Math.imul(this.#words[1]!, LANE_A);
  }

  #hashOf(text: string): number {
    const known = this.#hashes.get(text);
    if (known !== undefined) return known;
    let hash = 0x811c9dc5;
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
    if (this.#hashes.size < 10_000) this.#hashes.set(text, hash);
    return hash;
  }

  #mix(word: number): void {
    const a = Math.imul(this.#a ^ word, LANE_A);
    this.#a = a ^ (a >>> 15);
    const b = Math.imul(this.#b + word, LANE_B);
    this.#b = b ^ (b >>> 13) ^ a;
  }
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, '0');
}
