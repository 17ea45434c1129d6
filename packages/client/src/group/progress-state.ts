/**
 * How far the program is with each of its partitions: what it has finished with, and what of that is committed. Pure.
 * What is in its hands does not count.
 */
import { formatTopicPartition, type TopicId, type TopicPartition } from '@millrace/core';
import type { OffsetToCommit } from '@millrace/protocol';

/** Of one topic: another one of its name is read from its own beginning. */
interface KnownPartition extends TopicPartition {
  readonly topicId: TopicId;
}

interface Progress extends KnownPartition {
  /** The first offset that is not finished. */
  next: number;
  /** Of the record before; -1 for none. */
  epoch: number;
  /** The coordinator has this; -1 for nothing. */
  committed: number;
}

export class ProgressState {
  readonly #partitions = new Map<string, Progress>();

  /** Reading of a partition begins here. `isCommitted`: because the group has committed it. */
  begin(
    { topic, topicId, partition }: KnownPartition,
    next: number,
    epoch: number,
    isCommitted: boolean,
  ): void {
    const key = formatTopicPartition({ topic, partition });
    this.#partitions.set(key, {
      topic,
      topicId,
      partition,
      next,
      epoch,
      committed: isCommitted ? next : -1,
    });
  }

  /** Undefined where nothing is known. */
  nextOf(partition: TopicPartition): number | undefined {
    return this.#partitions.get(formatTopicPartition(partition))?.next;
  }

  /** The program is done with everything before `next`. Going back is its right: it has sought. */
  finished(partition: TopicPartition, next: number, epoch: number): void {
    const progress = this.#partitions.get(formatTopicPartition(partition));
    if (progress === undefined) return;
    progress.next = next;
    progress.epoch = epoch;
  }

  committed(offsets: readonly OffsetToCommit[]): void {
    for (const offset of offsets) {
      const progress = this.#partitions.get(formatTopicPartition(offset));
      if (progress !== undefined && progress.topicId === offset.topicId) progress.committed = offset.offset;
    }
  }

  /** What should be committed, of all or of some. */
  uncommitted(partitions?: readonly TopicPartition[]): OffsetToCommit[] {
    const some =
      partitions === undefined
        ? [...this.#partitions.values()]
        : partitions.flatMap((partition) => this.#partitions.get(formatTopicPartition(partition)) ?? []);
    return some
      .filter(({ next, committed }) => next !== committed)
      .map(({ topic, topicId, partition, next, epoch }) => ({
        topic,
        topicId,
        partition,
        offset: next,
        leaderEpoch: epoch,
        metadata: '',
      }));
  }

  end(partition: TopicPartition): void {
    this.#partitions.delete(formatTopicPartition(partition));
  }
}
