/**
 * How far the program is with each of its partitions: what it has finished with, and what of that is committed. Pure.
 * What is in its hands does not count.
 */
import { formatTopicPartition, type TopicPartition } from '@millrace/core';
import type { OffsetToCommit } from '@millrace/protocol';

interface Progress extends TopicPartition {
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
  begin({ topic, partition }: TopicPartition, next: number, epoch: number, isCommitted: boolean): void {
    const key = formatTopicPartition({ topic, partition });
    this.#partitions.set(key, { topic, partition, next, epoch, committed: isCommitted ? next : -1 });
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
      if (progress !== undefined) progress.committed = offset.offset;
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
      .map(({ topic, partition, next, epoch }) => ({
        topic,
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
