/**
 * Assignor `uniform`: members get equal shares, and keep what they have as far as that allows. Where racks are known, a
 * partition that must move goes to a member near one of its replicas, if one has room. Staying comes before nearness.
 */
import type { PartitionSet } from '../topic-partitions.ts';
import type { AssignorMember } from './assignor.ts';
import { assignmentOf, type Board, boardOf, give, isNear, type Seat, take } from './seating.ts';
import { spreadMixed } from './uniform-mixed.ts';

export function assignUniform(members: readonly AssignorMember[]): ReadonlyMap<string, PartitionSet> {
  const board = boardOf(members);
  if (board.topics.length > 0) {
    if (board.topics.every(({ subscribers }) => subscribers.length === members.length)) spreadEqually(board);
    else spreadMixed(board);
  }
  return assignmentOf(board);
}

/** A partition that nobody holds, by topic index. */
interface Loose {
  readonly topic: number;
  readonly partition: number;
}

/**
 * Where all subscribe alike, shares differ by one at most, and no assignment with that property moves fewer: the larger
 * shares go to those who hold most, and only what exceeds a share is taken away.
 */
function spreadEqually(board: Board): void {
  const { seats, topics } = board;
  const total = topics.reduce((sum, { taken }) => sum + taken.length, 0);
  const least = Math.floor(total / seats.length);
  const larger = total % seats.length;
  const shares = new Map<Seat, number>();
  for (const [rank, seat] of [...seats].sort((a, b) => b.load - a.load).entries()) {
    const share = least + (rank < larger ? 1 : 0);
    shares.set(seat, share);
    if (seat.load > share) shrink(board, seat, share);
  }
  const room = seats.filter((seat) => seat.load < shares.get(seat)!);
  const loose = looseOf(board);
  const far = board.hasRacks ? seatNear(board, loose, room, shares) : loose;
  let at = 0;
  for (const { topic, partition } of far) {
    while (room[at % room.length]!.load >= shares.get(room[at % room.length]!)!) at++;
    give(board, room[at % room.length]!, topic, partition);
    at++;
  }
}

/** Takes partitions away until `share` are left: those that are far first, then from the topics held most. */
function shrink(board: Board, seat: Seat, share: number): void {
  if (board.hasRacks && seat.member.rackId !== undefined) {
    for (const [topic, held] of seat.held) {
      for (let position = held.length - 1; position >= 0 && seat.load > share; position--) {
        if (!isNear(board, seat, topic, held[position]!)) take(board, seat, topic, position);
      }
    }
  }
  const byCount = [...seat.held].sort(([, a], [, b]) => b.length - a.length);
  while (seat.load > share) {
    for (const [topic, held] of byCount) {
      if (seat.load > share && held.length > 0) take(board, seat, topic, held.length - 1);
    }
  }
}

function looseOf({ topics }: Board): readonly Loose[] {
  return topics.flatMap(({ taken }, topic) => {
    const loose: Loose[] = [];
    for (let partition = 0; partition < taken.length; partition++) {
      if (taken[partition] === 0) loose.push({ topic, partition });
    }
    return loose;
  });
}

/** Gives to members in the racks of a partition while they have room. Returns what found no such member. */
function seatNear(
  board: Board,
  loose: readonly Loose[],
  room: readonly Seat[],
  shares: ReadonlyMap<Seat, number>,
): readonly Loose[] {
  const racks = new Map<string, { readonly seats: Seat[]; free: number; at: number }>();
  for (const seat of room) {
    const { rackId } = seat.member;
    if (rackId === undefined) continue;
    const free = shares.get(seat)! - seat.load;
    const rack = racks.get(rackId);
    if (rack === undefined) racks.set(rackId, { seats: [seat], free, at: 0 });
    else {
      rack.seats.push(seat);
      rack.free += free;
    }
  }
  const choices = loose.map((it) => {
    const near = new Set(board.topics[it.topic]!.view.racksOf(it.partition));
    return { it, near: [...near].flatMap((rackId) => racks.get(rackId) ?? []) };
  });
  // Those with the fewest choices choose first.
  choices.sort((a, b) => a.near.length - b.near.length);
  const far: Loose[] = [];
  for (const { it, near } of choices) {
    const rack = near.reduce(
      (best, other) => (best === undefined || other.free > best.free ? other : best),
      near[0],
    );
    if (rack === undefined || rack.free === 0) {
      far.push(it);
      continue;
    }
    while (
      rack.seats[rack.at % rack.seats.length]!.load >= shares.get(rack.seats[rack.at % rack.seats.length]!)!
    ) {
      rack.at++;
    }
    give(board, rack.seats[rack.at++ % rack.seats.length]!, it.topic, it.partition);
    rack.free--;
  }
  return far;
}
