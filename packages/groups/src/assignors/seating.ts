/**
 * The board on which `uniform` works: who may hold what, who holds what, and what nobody holds. It starts from what
 * members held before, as far as that still exists and is still subscribed to.
 */
import type { TopicId } from '@millrace/core';
import type { TopicView } from '../group-record.ts';
import { type PartitionSet, sizeOf } from '../topic-partitions.ts';
import type { AssignorMember } from './assignor.ts';

export interface Seat {
  readonly index: number;
  readonly member: AssignorMember;
  /** Partitions held, by topic index; lists may be empty. */
  readonly held: Map<number, number[]>;
  load: number;
  /** Whether `held` is exactly what the member had. */
  asBefore: boolean;
}

export interface BoardTopic {
  readonly view: TopicView;
  readonly subscribers: Seat[];
  /** 1 for every partition that somebody holds. */
  readonly taken: Uint8Array;
}

export interface Board {
  readonly seats: readonly Seat[];
  readonly topics: readonly BoardTopic[];
  /** Whether any member names its rack; otherwise racks of partitions are not looked at. */
  readonly hasRacks: boolean;
}

export function boardOf(members: readonly AssignorMember[]): Board {
  const topics: BoardTopic[] = [];
  const indexOf = new Map<TopicId, number>();
  const ordered = [...members].sort((a, b) => (a.memberId < b.memberId ? -1 : 1));
  const seats = ordered.map((member, index): Seat => {
    return { index, member, held: new Map(), load: 0, asBefore: true };
  });
  for (const seat of seats) {
    for (const view of seat.member.topics) {
      let index = indexOf.get(view.topicId);
      if (index === undefined) {
        index = topics.length;
        indexOf.set(view.topicId, index);
        topics.push({ view, subscribers: [], taken: new Uint8Array(view.partitionCount) });
      }
      topics[index]!.subscribers.push(seat);
    }
  }
  for (const seat of seats) keepCurrent(seat, topics, indexOf);
  return { seats, topics, hasRacks: seats.some(({ member }) => member.rackId !== undefined) };
}

function keepCurrent(seat: Seat, topics: readonly BoardTopic[], indexOf: ReadonlyMap<TopicId, number>): void {
  const { current } = seat.member;
  if (current.size === 0) return;
  const subscribed = new Set(seat.member.topics.map(({ topicId }) => topicId));
  for (const [topicId, partitions] of current) {
    if (!subscribed.has(topicId)) continue;
    const index = indexOf.get(topicId)!;
    const { taken } = topics[index]!;
    const kept = partitions.filter((partition) => partition < taken.length && taken[partition] === 0);
    for (const partition of kept) taken[partition] = 1;
    seat.held.set(index, kept);
    seat.load += kept.length;
  }
  seat.asBefore = seat.load === sizeOf(current);
}

export function give(board: Board, seat: Seat, topic: number, partition: number): void {
  board.topics[topic]!.taken[partition] = 1;
  const held = seat.held.get(topic);
  if (held === undefined) seat.held.set(topic, [partition]);
  else held.push(partition);
  seat.load++;
  seat.asBefore = false;
}

/** Takes the partition that stands at `position` among those of the topic that the seat holds. */
export function take(board: Board, seat: Seat, topic: number, position: number): number {
  const [partition] = seat.held.get(topic)!.splice(position, 1);
  board.topics[topic]!.taken[partition!] = 0;
  seat.load--;
  seat.asBefore = false;
  return partition!;
}

/** Whether a replica of the partition stands in the member's rack. */
export function isNear(board: Board, seat: Seat, topic: number, partition: number): boolean {
  const { rackId } = seat.member;
  return rackId !== undefined && board.topics[topic]!.view.racksOf(partition).includes(rackId);
}

export function assignmentOf({ seats, topics }: Board): ReadonlyMap<string, PartitionSet> {
  return new Map(
    seats.map(({ member, held, asBefore }) => {
      if (asBefore) return [member.memberId, member.current];
      const set = new Map<TopicId, readonly number[]>();
      for (const [topic, partitions] of held) {
        if (partitions.length > 0)
          set.set(
            topics[topic]!.view.topicId,
            partitions.sort((a, b) => a - b),
          );
      }
      return [member.memberId, set];
    }),
  );
}
