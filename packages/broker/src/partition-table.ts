/** The replicas on this broker, found by topic id and number. Only a table; never opens or closes anything. */
import type { TopicId } from '@millrace/core';
import type { Partition } from './partition.ts';

export class PartitionTable {
  readonly #topics = new Map<TopicId, (Partition | undefined)[]>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(topicId: TopicId, index: number): Partition | undefined {
    return this.#topics.get(topicId)?.[index];
  }

  ofTopic(topicId: TopicId): readonly Partition[] {
    return (this.#topics.get(topicId) ?? []).filter((partition) => partition !== undefined);
  }

  add(partition: Partition): void {
    const { topicId, index } = partition;
    let partitions = this.#topics.get(topicId);
    if (partitions === undefined) {
      partitions = [];
      this.#topics.set(topicId, partitions);
    }
    partitions[index] = partition;
    this.#size += 1;
  }

  remove({ topicId, index }: Partition): void {
    const partitions = this.#topics.get(topicId);
    if (partitions?.[index] === undefined) return;
    delete partitions[index];
    this.#size -= 1;
    if (partitions.every((other) => other === undefined)) this.#topics.delete(topicId);
  }

  *[Symbol.iterator](): Generator<Partition> {
    for (const partitions of this.#topics.values()) {
      for (const partition of partitions) if (partition !== undefined) yield partition;
    }
  }
}
