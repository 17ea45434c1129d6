/** A consumer of the fake cluster: hands out what is there, then waits to be interrupted, as a real one waits for more. */
import type { ConsumerBatch } from '@millrace/client';
import { MillraceError, type TopicPartition } from '@millrace/core';
import type { ConsumerClient } from '../cluster-client.ts';
import type { FakeCluster } from './fake-cluster.ts';

export class FakeConsumer implements ConsumerClient {
  readonly #cluster: FakeCluster;
  readonly #positions = new Map<string, { partition: TopicPartition; offset: bigint; paused: boolean }>();

  constructor(cluster: FakeCluster) {
    this.#cluster = cluster;
  }

  assign(partitions: readonly TopicPartition[]): void {
    this.#positions.clear();
    for (const partition of partitions) {
      this.#positions.set(keyOf(partition), { partition, offset: 0n, paused: false });
    }
  }

  seek(partition: TopicPartition, offset: bigint | number): void {
    this.#positions.get(keyOf(partition))!.offset = BigInt(offset);
  }

  pause(partitions: readonly TopicPartition[] = []): void {
    for (const partition of partitions) this.#positions.get(keyOf(partition))!.paused = true;
  }

  async *batches(options: { readonly signal?: AbortSignal } = {}): AsyncIterableIterator<ConsumerBatch> {
    for (;;) {
      let idle = true;
      for (const position of this.#positions.values()) {
        const { topic, partition } = position.partition;
        const deletedTo = this.#cluster.deletedTo.get(keyOf(position.partition)) ?? 0n;
        if (deletedTo > position.offset) position.offset = deletedTo;
        const log = this.#cluster.topic(topic).records[partition]!;
        const start = Number(position.offset);
        const records = position.paused ? [] : log.slice(start, start + this.#cluster.batchRecords);
        if (records.length === 0) continue;
        idle = false;
        position.offset = BigInt(start + records.length);
        yield {
          topic,
          partition,
          records,
          firstOffset: BigInt(start),
          nextOffset: position.offset,
          highWatermark: BigInt(log.length),
          [Symbol.iterator]: () => records[Symbol.iterator](),
        };
      }
      if (!idle) continue;
      this.#cluster.idleConsumers += 1;
      await whenAborted(options.signal);
    }
  }

  async position(partition: TopicPartition): Promise<bigint> {
    return this.#positions.get(keyOf(partition))!.offset;
  }

  async beginningOffsets(partitions: readonly TopicPartition[]) {
    return partitions.map((partition) => ({ ...partition, offset: 0n }));
  }

  async endOffsets(partitions: readonly TopicPartition[]) {
    return partitions.map(({ topic, partition }) => ({
      topic,
      partition,
      offset: BigInt(this.#cluster.topic(topic).records[partition]!.length),
    }));
  }

  async offsetsForTimes(queries: readonly (TopicPartition & { readonly timestampMs: number })[]) {
    return queries.map(({ topic, partition, timestampMs }) => {
      const found = this.#cluster
        .topic(topic)
        .records[partition]!.find(({ timestamp }) => timestamp >= timestampMs);
      return {
        topic,
        partition,
        found: found === undefined ? null : { offset: found.offset, timestamp: found.timestamp },
      };
    });
  }

  async close(): Promise<void> {}
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}:${partition}`;
}

/** Nothing more will come: wait for the user, as a real consumer would. */
function whenAborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_resolve, reject) => {
    const fail = (): void => reject(new MillraceError('CANCELLED'));
    if (signal?.aborted) fail();
    signal?.addEventListener('abort', fail, { once: true });
  });
}
