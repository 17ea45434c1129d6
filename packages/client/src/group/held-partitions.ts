/**
 * The partitions that a member has been given: where each begins, which of them are handed out, and which topic each is
 * of. A topic that is created again is another one: nothing of it is read, or committed, on account of the one before.
 */
import { formatTopicPartition, MillraceError, type TopicId, type TopicPartition } from '@millrace/core';
import type { CommittedOffset, OffsetToCommit } from '@millrace/protocol';
import type { AssignedPartitions } from '../consumer/assigned-partitions.ts';
import type { FetchPositionState } from '../consumer/fetch-position-state.ts';
import type { HandOut } from '../consumer/hand-out.ts';
import type { NamedPartition } from './group-positions.ts';
import type { GroupPartitionKey } from './membership-state.ts';
import type { ProgressState } from './progress-state.ts';

export interface Held<K, V> extends NamedPartition {
  readonly state: FetchPositionState<K, V>;
  /** `onAssigned` is through: it is handed out. */
  isReady: boolean;
  isLeaving: boolean;
  /** The program has been told that it goes. */
  isToldOff: boolean;
}

export class HeldPartitions<K, V> {
  readonly #partitions: AssignedPartitions<K, V>;
  readonly #hands: HandOut<K, V>;
  readonly #progress: ProgressState;
  readonly #held = new Map<GroupPartitionKey, Held<K, V>>();
  /** Not ready yet, or about to leave: nothing of them is handed out. */
  readonly #retained = new Set<FetchPositionState<K, V>>();
  /** Without a position that is the group's. */
  readonly #undecided = new Set<Held<K, V>>();
  /** Of each name, the topic that this consumer has read last. */
  readonly #lastRead = new Map<string, TopicId>();

  constructor(partitions: AssignedPartitions<K, V>, hands: HandOut<K, V>, progress: ProgressState) {
    this.#partitions = partitions;
    this.#hands = hands;
    this.#progress = progress;
  }

  all(): Held<K, V>[] {
    return [...this.#held.values()];
  }

  has(key: GroupPartitionKey): boolean {
    return this.#held.has(key);
  }

  /** Nothing is handed out until it is `ready`. Undefined while its name still belongs to an earlier topic. */
  add(named: NamedPartition, start: CommittedOffset): Held<K, V> | undefined {
    if (this.#partitions.state(named) !== undefined) return undefined;
    const state = this.#partitions.add(named);
    state.isHeldBack = true;
    state.bind(named.topicId);
    const held = { ...named, state, isReady: false, isLeaving: false, isToldOff: false };
    if (start.offset >= 0) {
      state.seek(start.offset, start.leaderEpoch);
      this.#progress.begin(named, start.offset, start.leaderEpoch, true);
    } else {
      // Whoever has read the one before would skip what came between the two if it began at the end.
      const lastRead = this.#lastRead.get(named.topic);
      if (lastRead !== undefined && lastRead !== named.topicId) state.recreated(named.topicId);
      this.#undecided.add(held);
    }
    this.#held.set(named.key, held);
    this.#retained.add(state);
    return held;
  }

  ready(held: Held<K, V>): void {
    held.isReady = true;
    this.#retained.delete(held.state);
    held.state.isHeldBack = this.#hands.isBusy(held);
    this.#lastRead.set(held.topic, held.topicId);
  }

  /** Nothing more of them is handed out. */
  retain(leaving: readonly Held<K, V>[]): void {
    for (const held of leaving) {
      held.isLeaving = true;
      this.#retained.add(held.state);
      held.state.isHeldBack = true;
      held.state.isPaused = true;
      this.#hands.state.cut(held);
    }
  }

  isRetained(state: FetchPositionState<K, V>): boolean {
    return this.#retained.has(state);
  }

  remove(gone: readonly Held<K, V>[]): void {
    for (const held of gone) {
      this.#held.delete(held.key);
      this.#retained.delete(held.state);
      this.#undecided.delete(held);
      this.#progress.end(held);
      if (this.#partitions.state(held) === held.state) this.#partitions.remove(held.state);
    }
  }

  /** The program wants to go on elsewhere: what it has in hand is not how far it is. */
  sought(states: readonly FetchPositionState<K, V>[]): void {
    const sought = new Set(states);
    for (const held of this.#held.values()) {
      if (!sought.has(held.state)) continue;
      this.#hands.state.voidOf(held);
      this.#progress.end(held);
      this.#undecided.add(held);
    }
  }

  /** Positions that were decided without the group having one are the group's from here on: these. */
  takeDecided(): TopicPartition[] {
    const begun: TopicPartition[] = [];
    for (const held of this.#undecided) {
      const { position, positionEpoch } = held.state;
      if (position === undefined || held.isLeaving) continue;
      this.#undecided.delete(held);
      this.#progress.begin(held, position, positionEpoch, false);
      begun.push(held);
    }
    return begun;
  }

  /**
   * With the topics that were read, by id, and with the newest epoch that was read below an offset that names none: a
   * leader of before it must not call the offset out of range.
   *
   * @throws {MillraceError} FENCED_MEMBER_EPOCH for what is not held, or was not all the time.
   */
  identified(offsets: readonly OffsetToCommit[]): OffsetToCommit[] {
    const all = new Map(Array.from(this.#held.values(), (at) => [formatTopicPartition(at), at]));
    return offsets.map((offset) => {
      const held = all.get(formatTopicPartition(offset));
      if (held !== undefined && !this.#hands.state.of(offset)?.isLost) {
        const { position = -1, positionEpoch } = held.state;
        const isRead = offset.leaderEpoch === -1 && offset.offset <= position;
        const leaderEpoch = isRead ? positionEpoch : offset.leaderEpoch;
        return { ...offset, topicId: held.topicId, leaderEpoch };
      }
      const text = `${formatTopicPartition(offset)} is not assigned to this consumer, or was not all the time`;
      throw new MillraceError('FENCED_MEMBER_EPOCH', text);
    });
  }
}
