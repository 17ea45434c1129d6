/**
 * The future of a world: a heap of events, earliest first. Events of the same moment come in the order of their
 * tie-breaks, which the world draws by chance, so that no code may rely on the order in which it set timers.
 */
import type { SimLife } from './sim-process.ts';

/** What will happen. Cancelling takes the callback out and leaves the husk, which is dropped when its time comes. */
export class SimEvent {
  atMs: number;
  tie: number;
  /** Whose event it is: it happens only while that life lasts. Undefined for the world's own. */
  readonly life: SimLife | undefined;
  run: (() => void) | undefined;

  constructor(atMs: number, tie: number, life: SimLife | undefined, run: () => void) {
    this.atMs = atMs;
    this.tie = tie;
    this.life = life;
    this.run = run;
  }

  cancel(): void {
    this.run = undefined;
  }
}

function isBefore(a: SimEvent, b: SimEvent): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.tie < b.tie);
}

export class EventQueue {
  readonly #heap: SimEvent[] = [];

  /** How many of a life's events are still to come. */
  countOf(life: SimLife): number {
    return this.#heap.filter((event) => event.life === life && event.run !== undefined).length;
  }

  peek(): SimEvent | undefined {
    return this.#heap[0];
  }

  push(event: SimEvent): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent]!;
      if (!isBefore(event, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = event;
  }

  pop(): SimEvent | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    this.#sink(last);
    return first;
  }

  /** Puts an event in at the root and lets it down to its place. */
  #sink(event: SimEvent): void {
    const heap = this.#heap;
    const { length } = heap;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= length) break;
      let below = heap[child]!;
      const right = heap[child + 1];
      if (right !== undefined && isBefore(right, below)) {
        below = right;
        child += 1;
      }
      if (!isBefore(below, event)) break;
      heap[at] = below;
      at = child;
    }
    heap[at] = event;
  }
}
