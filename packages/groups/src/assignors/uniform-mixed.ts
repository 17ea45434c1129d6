/**
 * `uniform` where members subscribe to different topics. First what nobody holds goes to the least loaded subscriber;
 * then partitions move along chains of members (A gives to B, B to C) while that evens the load out. When no such chain
 * is left the loads are as even as the subscriptions allow (Harvey et al., "Semi-matchings for bipartite graphs").
 */
import { type Board, give, isNear, type Seat, take } from './seating.ts';

export function spreadMixed(board: Board): void {
  seatLoose(board);
  const search = new ChainSearch(board);
  let improved = true;
  while (improved) {
    improved = false;
    search.forget();
    for (const seat of [...board.seats].sort((a, b) => b.load - a.load)) {
      while (search.relieve(seat)) improved = true;
    }
  }
}

/** Topics with few subscribers first: the others can then make up for them. */
function seatLoose(board: Board): void {
  const order = board.topics.map((topic, index) => ({ topic, index }));
  order.sort((a, b) => a.topic.subscribers.length - b.topic.subscribers.length);
  for (const { topic, index } of order) {
    for (let partition = 0; partition < topic.taken.length; partition++) {
      if (topic.taken[partition] === 0) give(board, leastLoaded(board, index, partition), index, partition);
    }
  }
}

function leastLoaded(board: Board, topic: number, partition: number): Seat {
  const { subscribers } = board.topics[topic]!;
  let best = subscribers[0]!;
  let bestIsNear = board.hasRacks && isNear(board, best, topic, partition);
  for (const seat of subscribers) {
    if (seat.load > best.load) continue;
    const near = board.hasRacks && isNear(board, seat, topic, partition);
    if (seat.load < best.load || (near && !bestIsNear)) {
      best = seat;
      bestIsNear = near;
    }
  }
  return best;
}

/** Breadth first from a loaded member, over the topics it holds, to members who could take something over. */
class ChainSearch {
  readonly #board: Board;
  /** From whom, and by which topic, a seat was reached in the current search. */
  readonly #from: (Seat | undefined)[];
  readonly #by: Int32Array;
  readonly #seatSearch: Int32Array;
  readonly #topicSearch: Int32Array;
  #search = 0;
  /** Seats from which no chain leads to somebody with less; true for all that such a search reached. */
  readonly #hopeless: Uint8Array;

  constructor(board: Board) {
    this.#board = board;
    this.#from = new Array<Seat | undefined>(board.seats.length).fill(undefined);
    this.#by = new Int32Array(board.seats.length);
    this.#seatSearch = new Int32Array(board.seats.length);
    this.#topicSearch = new Int32Array(board.topics.length);
    this.#hopeless = new Uint8Array(board.seats.length);
  }

  forget(): void {
    this.#hopeless.fill(0);
  }

  /** Moves one partition off `start`, by a chain to a member that holds at least two fewer. False where there is none. */
  relieve(start: Seat): boolean {
    if (start.load < 2 || this.#hopeless[start.index] === 1) return false;
    this.#search++;
    this.#seatSearch[start.index] = this.#search;
    const reached = [start];
    for (let at = 0; at < reached.length; at++) {
      const end = this.#spread(reached[at]!, start.load - 2, reached);
      if (end !== undefined) {
        this.#shift(start, end);
        return true;
      }
    }
    // Whoever was reached holds about as much as the start, and reaches nobody else: searching from there is in vain.
    for (const seat of reached) this.#hopeless[seat.index] = 1;
    return false;
  }

  #spread(seat: Seat, enoughLoad: number, reached: Seat[]): Seat | undefined {
    for (const [topic, held] of seat.held) {
      if (held.length === 0 || this.#topicSearch[topic] === this.#search) continue;
      this.#topicSearch[topic] = this.#search;
      for (const next of this.#board.topics[topic]!.subscribers) {
        if (this.#seatSearch[next.index] === this.#search) continue;
        this.#seatSearch[next.index] = this.#search;
        this.#from[next.index] = seat;
        this.#by[next.index] = topic;
        if (next.load <= enoughLoad) return next;
        reached.push(next);
      }
    }
    return undefined;
  }

  #shift(start: Seat, end: Seat): void {
    for (let seat = end; seat !== start; ) {
      const from = this.#from[seat.index]!;
      const topic = this.#by[seat.index]!;
      const held = from.held.get(topic)!;
      const near = this.#board.hasRacks ? held.findIndex((it) => isNear(this.#board, seat, topic, it)) : -1;
      const partition = take(this.#board, from, topic, near >= 0 ? near : held.length - 1);
      give(this.#board, seat, topic, partition);
      seat = from;
    }
  }
}
